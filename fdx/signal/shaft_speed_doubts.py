"""Reasons to doubt the speed whose harmonics stand out most: other explanations that are about as good.

Each function looks at one other explanation and returns a Doubt or None. All thresholds were chosen on simulated
machines (tests/signal/simulated_machines.py) to avoid wrong answers. Real recordings then showed how many right answers
they cost; `fdx.signal.shaft_speed` gives the numbers.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal.shaft_speed_scores import Lines, combs, lines_of, without_shaft

# Candidates that are closer than this, relatively, are the same.
SAME = 0.03
# Frequencies of the mains and their hum: 16 2/3 and 16.7 Hz of railways, and multiples of 50 and 60 Hz.
RAILWAY_HZ = (16.58, 16.79)
MAINS_HZ = (50.0, 60.0)
MAINS_MULTIPLES_HZ = (50.0, 60.0, 100.0, 120.0)
# A second shaft: its comb over the background and relative to the best's, and how much weaker (e^3 in power) it may be.
RIVAL_COMB, RIVAL_RATIO, RIVAL_LEVEL, RIVAL_STRONG = 0.9, 0.42, 3.0, 2.0
# A second shaft within SAME or a little more: its distances, and how much weaker its lines may be. Below: how far its
# lines must stand out, and how far two lines must.
NEAR, NEAR_END, NEAR_STEP, NEAR_LEVEL = 0.012, 0.05, 2.5e-4, 2.5
NEAR_LINE, NEAR_LINE_OF_TWO = 1.8, 2.8
# Parts of a recording and the share of the usual lines that each must hold.
PART_S, MAX_PARTS, PART_LINES, PART_SHARE = 0.6, 8, 0.9, 0.45
DRIFT, DRIFT_GAIN, DRIFT_LINES = 0.009, 0.5, 1.6
# Lines halfway between harmonics do not count below these limits: the strongest, and the sum of three.
HALF_LINE, HALF_SUM = 1.5, 2.0
# The first harmonic over all others (e^2.3 is 10 dB) where twice the speed would be in the range, too.
FIRST_OVER_OTHERS = 2.3
LINE, ENVELOPE_LINE, LEAST_LINES = 1.3, 2.0, 3


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Everything that the decision about a speed depends on.

    Attributes:
      shaft_hz: candidates [N].
      score: score of each candidate, [N].
      vibration: lines at low frequencies.
      levels: the same lines without a cap.
      envelope: lines of the squared envelope.
      slow: the low frequencies as samples [T'].
      slow_rate_hz: their rate.
    """

    shaft_hz: np.ndarray
    score: np.ndarray
    vibration: Lines
    levels: Lines
    envelope: Lines
    slow: np.ndarray
    slow_rate_hz: float


@dataclasses.dataclass(frozen=True)
class Doubt:
    """Why a speed is not certain.

    Attributes:
      reason: the reason in words.
      others_hz: other speeds that explain the lines, too.
      range_tells: whether a range that holds only one of them would decide.
    """

    reason: str
    others_hz: tuple[float, ...] = ()
    range_tells: bool = False


def first_doubt(evidence: Evidence, best_hz: float) -> Doubt | None:
    """The first reason to doubt a speed, or None."""
    for look in (_mains, _few_lines, _half_or_double, _unsteady, _second_shaft, _near_shaft):
        doubt = look(evidence, best_hz)
        if doubt is not None:
            return doubt
    return None


def _mains(evidence: Evidence, best_hz: float) -> Doubt | None:
    """Hum of the mains is a perfect comb, but not a shaft."""
    if RAILWAY_HZ[0] < best_hz < RAILWAY_HZ[1]:
        return Doubt(f"{60 * best_hz:.0f} rpm are the {best_hz:.2f} Hz of a railway's mains, too")
    if any(abs(best_hz / hz - 1) < 0.0025 for hz in MAINS_MULTIPLES_HZ):
        return Doubt(f'{60 * best_hz:.0f} rpm are {best_hz:.1f} Hz, which the mains make, too')
    if any(abs(best_hz / (hz / 2) - 1) < 0.004 for hz in MAINS_HZ):
        # Even harmonics may come from the mains, so two of the odd ones must be there.
        odd = best_hz * np.array([1, 3, 5])
        if max(np.sort(lines.at(odd))[1] for lines in (evidence.vibration, evidence.envelope)) < 1.5:
            return Doubt(f'most lines of {60 * best_hz:.0f} rpm are those of mains of {2 * best_hz:.1f} Hz')
    return None


