"""The course of a speed that brings the lines of a recording's segments on top of each other.

Nobody needs to know which lines these are: the sharpest mean of the shifted segments tells the course. Several first
guesses (ramps, the shaft's harmonics, the lines of a few neighbouring segments) are each improved in turns: the mean of
the segments shows the lines, and the best course through the segments for these lines (Viterbi, IEEE TIT
13(2):260-269, 1967; for speeds: Schmidt, Heyns and de Villiers, MSSP 100:397-411, 2018) shifts them anew.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.fft

from fdx.signal.speed_picture import LOWEST_ORDER, REACH, TICK, Picture

STATES = 2 * REACH + 1
# Largest step from segment to segment, in ticks, and what a step costs per tick squared, in standard deviations.
LARGEST_STEP, STEP_COST = 12, 0.02
ROUNDS = 3
# A line counts from so many standard deviations of the mean on.
LINE = 1.5
# Relative changes over the recording that are tried as ramps; segments on either side of a local guess, and its slopes.
RAMPS = np.linspace(-0.36, 0.36, 73)
LOCAL, SLOPES = 2, range(-10, 11)
SHAFT_HARMONICS, HARMONIC_WIDTH = 8, 0.06
# Courses whose distance is less than this, in ticks (mean square root), are the same.
SAME = 3.0
# Of second differences, against the scatter of single segments.
SMOOTHING = 0.3


@dataclasses.dataclass(frozen=True)
class Course:
    """A course of the speed.

    Attributes:
      shifts: float64 [segments], ticks relative to the mean.
      contrast: of the mean of the shifted segments' lines, in variances of what noise leaves there; white noise reaches
        about 0.75 by the best of all courses.
      agreeing: how many of the first guesses led to this course.
      guesses: how many there were.
    """

    shifts: np.ndarray
    contrast: float
    agreeing: int
    guesses: int


def contrast(picture: Picture, shifts: np.ndarray) -> float:
    """Mean square of what stands out of the mean of the shifted segments, in variances of a mean of noise."""
    return _contrast_and_lines(picture, shifts)[0]


def find_course(picture: Picture) -> Course:
    """The course of the sharpest mean, of a picture without the lines that stay in place."""
    count = picture.excess.shape[1]
    time = (picture.middles_s - picture.middles_s.mean()) / np.ptp(picture.middles_s)
    ramps = [np.rint(np.log1p(a * time) / TICK).astype(int) for a in RAMPS]
    guesses = [ramps[int(np.argmax([contrast(picture, ramp) for ramp in ramps]))]]
    guesses.append(_best_course(_scores(picture, _shaft_lines(picture))))
    guesses += [_local_guess(picture, middle) for middle in (count // 4, count // 2, 3 * count // 4)]
    courses = [_improved(picture, guess) for guess in guesses]
    contrasts = [contrast(picture, course) for course in courses]
    best = courses[int(np.argmax(contrasts))]
    distances = [np.sqrt(np.mean((course - best) ** 2.0)) for course in courses]
    return Course(refined(picture, best), max(contrasts), sum(d < SAME for d in distances), len(guesses))


def _contrast_and_lines(picture: Picture, shifts: np.ndarray) -> tuple[float, np.ndarray]:
    """The contrast, and float32 [channels, orders] what stands out of the mean."""
    mean = picture.aligned(shifts)
    mean -= np.average(mean, axis=1, weights=picture.weights)[:, None]
    noise = float(picture.excess.var()) / len(shifts) + 1e-12
    out = np.maximum(mean, 0)
    power = float((picture.weights * out**2).sum() / (picture.weights.sum() * len(mean)))
    return power / noise, np.maximum(mean - LINE * np.sqrt(noise), 0)


def _scores(picture: Picture, lines: np.ndarray) -> np.ndarray:
    """How well each segment fits lines [channels, orders] at each shift, in standard deviations: [segments, STATES]."""
    length = scipy.fft.next_fast_len(picture.excess.shape[2], real=True)
    weighted = (lines * picture.weights).astype(np.float32)
    segments = scipy.fft.rfft(picture.excess, length, axis=2)
    product = (segments * np.conj(scipy.fft.rfft(weighted, length, axis=1))[:, None]).sum(axis=0)
    scores = scipy.fft.irfft(product, length, axis=1)[:, :STATES]
    return scores / (np.sqrt((weighted**2).sum() * picture.excess.var()) + 1e-9)


def _best_course(scores: np.ndarray) -> np.ndarray:
    """Shifts [segments] of mean 0 with the highest sum of scores minus the cost of steps."""
    steps = np.arange(-LARGEST_STEP, LARGEST_STEP + 1)
    states = np.arange(STATES)
    came_from = np.zeros(scores.shape, np.int64)
    total = scores[0]
    for i in range(1, len(scores)):
        padded = np.pad(total, LARGEST_STEP, constant_values=-np.inf)
        reached = np.lib.stride_tricks.sliding_window_view(padded, len(steps)) - STEP_COST * steps**2
        best = reached.argmax(axis=1)
        came_from[i] = states + best - LARGEST_STEP
        total = scores[i] + reached[states, best]
    course = np.empty(len(scores), np.int64)
    course[-1] = total.argmax()
    for i in range(len(scores) - 1, 0, -1):
        course[i - 1] = came_from[i, course[i]]
    return np.clip(course - round(float(course.mean())), -REACH, REACH)


def _improved(picture: Picture, shifts: np.ndarray) -> np.ndarray:
    """The course after ROUNDS of lines from the course and a course from the lines."""
    for _ in range(ROUNDS):
        shifts = _best_course(_scores(picture, _contrast_and_lines(picture, shifts)[1]))
    return shifts


def _shaft_lines(picture: Picture) -> np.ndarray:
    """Lines at the shaft's harmonics, [channels, orders]."""
    orders = LOWEST_ORDER * np.exp(np.arange(len(picture.weights)) * TICK)
    distance = orders[:, None] - np.arange(1, SHAFT_HARMONICS + 1)
    lines = np.exp(-0.5 * (distance / HARMONIC_WIDTH) ** 2).sum(axis=1)
    lines -= np.average(lines, weights=picture.weights)
    return np.tile(lines, (len(picture.excess), 1))


