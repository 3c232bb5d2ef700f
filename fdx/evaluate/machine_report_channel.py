"""What a report shows of one channel: its usable part, levels, spectra, the judge's verdict and the sensor."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.evaluate.machine_report_levels import (
    Levels,
    UsablePart,
    amplitude_spectrum,
    levels_of,
    usable_part,
    without_name,
)
from fdx.health.sensor_facts import sensor_facts
from fdx.health.sensor_fault import SensorFault, sensor_fault
from fdx.predict.evidence_of import Knowledge, evidence_of, good_part
from fdx.predict.zero_shot import diagnose_zero_shot
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis
from fdx.signal.control_orders import FAULTS
from fdx.signal.order_map import OrderMap, order_map
from fdx.signal.order_spectra import OrderSpectra, order_spectra
from fdx.signal.severity import Severity, severity_of
from fdx.signal.steady import at_steady_speed
from fdx.signal.velocity import known_unit
from fdx.types import ConfigError, DataError, Recording

# Orders that the map and the envelope's spectrum reach, and Hz where no speed is known.
HIGHEST_ORDER, HIGHEST_HZ = 16.0, 500.0
# Without a speed, segments of the envelope's spectrum last as long as 128 turns at this rate do.
USUAL_HZ = 64.0


@dataclasses.dataclass(frozen=True)
class Machine:
    """What the user knows about the machine beside its speed and bearing.

    Attributes:
      unit: of the samples; '' takes the recording's own.
      machine_group: of ISO 20816-3, 1 or 2; None: not known.
      mounting: 'rigid' or 'flexible'; '' : not known.
      knowledge: what else turns.
    """

    unit: str = ''
    machine_group: int | None = None
    mounting: str = ''
    knowledge: Knowledge = Knowledge()


@dataclasses.dataclass(frozen=True)
class Channel:
    """One channel of a recording, looked at.

    Attributes:
      name: of the channel.
      recording: the channel as it was read.
      samples: float64 [T'], its longest usable part without offset and drift; None where nothing can be used.
      unusable: why nothing can be used; ''.
      faults: {kind: number of pieces of PIECE_S that cannot be used}.
      notes: what was noticed, one sentence each.
      unit: of the samples, '' where nobody states it.
      speed_rpm: that the pictures use; NaN.
      sensor: what is wrong with the sensor, or None.
      levels: None where nothing can be used.
      severity: the zone of ISO 20816-3, or None.
      no_zone: why there is none.
      spectrum: (Hz [F], amplitude [F]), or None.
      envelope: excess of the envelopes' spectra, or None.
      order_map: None where the recording is too short.
      diagnosis: of the judge; None where it could not be asked.
      no_verdict: why not; ''.
      healthy_z: float64 [N, 3], how far lines at the faults' orders stand out of the healthy recordings; N may be 0.
    """

    name: str
    recording: Recording
    samples: np.ndarray | None
    unusable: str
    faults: dict[str, int]
    notes: tuple[str, ...]
    unit: str
    speed_rpm: float
    sensor: SensorFault | None
    levels: Levels | None
    severity: Severity | None
    no_zone: str
    spectrum: tuple[np.ndarray, np.ndarray] | None
    envelope: OrderSpectra | None
    order_map: OrderMap | None
    diagnosis: ZeroShotDiagnosis | None
    no_verdict: str
    healthy_z: np.ndarray


def look_at(recording: Recording, machine: Machine, healthy: tuple[Recording, ...] = (), name: str = '') -> Channel:
    """Looks at one channel.

    Args:
      recording: samples [T, 1] as they were read; speed and geometry where they are known.
      machine: what else is known.
      healthy: the same channel of recordings of the same machine in good order.
      name: of the channel.

    Raises:
      ConfigError: a machine group or mounting that is not known.
      DataError: samples that are no numbers of shape [T] or [T, 1], or no sampling rate.
    """
    sensor = sensor_fault(recording, [sensor_facts(one) for one in healthy] or None)
    part = usable_part(recording)
    unit = machine.unit or recording.unit
    diagnosis, no_verdict = _verdict(recording, machine, healthy)
    speed = recording.speed_rpm
    if diagnosis is not None and diagnosis.searched is not None:
        speed = diagnosis.searched.speed.speed_rpm
    zone, no_zone = _zone(part, recording.sample_rate_hz, unit, machine, speed)
    envelope, rows, speed = _pictures(part, recording.sample_rate_hz, speed, diagnosis)
    notes = part.notes if diagnosis is None else tuple(dict.fromkeys((*part.notes, *diagnosis.findings.notes)))
    return Channel(
        name=name,
        recording=recording,
        samples=part.samples,
        unusable=part.reason,
        faults=part.faults,
        notes=notes,
        unit=unit,
        speed_rpm=speed,
        sensor=sensor,
        levels=None if part.samples is None else levels_of(part.samples, recording.sample_rate_hz, unit),
        severity=zone,
        no_zone=no_zone,
        spectrum=None if part.samples is None else amplitude_spectrum(part.samples, recording.sample_rate_hz),
        envelope=envelope,
        order_map=rows,
        diagnosis=diagnosis,
        no_verdict=no_verdict,
        healthy_z=_healthy_z(healthy if diagnosis is not None and diagnosis.searched is not None else (), machine),
    )


def _verdict(
    recording: Recording, machine: Machine, healthy: tuple[Recording, ...]
) -> tuple[ZeroShotDiagnosis | None, str]:
    missing = [f'`{name}`' for name, value in _needed(recording).items() if value is None]
    if missing:
        return None, f'the judge looks at the orders of the bearing: give {" and ".join(missing)}'
    try:
        found = diagnose_zero_shot(recording, knowledge=machine.knowledge, healthy=healthy)
    except DataError as e:
        return None, without_name(e, recording)
    return found, '' if found.label is not None else (found.reason or 'the judge cannot tell')


def _healthy_z(healthy: tuple[Recording, ...], machine: Machine) -> np.ndarray:
    found = []
    for one in healthy:
        try:
            part = good_part(one)
            if part.refusal is None:
                found.append(evidence_of(part.steadied().recording, machine.knowledge).z_scores())
        except DataError:
            # It is too short or too slowly sampled for orders; its levels are compared all the same.
            continue
    return np.array(found, np.float64).reshape(-1, len(FAULTS))


def _needed(recording: Recording) -> dict[str, object]:
    return {
        'bearing': recording.geometry,
        'speed_rpm': recording.speed_rpm if math.isfinite(recording.speed_rpm) else None,
    }


def _zone(
    part: UsablePart, rate_hz: float, unit: str, machine: Machine, speed_rpm: float
) -> tuple[Severity | None, str]:
    if part.samples is None:
        return None, 'no part of the recording can be used'
    missing = [
        f'`{name}`'
        for name, given in (('unit', unit), ('machine_group', machine.machine_group), ('mounting', machine.mounting))
        if not given
    ]
    if missing:
        return None, f'a zone of ISO 20816-3 needs {", ".join(missing)}'
    if not known_unit(unit):
        return None, f'{unit} is no unit of acceleration or velocity: state `unit` where it is one'
    try:
        group = machine.machine_group or 0
        return severity_of(part.samples, rate_hz, unit, group, machine.mounting, speed_rpm)[0], ''
    except ConfigError:
        raise
    except DataError as e:
        return None, str(e)


def _pictures(
    part: UsablePart, rate_hz: float, speed_rpm: float, diagnosis: ZeroShotDiagnosis | None
) -> tuple[OrderSpectra | None, OrderMap | None, float]:
    """(spectra of envelopes, map, speed that both are shown at)."""
    if part.samples is None:
        return None, None, speed_rpm
    if not math.isfinite(speed_rpm):
        highest_hz = min(HIGHEST_HZ, 0.4 * rate_hz)
        envelope = order_spectra(part.samples, rate_hz, USUAL_HZ, highest_hz)
        return envelope, order_map(part.samples, rate_hz, highest_hz), speed_rpm
    even = at_steady_speed(part.samples, rate_hz, speed_rpm)
    shaft_hz = even.speed_rpm / 60
    rows = order_map(np.asarray(even.samples, np.float64), even.sample_rate_hz, HIGHEST_ORDER, shaft_hz)
    if diagnosis is not None and diagnosis.searched is not None:
        return diagnosis.searched.spectra, rows, speed_rpm
    envelope = order_spectra(even.samples, even.sample_rate_hz, shaft_hz, HIGHEST_ORDER * shaft_hz)
    return envelope, rows, even.speed_rpm