def _few_lines(evidence: Evidence, best_hz: float) -> Doubt | None:
    """Doubts a speed with few lines, since any two lines are often in a ratio of small numbers."""
    orders = best_hz * np.arange(1, 6)
    seen = int(((evidence.vibration.at(orders) > LINE) | (evidence.envelope.at(orders) > ENVELOPE_LINE)).sum())
    if seen >= LEAST_LINES:
        return None
    return Doubt(f'only {seen} of the first five harmonics of {60 * best_hz:.0f} rpm stand out')


def _half_or_double(evidence: Evidence, best_hz: float) -> Doubt | None:
    """Half orders of a loose machine look like a shaft of half the speed, two lobes like one of twice the speed."""
    low_hz, high_hz = evidence.shaft_hz[[0, -1]]
    halfway = evidence.levels.at(best_hz * np.array([0.5, 1.5, 2.5]))
    if best_hz / 2 > low_hz / 1.01 and (halfway.max() > HALF_LINE or halfway.sum() > HALF_SUM):
        return Doubt(f'there are lines at half orders of {60 * best_hz:.0f} rpm', (best_hz / 2,), True)
    if best_hz * 2 < high_hz * 1.01:
        level = evidence.levels.at(best_hz * np.arange(1, 6))
        # A real shaft has a strong first harmonic and falling others; half orders of a faster shaft alternate.
        if (
            level[0] < level[1:].max() + FIRST_OVER_OTHERS
            or level[2] > level[1] + 1
            or max(level[2], level[4]) < 1.5  # one line at half the speed, of a belt or a whirl
        ):
            return Doubt(
                f'lines of {60 * best_hz:.0f} rpm may be half orders of twice the speed, as loose machines, belts and '
                'four-stroke engines make them',
                (best_hz * 2,),
                True,
            )
    return None


def _part_scores(part: np.ndarray, rate_hz: float, shaft_hz: np.ndarray) -> np.ndarray:
    """Mean of the first five harmonics without the strongest, in a part of the recording: [N]."""
    on = lines_of(part, rate_hz, padding=4).at(np.outer(np.arange(1, 6), shaft_hz))
    return (on.sum(axis=0) - on.max(axis=0)) / 4