def _local_guess(picture: Picture, middle: int) -> np.ndarray:
    """The best course for the lines of a few segments, in which the speed is taken to change evenly."""
    low, high = max(0, middle - LOCAL), min(picture.excess.shape[1], middle + LOCAL + 1)
    few = dataclasses.replace(picture, excess=picture.excess[:, low:high], middles_s=picture.middles_s[low:high])
    found = [_contrast_and_lines(few, slope * np.arange(low - middle, high - middle)) for slope in SLOPES]
    return _best_course(_scores(picture, max(found, key=lambda f: f[0])[1]))


def refined(picture: Picture, shifts: np.ndarray) -> np.ndarray:
    """A course in whole ticks, refined in between and smoothed: float64 [segments], of mean 0 and within REACH.

    Taking the mean off can move a course out of the picture, beyond which there is nothing to compare: it is cut there.
    """
    scores = _scores(picture, _contrast_and_lines(picture, shifts)[1])
    segments = np.arange(len(shifts))
    # The lines' mean has moved by what the rounding of the mean left, so the top is looked for again.
    near = np.clip(shifts[:, None] + np.arange(-2, 3), -REACH + 1, REACH - 1) + REACH
    top = near[segments, scores[segments[:, None], near].argmax(axis=1)]
    left, middle, right = (scores[segments, top + k] for k in (-1, 0, 1))
    curvature = np.minimum(left - 2 * middle + right, -1e-6)
    fine = top - REACH + np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)
    fine = _smooth(fine, np.maximum(-curvature, 1e-3))
    return np.clip(fine - fine.mean(), -REACH, REACH)


def _smooth(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Whittaker's smoother of second differences: float64 [segments] (Eilers, Anal. Chem. 75(14):3631-3636, 2003)."""
    second = np.diff(np.eye(len(values)), n=2, axis=0)
    weights = weights / weights.mean()
    return np.linalg.solve(np.diag(weights) + SMOOTHING * second.T @ second, weights * values)
