"""The level beneath noisy readings, with its uncertainty."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.types import DataError

# More points than this are joined to means of neighbours first: a figure shows no more.
MOST_POINTS = 1000
# Ratios of the level's own variance per median step to the variance of a reading that are tried.
RATIOS = np.exp(np.linspace(np.log(1e-5), np.log(1e2), 29))
# A gap of months is no hundred steps: a machine that stands does not wear.
LONGEST_GAP = 100.0


@dataclasses.dataclass(frozen=True)
class Level:
    """A smooth level of readings.

    Attributes:
      times_s: float64 [M], M <= MOST_POINTS.
      values: float64 [M], the level.
      deviations: float64 [M], its standard deviation; of the level, not of a reading.
    """

    times_s: np.ndarray
    values: np.ndarray
    deviations: np.ndarray


def smooth_level(times_s: np.ndarray, values: np.ndarray) -> Level:
    """The level beneath noisy readings, as a random walk that is estimated by Kalman's smoother.

    The local level model of Durbin and Koopman, "Time Series Analysis by State Space Methods" (2nd ed., 2012, chapter
    2): a reading is the level plus noise, and the level moves by independent steps whose variance grows with the time
    between readings. Both variances are those of the greatest likelihood.

    Args:
      times_s: float [N], not falling.
      values: float [N], finite.

    Raises:
      DataError: no reading, times that fall, or values that are not finite.
    """
    t, y, counts = joined(*checked_series(times_s, values))
    if len(t) < 3 or y.std() == 0:
        spread = y.std(ddof=1) if len(y) > 1 else math.nan
        return Level(t, np.full(len(t), y.mean()), np.full(len(t), spread / math.sqrt(len(y))))
    gaps = np.diff(t)
    gaps = gaps / max(float(np.median(gaps)), 1e-9)
    gaps = np.minimum(gaps, LONGEST_GAP)
    fits = [_filtered(y, counts, gaps, ratio) for ratio in RATIOS]
    best = min(fits, key=lambda fit: fit[0])
    return Level(t, *_smoothed(*best[1:]))


def _filtered(y: np.ndarray, counts: np.ndarray, gaps: np.ndarray, ratio: float):
    """(minus twice the log likelihood, predicted and filtered means and variances, scale), variances over `scale`."""
    n = len(y)
    predicted, filtered, p_var, f_var = (np.empty(n) for _ in range(4))
    predicted[0] = filtered[0] = y[0]
    p_var[0] = f_var[0] = 1 / counts[0]
    total = log_det = 0.0
    for i in range(1, n):
        predicted[i], p_var[i] = filtered[i - 1], f_var[i - 1] + ratio * gaps[i - 1]
        expected = p_var[i] + 1 / counts[i]
        error = y[i] - predicted[i]
        gain = p_var[i] / expected
        filtered[i], f_var[i] = predicted[i] + gain * error, p_var[i] * (1 - gain)
        total += error * error / expected
        log_det += math.log(expected)
    scale = max(total / (n - 1), 1e-30)
    return (n - 1) * math.log(scale) + log_det, predicted, filtered, p_var, f_var, scale


def _smoothed(predicted, filtered, p_var, f_var, scale) -> tuple[np.ndarray, np.ndarray]:
    mean, var = filtered.copy(), f_var.copy()
    for i in range(len(mean) - 2, -1, -1):
        gain = f_var[i] / p_var[i + 1]
        mean[i] += gain * (mean[i + 1] - predicted[i + 1])
        var[i] += gain**2 * (var[i + 1] - p_var[i + 1])
    return mean, np.sqrt(scale * np.maximum(var, 0))


def checked_series(times_s: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times and values as float64 [N]; DataError where they are no series."""
    t, y = np.asarray(times_s, np.float64), np.asarray(values, np.float64)
    if t.ndim != 1 or t.shape != y.shape or not len(t):
        raise DataError(f'times of shape {t.shape} and values of shape {y.shape}: one of each per recording is needed')
    if not (np.isfinite(t).all() and np.isfinite(y).all()) or (np.diff(t) < 0).any():
        raise DataError('times and values must be finite, and the times must not fall: sort the recordings')
    return t, y


def joined(t: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of neighbours where there are more than `most` points, and how many each mean has."""
    if len(t) <= most:
        return t, y, np.ones(len(t))
    edges = np.linspace(0, len(t), most + 1).astype(int)
    counts = np.diff(edges).astype(float)
    return np.add.reduceat(t, edges[:-1]) / counts, np.add.reduceat(y, edges[:-1]) / counts, counts
