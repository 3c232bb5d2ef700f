"""How the health of a machine develops: a smooth index with its uncertainty, and how fast it falls."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.health.level import checked_series, joined, smooth_level
from fdx.types import ConfigError

FEWEST = 8
# Pairs of points grow with the square of their number.
MOST_OF_SLOPE = 300
DRAWS, SEED = 300, 0
HIGHEST_CORRELATION, WARM_UP = 0.95, 60
INTERVAL = 0.9
DAY_S = 86400.0


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
    interval is that of a bootstrap of the residuals that keeps how much neighbours resemble each other (Buehlmann,
    "Sieve bootstrap for time series", Bernoulli 3(2):123-148, 1997, here of order one).

    Args:
      times_s: float [N], not falling.
      values: float [N], finite.

    Returns:
      None where fewer than eight readings, or no time, lie between the first and the last.

    Raises:
      DataError: see `smooth_level`.
    """
    t, y = checked_series(times_s, values)
    if len(t) < FEWEST or t[-1] <= t[0]:
        return None
    lines = slopes(t, y)
    low, high = np.quantile(lines[:, 0], [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return Growth(DAY_S * float(lines[0, 0]), DAY_S * float(low), DAY_S * float(high), len(y))


def slopes(times_s: np.ndarray, values: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """Straight lines through readings: float64 [1 + draws, 2] of (slope per second, value at the last time).

    The first row is the estimate and the others are bootstrap draws of it.

    Args:
      times_s: float [N], not all equal.
      values: float [N].
      draws: of the bootstrap.
    """
    t, y, _ = joined(times_s, values, MOST_OF_SLOPE)
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
