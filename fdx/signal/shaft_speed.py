"""Estimates the shaft's speed from a recording that comes without one, or refuses."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.signal.shaft_speed_doubts import SAME, Doubt, Evidence, first_doubt
from fdx.signal.shaft_speed_input import MAX_RANGE as MAX_RANGE
from fdx.signal.shaft_speed_input import check_range, usable_samples
from fdx.signal.shaft_speed_scores import (
    CAP,
    ENVELOPE_WEIGHT,
    REACH,
    Lines,
    comb,
    combs,
    grid_hz,
    lines_of,
    low_part,
    squared_envelope,
    vertex,
)
from fdx.types import DataError, Recording

# From a six-pole motor under load to a four-pole motor, at mains of 50 and 60 Hz.
DEFAULT_RANGE_RPM = (900.0, 2200.0)
# With 0.8 and 0.25, `estimate_speed_rpm` gives a wrong answer for five more of the recordings that it was measured on.
MIN_SCORE, MIN_CONFIDENCE = 1.2, 0.3
# Relative reach of a plateau of the score around its best candidate, and how far the score may fall on it.
PLATEAU, PLATEAU_DEPTH = 0.008, 0.05
# Number of candidates that messages list.
NUM_CANDIDATES = 4


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A speed that an estimate considered.

    Attributes:
      speed_rpm: the speed.
      score: how far its harmonics stand out, in nepers of power; an answer needs at least MIN_SCORE.
    """

    speed_rpm: float
    score: float

    def __str__(self) -> str:
        return f'{self.speed_rpm:.0f} rpm (score {self.score:.2f})'


@dataclasses.dataclass(frozen=True)
class SpeedEstimate:
    """A speed that stood out.

    Attributes:
      speed_rpm: of the shaft, the mean over the recording.
      confidence: 1 minus the ratio of the best other score to its own, from MIN_CONFIDENCE to 1.
      candidates: the speed itself, and the best others in the range with the highest score first.
    """

    speed_rpm: float
    confidence: float
    candidates: tuple[Candidate, ...] = ()

    def in_words(self) -> str:
        """One sentence for the user."""
        others = ', '.join(map(str, self.candidates[1:]))
        return (
            f"the shaft's speed was estimated as {self.speed_rpm:.0f} rpm with a confidence of {self.confidence:.2f}; "
            + (f'the next candidates: {others}' if others else 'there is no other candidate in the range')
        )


def estimate_speed(
    recording: Recording, low_rpm: float = DEFAULT_RANGE_RPM[0], high_rpm: float = DEFAULT_RANGE_RPM[1]
) -> SpeedEstimate:
    """`estimate_speed_rpm` of the longest part without a break in time, of a recording's first channel.

    Raises:
      ConfigError: as `estimate_speed_rpm`.
      DataError: as `estimate_speed_rpm`, with the recording's name.
    """
    parts = np.split(recording.samples[:, 0], sorted(recording.time_breaks))
    try:
        return estimate_speed_rpm(max(parts, key=len), recording.sample_rate_hz, low_rpm, high_rpm)
    except DataError as e:
        raise DataError(f'{recording.source or recording.recording}: {e}') from e


