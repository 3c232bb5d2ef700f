"""Whether a verdict depends on a speed that the recording does not settle.

The check of the stated speed (fdx.signal.speed_check) looks for the shaft's harmonics and for the lines of one fault.
On a machine whose shaft leaves no lines, lines of something else can look like a fault at another speed. So lines at
whole orders of the stated speed are no reason to give that speed up, and where another speed fits as well as the one
that was used, both must give the same verdict.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.predict.evidence_of import Knowledge, evidence_samples, views_of
from fdx.signal.fault_evidence import FaultEvidence
from fdx.signal.speed_check import CheckedSpeed, check_speed
from fdx.types import Recording

# Two speeds whose scores differ by less (in nepers) are equally likely.
TIE = 0.3


def settled_views(part: Recording, knowledge: Knowledge) -> tuple[FaultEvidence, np.ndarray, tuple[str, ...]]:
    """The evidence in a good part and images of it, at the stated speed if only its own whole orders speak against it.

    Args:
      part: samples [T, 1], speed and geometry set.
      knowledge: what else turns in the machine.

    Returns:
      (evidence, images [V, ...], notes: a sentence where the stated speed was kept).

    Raises:
      DataError: as `evidence_of`.
    """
    evidence, images = views_of(part, knowledge)
    if not evidence.speed.corrected:
        return evidence, images, ()
    strict = strict_speed(part, evidence)
    if strict.corrected:
        return evidence, images, ()
    kept = dataclasses.replace(part, speed_rpm=strict.speed_rpm)
    found, images = views_of(kept, knowledge, fixed_speed=True)
    speed = dataclasses.replace(strict, stated_rpm=part.speed_rpm)
    words = (
        f'lines that would fit {evidence.speed.speed_rpm:.1f} rpm lie at whole orders of the stated speed, as those of '
        f'vanes, blades or gears do: {part.speed_rpm:g} rpm was kept'
    )
    return dataclasses.replace(found, speed=speed), images, (words,)


def strict_speed(part: Recording, evidence: FaultEvidence) -> CheckedSpeed:
    """The check of the speed in which lines at whole orders of the stated speed are not those of a fault."""
    return check_speed(
        evidence_samples(part),
        part.sample_rate_hz,
        part.speed_rpm,
        evidence.geometry,
        evidence.spectra,
        trusts_whole_orders=True,
    )


def rival_speed(part: Recording, evidence: FaultEvidence) -> float | None:
    """Another speed, in rpm, that fits a good part as well as the one that was used; None where none does."""

    def fits(speed: CheckedSpeed) -> bool:
        return speed.score - speed.rival_score <= TIE and speed.rival_score > 0

    if not fits(evidence.speed):
        return None
    if evidence.speed.corrected:
        return evidence.speed.rival_rpm
    # Lines at whole orders of the speed that is stated and used are not those of a fault at another one.
    strict = strict_speed(part, evidence)
    return strict.rival_rpm if fits(strict) or strict.corrected else None
