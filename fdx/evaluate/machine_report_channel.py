"""What a report shows of one channel: its usable part, levels, spectra, the judge's verdict and the sensor."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import scipy.signal
import scipy.stats

from fdx.health.sensor_facts import sensor_facts
from fdx.health.sensor_fault import SensorFault, sensor_fault
from fdx.predict.evidence_of import Knowledge
from fdx.predict.zero_shot import diagnose_zero_shot
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis
from fdx.signal.order_map import OrderMap, order_map
from fdx.signal.order_spectra import OrderSpectra, order_spectra
from fdx.signal.severity import Severity, severity_of
from fdx.signal.slow_part import without_slow_part
from fdx.signal.steady import at_steady_speed
from fdx.signal.usable import counted, inspect_recording
from fdx.signal.velocity import known_unit, velocity_rms
from fdx.types import ConfigError, DataError, Recording

# Orders that the map and the envelope's spectrum reach, and Hz where no speed is known.
HIGHEST_ORDER, HIGHEST_HZ = 16.0, 500.0
# Without a speed, segments of the envelope's spectrum last as long as 128 turns at this rate do.
USUAL_HZ = 64.0
# Pieces in which dead and lost stretches are counted; the shortest part that is looked at.
PIECE_S, SHORTEST_S = 0.25, 0.05
# Third octaves (IEC 61260-1): ten bands per factor of ten.
PER_DECADE, LOWEST_BAND_HZ = 10, 10.0
SEGMENT_S = 1.0


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
class Levels:
    """Plain numbers of one channel.

    Attributes:
      rms: in the unit of the samples, without offset and drift.
      peak: largest magnitude.
      crest: peak over RMS.
      kurtosis: fourth moment over the squared second; 3 for noise.
      velocity_mm_s: RMS velocity from 10 to 1000 Hz; None where the unit, rate or length do not allow it.
      bands_db: {centre in Hz: level in dB of the unit}, third octaves.
    """

    rms: float
    peak: float
    crest: float
    kurtosis: float
    velocity_mm_s: float | None
    bands_db: dict[float, float]


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
    )


@dataclasses.dataclass(frozen=True)
class UsablePart:
    """The longest stretch of a channel without dead samples or lost time: see `Channel`."""

    samples: np.ndarray | None
    reason: str
    faults: dict[str, int]
    notes: tuple[str, ...]


def usable_part(recording: Recording) -> UsablePart:
    """The longest usable stretch of a channel, without offset and drift."""
    rate = recording.sample_rate_hz
    shortest = max(16, round(SHORTEST_S * rate))
    try:
        checked, usability = inspect_recording(recording, shortest)
    except DataError as e:
        return UsablePart(None, str(e), {}, recording.notes)
    length = max(1, round(PIECE_S * rate))
    starts = np.arange(0, max(1, len(checked.samples) - length + 1), length)
    faults = counted(usability.faults(starts, min(length, len(checked.samples)), rate))
    bad = usability.dead.copy()
    bad[usability.breaks[usability.breaks < len(bad)]] = True
    edges = np.concatenate([[-1], np.flatnonzero(bad), [len(bad)]])
    longest = int(np.diff(edges).argmax())
    first, end = int(edges[longest]) + 1, int(edges[longest + 1])
    if end - first < shortest:
        reason = f'no stretch of {SHORTEST_S:g} s is without dead samples or lost time'
        return UsablePart(None, reason, faults, checked.notes)
    samples = without_slow_part(checked.samples[first:end], rate)[:, 0].astype(np.float64)
    return UsablePart(samples, '', faults, checked.notes)


def levels_of(samples: np.ndarray, rate_hz: float, unit: str) -> Levels:
    """Plain numbers of samples [T] without offset."""
    rms, peak = float(samples.std()), float(np.abs(samples).max())
    try:
        velocity = float(velocity_rms(samples, rate_hz, unit)[0]) if known_unit(unit) else None
    except DataError:
        velocity = None
    crest = peak / rms if rms else math.nan
    kurtosis = float(scipy.stats.kurtosis(samples, fisher=False))
    return Levels(rms, peak, crest, kurtosis, velocity, _bands(samples, rate_hz))


def amplitude_spectrum(samples: np.ndarray, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """(Hz [F], amplitude [F]): a tone of amplitude a stands at a. Averages over segments of SEGMENT_S and more."""
    length = min(len(samples), max(round(SEGMENT_S * rate_hz), len(samples) // 4))
    f, power = scipy.signal.welch(samples, rate_hz, nperseg=length, scaling='spectrum')
    return f, np.sqrt(2 * power)


def _bands(samples: np.ndarray, rate_hz: float) -> dict[float, float]:
    length = min(len(samples), round(SEGMENT_S * rate_hz))
    f, power = scipy.signal.welch(samples, rate_hz, nperseg=length)
    lowest = max(LOWEST_BAND_HZ, 4 * f[1])
    first = math.ceil(PER_DECADE * math.log10(lowest))
    last = math.floor(PER_DECADE * math.log10(0.9 * rate_hz / 2))
    found = {}
    for n in range(first, last):
        low, high = (10 ** ((n + s) / PER_DECADE) for s in (-0.5, 0.5))
        inside = (f >= low) & (f < high)
        if inside.any():
            found[10 ** (n / PER_DECADE)] = 10 * math.log10(float(power[inside].mean()) * (high - low) + 1e-30)
    return found


def _verdict(
    recording: Recording, machine: Machine, healthy: tuple[Recording, ...]
) -> tuple[ZeroShotDiagnosis | None, str]:
    missing = [f'`{name}`' for name, value in _needed(recording).items() if value is None]
    if missing:
        return None, f'the judge looks at the orders of the bearing: give {" and ".join(missing)}'
    try:
        found = diagnose_zero_shot(recording, knowledge=machine.knowledge, healthy=healthy)
    except DataError as e:
        return None, str(e)
    return found, '' if found.label is not None else (found.reason or 'the judge cannot tell')


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