def estimate_speed_rpm(
    samples: np.ndarray,
    sample_rate_hz: float,
    low_rpm: float = DEFAULT_RANGE_RPM[0],
    high_rpm: float = DEFAULT_RANGE_RPM[1],
) -> SpeedEstimate:
    """The speed whose harmonics stand out of the spectrum at low frequencies and of the squared envelope's.

    Unbalance, misalignment and looseness shake a machine at 1, 2, 3 ... times the shaft's rate, and the load modulates
    impacts with it (Randall and Antoni, MSSP 25(2):485-520, 2011). A candidate's score is the mean log ratio of these
    harmonics to the local background, as Hinich's harmogram takes it ("Detecting a hidden periodic signal when its
    period is unknown", IEEE TASSP 30(5):747-750, 1982), without the strongest of them, since a single line is not a
    shaft. Lines at halves or thirds between the harmonics lower the score, because they belong to a slower shaft; half
    the true speed scores low, because every other harmonic is missing.

    The best speed is then checked for other explanations (fdx.signal.shaft_speed_doubts): hum of the mains, half orders
    and two lobes, a second shaft, a speed that changes. A speed can be distinguished from twice or half of it where
    half orders are quiet or the first harmonic is far above all others; otherwise the range must hold only one of them.

    Accuracy: thresholds were chosen on simulated machines and then checked on these recordings. With the default range,
    52 of CWRU's 62 drive-end recordings are answered, all within 0.5 %. In three draws of ranges of a factor of
    2.5 that hold the true speed at a random place, 30 to 39 are answered, with the same accuracy. Of MFPT's 14, 10 are
    answered (6 to 8 with drawn ranges), all within 1 % of the nominal 1500 rpm. Of ADI's 65 recordings of 2 s, 31 to 36
    are answered per axis, all within 3 % of a nominal speed that its machine does not keep exactly; of HIT's 21, 12 are
    answered, within 1.5 % of theirs. Of 108 recordings of the simulated rigs 16 are answered, all within 1 %. Of 620
    simulated machines of 31 kinds that no threshold was chosen on, 168 are answered and 8 of them wrongly: two of 20
      with a rub's third orders, as 5/3 of the speed, and one each of six kinds, with a second
    shaft, a belt or an inverter much louder than the shaft, or two lobes without a first harmonic. Without the doubts,
    296 were answered and 64 wrongly. None of the machines with half orders, blades of three and more, hum of 16.7, 50
    or 60 Hz, changing speeds, or noise was answered wrongly.

    The range must hold the true speed, otherwise every answer is wrong. With a range above the true speed, 1 of CWRU's
    62 was answered, and 2 with a range below it; of MFPT's 14, 4 and none; of ADI's 195, 11 and 13; of HIT's 21, 3 and
    1.

    Args:
      samples: [T] or [T, 1], two seconds or more; the longer, the better. One window of a dataset will not do.
      sample_rate_hz: its rate, ten times `high_rpm` / 60 or more.
      low_rpm: lowest speed that the machine can have.
      high_rpm: highest speed, at most 2.5 times the lowest.

    Returns:
      SpeedEstimate.

    Raises:
      ConfigError: a range that is empty or wider than MAX_RANGE.
      DataError: no one speed stands out, or a recording that is too short, too slow, not finite or of several channels.
    """
    check_range(low_rpm, high_rpm)
    x = usable_samples(samples, sample_rate_hz, low_rpm, high_rpm)
    evidence = _evidence(x, sample_rate_hz, low_rpm / 60, high_rpm / 60)
    shaft_hz, score = evidence.shaft_hz, evidence.score
    best = _top(evidence, int(score.argmax()))
    others = np.abs(np.log(shaft_hz / shaft_hz[best])) > SAME
    rival = max(float(score[others].max(initial=0.0)), 0.0)
    confidence = 1 - rival / float(score[best]) if score[best] > 0 else 0.0
    if score[best] < MIN_SCORE or confidence < MIN_CONFIDENCE:
        doubt: Doubt | None = Doubt(
            f'the best, {60 * shaft_hz[best]:.0f} rpm, has a score of {score[best]:.2f} ({MIN_SCORE:g} are needed) and '
            f'a confidence of {confidence:.2f} ({MIN_CONFIDENCE:g})'
        )
    else:
        doubt = first_doubt(evidence, float(shaft_hz[best]))
    if doubt is not None:
        listed = ', '.join(map(str, _candidates(evidence, doubt.others_hz))) or 'none'
        remedy = 'give `speed_rpm=NUMBER`'
        if doubt.range_tells:
            remedy += ', or with `low_rpm` and `high_rpm` a range that holds only the one that the machine can have'
        raise DataError(
            f'no speed between {low_rpm:g} and {high_rpm:g} rpm stands out of the recording: {doubt.reason}; '
            f'candidates: {listed}; {remedy}'
        )
    return SpeedEstimate(60 * _refined_hz(evidence, best), confidence, _candidates(evidence))


def _evidence(x: np.ndarray, sample_rate_hz: float, low_hz: float, high_hz: float) -> Evidence:
    """Everything that the decision depends on."""
    reach_hz = REACH * high_hz
    slow, slow_rate_hz = low_part(x, sample_rate_hz, reach_hz)
    levels = lines_of(slow, slow_rate_hz, cap=np.inf)
    vibration = Lines(levels.hz, np.minimum(levels.excess, CAP))
    envelope = lines_of(*low_part(*squared_envelope(x, sample_rate_hz), reach_hz))
    shaft_hz = grid_hz(low_hz, high_hz)
    score = combs(vibration, shaft_hz) + ENVELOPE_WEIGHT * np.maximum(comb(envelope, shaft_hz, 3), 0)
    return Evidence(shaft_hz, score, vibration, levels, envelope, slow, slow_rate_hz)


def _top(evidence: Evidence, best: int) -> int:
    """Index at which the lines are highest, on the plateau that CAP makes of a high score."""
    level = evidence.levels.at(np.outer(np.arange(1, 6), evidence.shaft_hz)).mean(axis=0)
    near = np.abs(np.log(evidence.shaft_hz / evidence.shaft_hz[best])) < PLATEAU
    return int(np.where(near & (evidence.score > evidence.score[best] - PLATEAU_DEPTH), level, -np.inf).argmax())


def _refined_hz(evidence: Evidence, best: int) -> float:
    """A candidate's frequency between the steps of the grid."""
    top = _top(evidence, best)
    return vertex(evidence.shaft_hz, evidence.levels.at(np.outer(np.arange(1, 6), evidence.shaft_hz)).mean(axis=0), top)


def _candidates(evidence: Evidence, more_hz: tuple[float, ...] = ()) -> tuple[Candidate, ...]:
    """The best speeds and those that a doubt names, the highest score first, each farther than SAME from others."""
    shaft_hz, left, found = evidence.shaft_hz, evidence.score.copy(), []
    for hz in more_hz:
        found.append(Candidate(60 * hz, float(np.interp(hz, shaft_hz, evidence.score))))
    while len(found) < NUM_CANDIDATES and left.max() > 0:
        best = int(left.argmax())
        left[np.abs(np.log(shaft_hz / shaft_hz[best])) <= SAME] = 0.0
        hz = _refined_hz(evidence, best)
        if all(abs(math.log(60 * hz / c.speed_rpm)) > 0.01 for c in found):
            found.append(Candidate(60 * hz, float(evidence.score[best])))
    return tuple(sorted(found, key=lambda c: -c.score))