def _unsteady(evidence: Evidence, best_hz: float) -> Doubt | None:
    """Doubts a speed that is not present all the time, or that changes."""
    x, rate_hz = evidence.slow, evidence.slow_rate_hz
    around = best_hz * np.exp(np.arange(-0.01, 0.0101, 1e-3))
    count = max(2, min(MAX_PARTS, int(len(x) / rate_hz / PART_S)))
    parts = np.array([_part_scores(part, rate_hz, around).max() for part in np.array_split(x, count)])
    usual = float(np.median(parts))
    if usual > PART_LINES and parts.min() < PART_SHARE * usual:
        return Doubt(f'the lines of {60 * best_hz:.0f} rpm are not there all the time')
    ratios = np.exp(np.arange(-0.06, 0.0601, 1e-3))
    for part in np.array_split(x, 3):
        score = _part_scores(part, rate_hz, best_hz * ratios)
        best = int(score.argmax())
        # Noise alone reaches 1.2 somewhere. Where the envelope shows the speed, there may be no lines here.
        gain = score[best] - score[len(ratios) // 2]
        if abs(ratios[best] - 1) > DRIFT and gain > DRIFT_GAIN and score[best] > DRIFT_LINES:
            other_hz = float(best_hz * ratios[best])
            return Doubt(f'the speed is not steady: part of the recording has {60 * other_hz:.0f} rpm', (other_hz,))
    return None


def _second_shaft(evidence: Evidence, best_hz: float) -> Doubt | None:
    """Doubts a speed beside a comb of lines that are not its own: another shaft, a belt, a whirl or hum."""
    shaft_hz = evidence.shaft_hz
    rest = without_shaft(evidence.vibration, best_hz)
    rivals = np.where(np.abs(np.log(shaft_hz / best_hz)) > SAME, combs(rest, shaft_hz), -np.inf)
    rival_hz, rival = float(shaft_hz[rivals.argmax()]), float(rivals.max())
    own = float(combs(without_shaft(evidence.vibration, rival_hz), np.array([best_hz]))[0])
    if rival < RIVAL_COMB or rival < RIVAL_RATIO * max(own, 0.1):
        return None
    # Levels without a cap, because a saturated comb may be far above the other.
    theirs = evidence.levels.at(rival_hz * np.arange(1, 6))[np.isfinite(rest.at(rival_hz * np.arange(1, 6)))][:4]
    ours = evidence.levels.at(best_hz * np.arange(1, 5))
    weaker = np.sort(ours)[1:].mean() - np.sort(theirs)[1:].mean()
    if weaker > RIVAL_LEVEL and rival < RIVAL_STRONG:
        return None
    return Doubt(f'{60 * rival_hz:.0f} rpm have lines of their own beside those of {60 * best_hz:.0f}', (rival_hz,))


def _near_shaft(evidence: Evidence, best_hz: float) -> Doubt | None:
    """Doubts a speed with a second set of lines close by, as two motors of one kind make it."""
    seconds = min(len(evidence.slow) / evidence.slow_rate_hz, 10.0)
    fine = lines_of(evidence.slow, evidence.slow_rate_hz, seconds, cap=np.inf)
    far = np.arange(NEAR, NEAR_END, NEAR_STEP)
    near_hz = best_hz * np.concatenate([1 - far[::-1], 1 + far])
    # The mains divided by a motor's pole pairs are not a second shaft: the motor's slip is a few percent.
    mains = [np.abs(near_hz * pairs / hz - 1) < 0.004 for pairs in (1, 2, 3) for hz in MAINS_HZ]
    stands_out, level = [], []
    for k in range(1, min(8, int(fine.hz[-1] / best_hz / (1 + NEAR_END))) + 1):
        own = fine.at(k * best_hz + np.linspace(-1, 1, 9) / seconds).max()
        there = fine.at(k * near_hz)
        there[np.abs(k * (near_hz - best_hz)) <= 2 / seconds + 0.002 * k * best_hz] = np.nan
        if np.isfinite(there).sum() > 4:
            stands_out.append(there - np.nanmedian(there))
            level.append(there - own)
        else:
            stands_out.append(np.full(len(near_hz), np.nan))
            level.append(np.full(len(near_hz), np.nan))
    for harmonics in (3, 5, 8):
        lines = np.array(stands_out[:harmonics])
        count = np.isfinite(lines).sum(axis=0)
        lines = np.nan_to_num(lines)
        mean = (lines.sum(axis=0) - np.where(count > 2, lines.max(axis=0), 0)) / np.maximum(count - (count > 2), 1)
        weaker = np.nan_to_num(level[:harmonics]).sum(axis=0) / np.maximum(count, 1) < -NEAR_LEVEL
        needed = np.where(count > 2, NEAR_LINE, NEAR_LINE_OF_TWO / 0.8)
        over = np.where((count < 2) | weaker | np.any(mains, axis=0), -np.inf, mean - needed)
        if over.max() > 0:
            other_hz = float(near_hz[over.argmax()])
            return Doubt(
                f'{60 * other_hz:.0f} rpm, close by, have lines of their own beside those of {60 * best_hz:.0f}',
                (other_hz,),
            )
    return None
