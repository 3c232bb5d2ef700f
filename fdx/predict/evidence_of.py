"""From a recording as it was read to the evidence in its good part."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.predict.findings import Findings
from fdx.signal.checks import check_rate
from fdx.signal.control_orders import FAULTS, fault_orders_of
from fdx.signal.envelope import USED_BAND
from fdx.signal.evidence_image import evidence_image
from fdx.signal.fault_evidence import SLIP, FaultEvidence, fault_evidence
from fdx.signal.fault_orders import MIN_TURNS, check_turns
from fdx.signal.patch import Condition, shaft_rate_hz, without_static_part
from fdx.signal.repeats import repeats_after
from fdx.signal.slow_part import without_slow_part
from fdx.signal.steady import at_steady_speed
from fdx.signal.usable import REPEATS, inspect_recording
from fdx.types import BearingGeometry, DataError, Recording

# Pieces in which dead and lost stretches are looked for.
PIECE_S = 0.25
# Two orders that differ by less, relatively, are one.
SAME_ORDER = 0.01
NAME = 'zero_shot'
# Parts of a short recording that are looked at, too; one with as many segments is not short.
VIEWS = ((0.0, 0.97), (0.03, 1.0), (0.0, 0.94), (0.06, 1.0))
ENOUGH_SEGMENTS = 4


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
      first: the first sample of the part.
    """

    recording: Recording
    findings: Findings
    refusal: str | None
    first: int = 0

    def steadied(self, tachometer: np.ndarray | None = None, pulses_per_turn: int = 1) -> GoodPart:
        """The part as if the shaft had turned evenly (fdx.signal.steady); what is found is among the notes.

        Args:
          tachometer: float [T], of the whole recording.
          pulses_per_turn: of the tachometer.
        """
        own, samples = self.recording, self.recording.samples[:, 0]
        pulses = None if tachometer is None else tachometer[self.first : self.first + len(samples)]
        even = at_steady_speed(samples, own.sample_rate_hz, own.speed_rpm, pulses, pulses_per_turn)
        if not even.words and even.samples is samples:
            return self
        even_one = dataclasses.replace(
            own, samples=even.samples[:, None], sample_rate_hz=even.sample_rate_hz, speed_rpm=even.speed_rpm
        )
        notes = (*self.findings.notes, even.words) if even.words else self.findings.notes
        return dataclasses.replace(self, recording=even_one, findings=dataclasses.replace(self.findings, notes=notes))


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
        if repeats_after(part[:, 0]) is not None:
            # Beside its lines such a recording holds errors of rounding alone, and they look like a fault's.
            findings = dataclasses.replace(findings, faults=(REPEATS,) * len(faults))
            return GoodPart(checked, findings, findings.refusal())
        if len(part) / rate * shaft_hz >= MIN_TURNS:
            whole = dataclasses.replace(checked, samples=part, time_breaks=())
            return GoodPart(whole, findings, None, first * length)
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


def evidence_samples(recording: Recording) -> np.ndarray:
    """The samples float [T] of a good part in which evidence is looked for: without offset and slow part."""
    return without_slow_part(without_static_part(recording.samples), recording.sample_rate_hz)[:, 0]


def evidence_of(recording: Recording, knowledge: Knowledge, *, fixed_speed: bool = False) -> FaultEvidence:
    """The evidence in a good part.

    Raises:
      DataError: the rate is too low to see a fault's first harmonic.
    """
    rate, geometry = recording.sample_rate_hz, recording.geometry
    if geometry is None:
        raise DataError('the fault orders follow from the bearing: give `bearing`')
    shaft_hz = recording.speed_rpm / 60
    unseen = [order for order in fault_orders_of(geometry) if order * (1 + SLIP) * shaft_hz > USED_BAND * rate / 2]
    if unseen:
        raise DataError(
            f'{rate:g} Hz are too few to see a fault at {recording.speed_rpm:g} rpm (order {unseen[0]:.2f}): record at '
            'a higher rate, or check `sample_rate_hz` and `speed_rpm`'
        )
    samples = evidence_samples(recording)
    return fault_evidence(samples, rate, recording.speed_rpm, geometry, knowledge.all_orders(), fixed_speed=fixed_speed)


def views_of(
    recording: Recording, knowledge: Knowledge, *, fixed_speed: bool = False
) -> tuple[FaultEvidence, np.ndarray]:
    """The evidence in a good part, and images of it and of parts of it.

    A short recording is looked at again without some per cent at either end. What the background shows at the lines is
    random, and a judge that has to decide between two states should not decide by one draw of it.

    Returns:
      (the evidence of the whole, images float32 [V, ...]).

    Raises:
      DataError: as `evidence_of`.
    """
    whole = evidence_of(recording, knowledge, fixed_speed=fixed_speed)
    images = [evidence_image(whole)]
    samples = recording.samples
    for first, end in VIEWS if whole.spectra.segments < ENOUGH_SEGMENTS else ():
        part = samples[int(first * len(samples)) : int(end * len(samples))]
        if len(part) / recording.sample_rate_hz * recording.speed_rpm / 60 >= MIN_TURNS:
            seen = dataclasses.replace(recording, samples=part, time_breaks=())
            images.append(evidence_image(evidence_of(seen, knowledge, fixed_speed=fixed_speed)))
    return whole, np.stack(images)


def hidden(geometry: BearingGeometry, knowledge: Knowledge) -> tuple[str, ...]:
    """A warning per fault whose order is that of a part that the user named: it cannot be seen."""
    return tuple(
        f'the order of the {name}, {order:.3f}, is that of a known part: this fault cannot be seen'
        for name, order in zip(FAULTS, fault_orders_of(geometry))
        if any(abs(known / order - 1) <= SAME_ORDER for known in knowledge.all_orders())
    )
