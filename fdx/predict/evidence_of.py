"""From a recording as it was read to the evidence in its good part."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.predict.findings import Findings
from fdx.signal.checks import check_rate
from fdx.signal.control_orders import fault_orders_of
from fdx.signal.fault_evidence import FaultEvidence, fault_evidence
from fdx.signal.fault_orders import MIN_TURNS, check_turns
from fdx.signal.patch import Condition, shaft_rate_hz, without_static_part
from fdx.signal.slow_part import without_slow_part
from fdx.signal.usable import inspect_recording
from fdx.types import BearingGeometry, DataError, Recording

# Pieces in which dead and lost stretches are looked for.
PIECE_S = 0.25
NAME = 'zero_shot'


@dataclasses.dataclass(frozen=True)
class Knowledge:
    """What else turns in the machine.

    Attributes:
      orders: of blades, vanes or gear meshes, in turns of the shaft.
      bearings: others on the same shaft.
    """

    orders: tuple[float, ...] = ()
    bearings: tuple[BearingGeometry, ...] = ()

    def all_orders(self) -> tuple[float, ...]:
        """Orders whose lines are no evidence."""
        return (*self.orders, *(order for bearing in self.bearings for order in fault_orders_of(bearing)))


@dataclasses.dataclass(frozen=True)
class GoodPart:
    """The part of a recording that is looked at.

    Attributes:
      recording: the longest stretch without dead samples or lost time, wild samples replaced.
      findings: what was noticed about the whole.
      refusal: why the recording has no verdict, or None.
    """

    recording: Recording
    findings: Findings
    refusal: str | None


def good_part(recording: Recording) -> GoodPart:
    """Checks a recording and takes its longest good stretch.

    Raises:
      DataError: what fdx.signal.checks refuses, several channels, no speed, no bearing, or fewer than ten turns.
    """
    source = recording.source or recording.recording
    rate = check_rate(recording.sample_rate_hz, source)
    if recording.geometry is None:
        raise DataError(f'{source}: the fault orders follow from the bearing: give `bearing`')
    shaft_hz = shaft_rate_hz(Condition(recording.speed_rpm, recording.geometry), NAME)
    length = max(1, round(PIECE_S * rate))
    check_turns(len(recording.samples) / rate, shaft_hz, NAME)
    checked, usability = inspect_recording(recording, length)
    if checked.samples.shape[1] != 1:
        raise DataError(f'{source}: {checked.samples.shape[1]} channels, one is needed: choose it with `channel`')
    starts = np.arange(0, max(1, len(checked.samples) - length + 1), length)
    faults = usability.faults(starts, length, rate)
    findings = Findings(tuple(faults), usability.wild_samples, checked.notes)
    refusal = findings.refusal()
    if refusal is None:
        first, end = _longest([not fault for fault in faults])
        stop = len(checked.samples) if end == len(faults) else end * length
        part = checked.samples[first * length : stop]
        if len(part) / rate * shaft_hz >= MIN_TURNS:
            return GoodPart(dataclasses.replace(checked, samples=part, time_breaks=()), findings, None)
        check_turns(len(part) / rate, shaft_hz, f'{NAME} (longest good stretch)')
    return GoodPart(checked, findings, refusal)


def _longest(good: list[bool]) -> tuple[int, int]:
    """(first, end) of the longest run of True."""
    best, first = (0, 0), 0
    for i, ok in enumerate([*good, False]):
        if ok:
            continue
        if i - first > best[1] - best[0]:
            best = first, i
        first = i + 1
    return best


def evidence_of(recording: Recording, knowledge: Knowledge, *, fixed_speed: bool = False) -> FaultEvidence:
    """The evidence in a good part.

    Raises:
      DataError: the rate is too low to see a fault's first harmonic.
    """
    rate, geometry = recording.sample_rate_hz, recording.geometry
    if geometry is None:
        raise DataError('the fault orders follow from the bearing: give `bearing`')
    samples = without_slow_part(without_static_part(recording.samples), rate)[:, 0]
    evidence = fault_evidence(
        samples, rate, recording.speed_rpm, geometry, knowledge.all_orders(), fixed_speed=fixed_speed
    )
    unseen = [f.order for f in evidence.targets[:3] if not np.isfinite(f.cells[:, 0, 0]).any()]
    if unseen:
        raise DataError(
            f'{rate:g} Hz are too few to see a fault at {recording.speed_rpm:g} rpm (order {unseen[0]:.2f}): record at '
            'a higher rate, or check `sample_rate_hz` and `speed_rpm`'
        )
    return evidence
