"""Lost time: steps of a clock that are too long, and counters that jump."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

# A step of that many nominal ones has lost a sample.
GAP_STEPS = 1.5
# More gaps than that are not lost samples: the clock comes in bursts.
MAX_GAP_SHARE = 0.1
# So many times within one unit of their last digit of a straight line are rounded and nothing else.
_MIN_ROUNDED = 3
_SHIFT_WINDOW = 10
_MIN_SHIFT = 0.45
_PACE = 20
_BURST_STEPS = 2.5
_COUNTER_NAME = re.compile(
    r'(?:sample|packet|pkt|frame|row|record|block|line|seq(?:uence)?)?[ _\-.]*'
    r'(?:counter|count|index|idx|no|nr|num|number|id|seq|sequence|n|#)?'
    r'(?:[ _\-.]*(?:\[-\]|\(-\)))?',
    re.IGNORECASE,
)
_COUNTS_SHARE = 0.95
_MIN_ROWS = 20


@dataclasses.dataclass(frozen=True)
class Gaps:
    """Where time is missing.

    Attributes:
      breaks: indices of the samples before which time is missing, ascending.
      lost: samples lost before each of them (may be fractions), NaN where unknown.
      step: the nominal step, in the unit of the times.
      resolution: the unit of the times' last digit, 0 where it does not matter.
      bursts: True where there are too many long steps to be gaps; `breaks` is empty then.
    """

    breaks: np.ndarray
    lost: np.ndarray
    step: float
    resolution: float = 0.0
    bursts: bool = False


def find_gaps(times: np.ndarray) -> Gaps:
    """Finds steps of at least 1.5 nominal ones that are neither rounding nor jitter.

    The nominal step is the mean of the steps that are not gaps. Times rounded to a coarse unit (milliseconds at 768 Hz
    step by 1 and 2) must step by 0.8 units more than the nominal step. A late time that the next ones make up for is
    jitter: a gap shifts the median of the ten times behind it against that of the ten before.

    Args:
      times: float64 [N], not falling.
    """
    steps = np.diff(times)
    none = np.zeros(0, np.int64)
    if steps.size == 0 or times[-1] <= times[0]:
        return Gaps(none, np.zeros(0), 0.0)
    unit = _resolution(times, steps)
    mean = (times[-1] - times[0]) / steps.size
    line = times[0] + mean * np.arange(times.size)
    long = np.sum(steps >= GAP_STEPS * np.median(steps) * (1 - 1e-9))
    if np.abs(times - line).max() <= 1.01 * unit and (long == 0 or long >= _MIN_ROUNDED):
        return Gaps(none, np.zeros(0), mean, unit)
    step = float(np.median(steps)) or mean
    for share in (1.05, 0.8, 0.8, 0.8):
        # The median of steps of 1 and 2 units is 1: the first look takes in what rounding alone may add.
        limit = max(GAP_STEPS * step, step + (share if unit > 0.75 * step else 0.8) * unit)
        within = steps[steps < limit * (1 - 1e-9)]
        if not within.size:
            break
        step = float(within.mean())
    limit = max(GAP_STEPS * step, step + 0.8 * unit) * (1 - 1e-6)
    # The pace over many steps: jitter that passes for long steps would bias their mean.
    pace = np.median(times[_PACE:] - times[:-_PACE]) / _PACE if times.size > 2 * _PACE else step
    late = times - pace * np.arange(times.size)
    bursts = np.sum(steps >= max(limit, _BURST_STEPS * step)) > MAX_GAP_SHARE * steps.size
    breaks = np.array(
        [i for i in np.flatnonzero(steps >= limit) if _shift(late, int(i)) >= _MIN_SHIFT * step], np.int64
    )
    if steps.size >= _MIN_ROWS and (bursts or breaks.size > MAX_GAP_SHARE * steps.size):
        return Gaps(none, np.zeros(0), step, unit, bursts=True)
    rest = np.delete(steps, breaks)
    step = float(rest.mean()) if rest.size else step
    return Gaps(breaks + 1, steps[breaks] / step - 1, step, unit)


def without_gaps(times: np.ndarray, gaps: Gaps) -> np.ndarray:
    """The times as if no sample had been lost: each gap is one nominal step."""
    shift = np.zeros(times.size)
    shift[gaps.breaks] = gaps.lost * gaps.step
    return times - np.cumsum(shift)


def is_counter(name: str, values: np.ndarray) -> bool:
    """Whether a column counts rows (any name: 95 % of its steps are 1) or packets (by name: they are 0 or 1)."""
    if values.size < _MIN_ROWS:
        return not name and values.size > 1 and bool(np.all(np.diff(values) == 1))
    if not np.array_equal(values, np.round(values)):
        return False
    steps = np.diff(values)
    if np.mean(steps == 1) >= _COUNTS_SHARE:
        return True
    named = bool(name.strip()) and _COUNTER_NAME.fullmatch(name.strip()) is not None
    return named and np.mean(steps == 1) > 0 and np.mean((steps == 1) | (steps == 0)) >= _COUNTS_SHARE


def counter_gaps(values: np.ndarray) -> Gaps:
    """Jumps of a counter.

    A counter that starts again at 2^8, 2^16, 2^32, 10, 100, ... goes on. One that falls elsewhere was set back, and
    nobody knows how much was lost. A counter of packets keeps its value for all samples of a packet, so that a lost
    packet loses as many.

    Args:
      values: whole numbers, float64 [N].
    """
    steps = np.diff(values)
    per_count = max(1.0, float(np.median(np.diff(np.flatnonzero(np.concatenate(([1], steps, [1])) != 0)))))
    falls = np.flatnonzero(steps < 0)
    if falls.size:
        top = values.max() + 1
        # A counter that turns elsewhere turns at the same count again.
        again = (top,) if falls.size > 1 and np.all(values[falls] == values[falls[0]]) else ()
        for span in (2.0**8, 2.0**16, 2.0**32, *(10.0**k for k in range(1, 11)), *again):
            # A counter that lost samples at its turn may not show its top.
            if top <= span <= 1.1 * top:
                wrapped = (steps < 0) & (steps + span > 0) & (steps + span < span / 2)
                steps = np.where(wrapped, steps + span, steps)
                break
    jumps = np.flatnonzero((steps > 1) | (steps < 0))
    lost = np.where(steps[jumps] > 1, (steps[jumps] - 1) * per_count, np.nan)
    return Gaps(jumps + 1, lost, 1.0)


def _shift(late: np.ndarray, i: int) -> float:
    """How much later the times behind step i are than those before it, by medians."""
    before, behind = late[max(i + 1 - _SHIFT_WINDOW, 0) : i + 1], late[i + 1 : i + 1 + _SHIFT_WINDOW]
    return float(np.median(behind) - np.median(before))


def _resolution(times: np.ndarray, steps: np.ndarray) -> float:
    """The largest unit of which all steps are multiples: that of the last digit, or of a coarser clock behind it."""
    size = max(abs(times[0]), abs(times[-1]))
    for digits in range(13):
        scaled = steps * 10.0**digits
        noise = 4 * np.spacing(size) * 10.0**digits
        if noise > 0.05:
            break
        if np.abs(scaled - np.round(scaled)).max() <= noise + 1e-9:
            return float(np.gcd.reduce(np.round(scaled).astype(np.int64))) / 10.0**digits
    return float(4 * np.spacing(size))
