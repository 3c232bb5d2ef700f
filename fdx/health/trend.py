"""How the health of a machine develops: a smooth index with its uncertainty, and how fast it falls."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import scipy.signal
import scipy.stats

from fdx.types import ConfigError, DataError

# More points than this are joined to means of neighbours first: a figure shows no more.
MOST_POINTS = 1000
# Ratios of the level's own variance per median step to the variance of a reading that are tried.
RATIOS = np.exp(np.linspace(np.log(1e-5), np.log(1e2), 29))
FEWEST = 8
# Pairs of points grow with the square of their number.
MOST_OF_SLOPE = 300
DRAWS, SEED = 500, 0
HIGHEST_CORRELATION, WARM_UP = 0.95, 60
INTERVAL = 0.9
DAY_S = 86400.0


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


@dataclasses.dataclass(frozen=True)
class HealthIndex:
    """Health over time: 100 at the healthy level, 0 at the alarm limit, below 0 beyond it.

    Attributes:
      times_s: float64 [M].
      values: float64 [M].
      low, high: float64 [M], 90 % interval of the level that the index stands for.
    """

    times_s: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclasses.dataclass(frozen=True)
class Growth:
    """How fast a reading rises.

    Attributes:
      per_day: Theil and Sen's slope, in units of the reading per day.
      low, high: 90 % interval.
      points: how many readings it rests on.
    """

    per_day: float
    low: float
    high: float
    points: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes that nothing grows."""
        return self.low > 0 or self.high < 0


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
    t, y, counts = _joined(*_checked(times_s, values))
    if len(t) < 3 or y.std() == 0:
        spread = y.std(ddof=1) if len(y) > 1 else math.nan
        return Level(t, np.full(len(t), y.mean()), np.full(len(t), spread / math.sqrt(len(y))))
    gaps = np.diff(t)
    gaps = gaps / max(float(np.median(gaps)), 1e-9)
    # A gap of months is no hundred steps: a machine that stands does not wear.
    gaps = np.minimum(gaps, 100.0)
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


def health_index(times_s: np.ndarray, scores: np.ndarray, healthy: float, limit: float) -> HealthIndex:
    """The health index of a history of scores.

    Args:
      times_s: float [N], not falling.
      scores: float [N], finite; higher is worse. Scores that grow by factors are better given as logarithms.
      healthy: level of a healthy machine, e.g. the median of its scores.
      limit: of an alarm, above `healthy`.

    Raises:
      ConfigError: the limit is not above the healthy level.
      DataError: see `smooth_level`.
    """
    if not (math.isfinite(healthy) and math.isfinite(limit) and limit > healthy):
        raise ConfigError(f'`limit`={limit:g} must be above `healthy`={healthy:g}: it is where the index is 0')
    level = smooth_level(times_s, scores)
    reach = scipy.stats.norm.isf((1 - INTERVAL) / 2) * level.deviations

    def index(score: np.ndarray) -> np.ndarray:
        return 100 * (limit - score) / (limit - healthy)

    return HealthIndex(level.times_s, index(level.values), index(level.values + reach), index(level.values - reach))


def growth(times_s: np.ndarray, values: np.ndarray) -> Growth | None:
    """How fast readings rise, by the median of the slopes between all pairs.

    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63(324):1379-1389, 1968. The
    interval is that of a bootstrap of the residuals that keeps how much neighbours resemble each other (Buehlmann, "Sieve
    bootstrap for time series", Bernoulli 3(2):123-148, 1997, here of order one).

    Args:
      times_s: float [N], not falling.
      values: float [N], finite.

    Returns:
      None where fewer than eight readings, or no time, lie between the first and the last.

    Raises:
      DataError: see `smooth_level`.
    """
    t, y = _checked(times_s, values)
    if len(t) < FEWEST or t[-1] <= t[0]:
        return None
    lines = slopes(t, y)
    low, high = np.quantile(lines[:, 0], [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return Growth(*(DAY_S * v for v in (lines[0, 0], float(low), float(high))), points=len(y))


def slopes(times_s: np.ndarray, values: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """Straight lines through readings: float64 [1 + draws, 2] of (slope per second, value at the last time).

    The first row is the estimate and the others are bootstrap draws of it.

    Args:
      times_s: float [N], not all equal.
      values: float [N].
      draws: of the bootstrap.
    """
    t, y, _ = _joined(times_s, values, MOST_OF_SLOPE)
    t = t - t[-1]
    pairs = np.triu_indices(len(t), 1)
    apart = t[pairs[1]] - t[pairs[0]]
    kept = apart > 0
    first, second, apart = pairs[0][kept], pairs[1][kept], apart[kept]

    def line(values: np.ndarray) -> tuple[float, float]:
        slope = float(np.median((values[second] - values[first]) / apart))
        return slope, float(np.median(values - slope * t))

    slope, end = line(y)
    fitted = slope * t + end
    rest = y - fitted
    # Residuals of a fit are smaller than the noise; the factor is that of least squares.
    noise = _AutoRegressive(rest * math.sqrt(len(y) / max(len(y) - 2, 1)))
    rng = np.random.default_rng(SEED)
    drawn = [line(fitted + noise.draw(rng)) for _ in range(draws)]
    return np.array([(slope, end), *drawn])


class _AutoRegressive:
    """Noise whose neighbours resemble each other as those of residuals [N] do."""

    def __init__(self, rest: np.ndarray):
        n = len(rest)
        rest = rest - rest.mean()
        found = float(rest[1:] @ rest[:-1] / max(rest @ rest, 1e-300))
        # Residuals of a straight line look less alike than the noise was (Kendall, Biometrika 41(3/4):403-404, 1954).
        self._correlation = float(np.clip(found + (1 + 4 * max(found, 0.0)) / n, 0.0, HIGHEST_CORRELATION))
        new = rest[1:] - self._correlation * rest[:-1]
        self._new = (new - new.mean()) * math.sqrt(
            (rest @ rest / n) * (1 - self._correlation**2) / max(new.var(), 1e-300)
        )
        self._count = n

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Float64 [N]; the first ones, which start from 0, are thrown away."""
        new = rng.choice(self._new, self._count + WARM_UP)
        return scipy.signal.lfilter([1.0], [1.0, -self._correlation], new)[WARM_UP:]


def _checked(times_s: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t, y = np.asarray(times_s, np.float64), np.asarray(values, np.float64)
    if t.ndim != 1 or t.shape != y.shape or not len(t):
        raise DataError(f'times of shape {t.shape} and values of shape {y.shape}: one of each per recording is needed')
    if not (np.isfinite(t).all() and np.isfinite(y).all()) or (np.diff(t) < 0).any():
        raise DataError('times and values must be finite, and the times must not fall: sort the recordings')
    return t, y


def _joined(t: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of neighbours where there are more than `most` points, and how many each mean has."""
    if len(t) <= most:
        return t, y, np.ones(len(t))
    edges = np.linspace(0, len(t), most + 1).astype(int)
    counts = np.diff(edges).astype(float)
    return np.add.reduceat(t, edges[:-1]) / counts, np.add.reduceat(y, edges[:-1]) / counts, counts
