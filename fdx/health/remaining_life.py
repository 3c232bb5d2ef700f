"""When a reading that grows will reach a limit: an extrapolation with an interval, or why it cannot be said.

The future is not in the data. A straight line and an exponential are both continued, from all readings since the onset
and from the latter half of them, because nobody knows which growth it is; the interval reaches from the soonest to the
latest of those that fit (for the many models in use see Lei et al., "Machinery health prognostics: a systematic
review", MSSP 104:799-834, 2018). A bearing may also fail by a jump, which no growth announces; some of PRONOSTIA's do.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.health.level import checked_series
from fdx.health.trend import DAY_S, FEWEST, INTERVAL, slopes
from fdx.types import ConfigError

# Farther than this many times the observed growth, a continuation is a guess.
FARTHEST = 3.0
# At least so many draws of a model must reach the limit for an interval with two ends.
SURE = 0.95
# A model that fits worse than the other by more than this factor is not continued.
WORSE = 1.25
NO_PROMISE = 'It is no promise: a bearing may also fail by a jump that no growth announces.'


@dataclasses.dataclass(frozen=True)
class RemainingLife:
    """The time until a limit, from the last reading on; an extrapolation.

    Attributes:
      median_days: None where nothing can be said, or only a lower end.
      low_days: lower end of the 90 % interval; None where nothing can be said.
      high_days: upper end; None where it is open.
      reason: why there is no interval or no upper end; ''.
    """

    median_days: float | None
    low_days: float | None
    high_days: float | None
    reason: str = ''

    def words(self) -> str:
        """One or two sentences; never without the warning that it is an extrapolation."""
        if self.low_days is None:
            return f'The remaining life cannot be said: {self.reason}.'
        if self.low_days == 0 and self.high_days == 0:
            return 'The limit is reached.'
        if self.high_days is None:
            return (
                f'Extrapolated: if the growth goes on as it did, the limit is not reached within '
                f'{_time(self.low_days)}. Until when cannot be said: {self.reason}. {NO_PROMISE}'
            )
        return (
            f'Extrapolated: if the growth goes on as it did, the limit is reached in {_time(self.low_days)} to '
            f'{_time(self.high_days)} (90 % interval, median {_time(self.median_days or 0.0)}). {NO_PROMISE}'
        )


def remaining_life(times_s: np.ndarray, values: np.ndarray, limit: float) -> RemainingLife:
    """Continues the growth of readings to a limit.

    Args:
      times_s: float [N], since the onset of the growth (`fdx.health.change_point`), not falling.
      values: float [N], readings; higher is worse.
      limit: of the reading.

    Raises:
      ConfigError: a limit that is not finite.
      DataError: see `fdx.health.level.smooth_level`.
    """
    if not math.isfinite(limit):
        raise ConfigError(f'`limit`={limit}: a finite number, in the unit of the readings')
    t, y = checked_series(times_s, values)
    if len(y) >= 3 and float(np.median(y[-3:])) >= limit:
        return RemainingLife(0.0, 0.0, 0.0)
    if len(y) < FEWEST or t[-1] <= t[0]:
        return _unknown(f'{len(y)} readings since the onset are too few, {FEWEST} are needed')
    span = t[-1] - t[0]
    times = [reach for part in _parts(t, y) for reach in _continued(*part, limit)]
    if not math.isfinite(times[0][0]):
        return _unknown('the readings do not grow')
    low = min(float(np.quantile(reach, (1 - INTERVAL) / 2, method='lower')) for reach in times)
    high = max(float(np.quantile(reach, (1 + INTERVAL) / 2, method='lower')) for reach in times)
    median = float(np.quantile(np.concatenate(times), 0.5, method='lower'))
    if any(np.isfinite(reach).mean() < SURE for reach in times):
        return _lower_end(low, span, 'the growth is not clear of the scatter of the readings')
    if high > FARTHEST * span:
        return _lower_end(low, span, f'it would lie farther away than {FARTHEST:g} times the growth that was seen')
    return RemainingLife(median / DAY_S, low / DAY_S, high / DAY_S)


def _parts(t: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """All readings, and the latter half of them where it is long enough."""
    half = len(t) // 2
    late = len(t) - half >= FEWEST and t[-1] > t[half]
    return [(t, y), *([(t[half:], y[half:])] if late else [])]


def _continued(t: np.ndarray, y: np.ndarray, limit: float) -> list[np.ndarray]:
    """Draws of the time until the limit, of a straight line and an exponential, without one that clearly fits worse."""
    lines = slopes(t, y)
    found = [(_misfit(y, _line(lines, t)), _times_to(lines, limit))]
    if (y > 0).all() and limit > 0:
        lines = slopes(t, np.log(y))
        found.append((_misfit(y, np.exp(_line(lines, t))), _times_to(lines, math.log(limit))))
    least = min(misfit for misfit, _ in found)
    return [times for misfit, times in found if misfit <= WORSE * least]


def _line(lines: np.ndarray, t: np.ndarray) -> np.ndarray:
    return lines[0, 1] + lines[0, 0] * (t - t[-1])


def _misfit(y: np.ndarray, fitted: np.ndarray) -> float:
    return float(np.abs(y - fitted).mean()) + 1e-300


def _times_to(lines: np.ndarray, limit: float) -> np.ndarray:
    """Seconds until lines reach a limit, 0 where they have, infinite where they never do."""
    slope, end = lines[:, 0], lines[:, 1]
    with np.errstate(divide='ignore', invalid='ignore'):
        reach = np.where(slope > 0, (limit - end) / slope, np.inf)
    return np.maximum(reach, 0.0)


def _lower_end(low_s: float, span_s: float, reason: str) -> RemainingLife:
    """Only when at the soonest, and no farther than what can be seen."""
    return RemainingLife(None, min(low_s, FARTHEST * span_s) / DAY_S, None, reason)


def _unknown(reason: str) -> RemainingLife:
    return RemainingLife(None, None, None, reason)


def _time(days: float) -> str:
    """'3 hours', '12 days', '5 months'."""
    for unit, length in (('years', 365.25), ('months', 30.4), ('days', 1.0), ('hours', 1 / 24), ('minutes', 1 / 1440)):
        if days >= 2 * length:
            return f'{days / length:.0f} {unit}'
    return f'{days * 86400:.0f} seconds'
