"""A column of times: its name, its order, wraps of its counter, and drift."""

from __future__ import annotations

import dataclasses
import logging
import pathlib
import re
from collections.abc import Callable

import numpy as np

from fdx.signal.even_time import drift_samples, even_samples
from fdx.types import DataError

MAX_JITTER = 0.05
MAX_DRIFT_SAMPLES = 1.0
# A 32-bit counter of micro- or milliseconds starts again at 0 (microseconds after 71.6 minutes).
CLOCK_SPAN = 2.0**32
MAX_WRAP_STEPS = 1000
# Fewer rows do not tell a clock from a signal that happens to rise.
MIN_STEADY_ROWS = 20
STEADY_SHARE = 0.9
# No clock counts that far, and the difference of two such numbers is still finite.
_LARGEST = 1e30
_log = logging.getLogger(__name__)

UNITS_S = {
    's': 1.0, 'sec': 1.0, 'secs': 1.0, 'second': 1.0, 'seconds': 1.0,
    'ms': 1e-3, 'msec': 1e-3, 'millis': 1e-3, 'millisecond': 1e-3, 'milliseconds': 1e-3,
    'us': 1e-6, 'µs': 1e-6, 'μs': 1e-6, 'usec': 1e-6, 'micros': 1e-6, 'microsecond': 1e-6, 'microseconds': 1e-6,
    '100ns': 1e-7, 'ns': 1e-9, 'nanos': 1e-9, 'nanosecond': 1e-9, 'nanoseconds': 1e-9,
    'min': 60.0, 'minutes': 60.0, 'h': 3600.0, 'hours': 3600.0,
}  # fmt: skip
_UNIT = '|'.join(UNITS_S)
_WORD = (
    r'(?:(?:elapsed|sample|sampling|relative|rel|absolute|abs|system|local|utc|epoch|unix)[\s_.\-]*)?'
    r'(?:time[\s_]?stamp|date[\s_]?time|time|zeit|temps|tiempo|tempo)|elapsed|x[_ ]value|t'
)
_TIME_NAME = re.compile(rf'({_WORD})(?:[\s_.,\-/]*[\[(]\s*({_UNIT})\s*[\])]|[\s_.,\-/]+({_UNIT}))?')
# A unit alone is a name of a time, too; 's', 'h' and 'min' may be anything.
_BARE_UNIT = re.compile('|'.join(unit for unit in UNITS_S if len(unit) > 3))


@dataclasses.dataclass(frozen=True)
class TimeColumn:
    """A column of times as written.

    Attributes:
      path: the file.
      name: the column's name.
      values: float64 [N], in the column's own unit.
      row_number: gives the row number in the file of the time with an index.
      unit_s: the unit in seconds where it is known, else None.
    """

    path: pathlib.Path
    name: str
    values: np.ndarray
    row_number: Callable[[int], int]
    unit_s: float | None = None


def is_time_name(name: str) -> bool:
    """Whether a column of this name holds times: time, timestamp or t, perhaps with a unit ('time_ms', 't [us]')."""
    name = name.strip().lower()
    return _TIME_NAME.fullmatch(name) is not None or _BARE_UNIT.fullmatch(name) is not None


def is_weak_time_name(name: str) -> bool:
    """Whether the name is one of times and of other things: T, which is a temperature as often."""
    return name.strip().lower() == 't'


def unit_in_name(name: str) -> float | None:
    """Seconds of the unit that the name of a column of times holds, or None."""
    name = name.strip().lower()
    if _BARE_UNIT.fullmatch(name):
        return UNITS_S[name]
    found = _TIME_NAME.fullmatch(name)
    unit = found and (found[2] or found[3])
    return UNITS_S[unit] if unit else None


def rises_steadily(values: np.ndarray) -> bool:
    """Whether values rise as those of a clock do: without a fall, by equal steps or along a straight line."""
    if values.size < MIN_STEADY_ROWS or not np.isfinite(values[[0, -1]]).all():
        return False
    steps = np.diff(values)
    if not (steps >= 0).all() or not values[-1] > values[0]:
        return False
    median = float(np.median(steps))
    if median > 0 and np.mean(np.abs(steps - median) <= 0.5 * median) >= STEADY_SHARE:
        return True
    line = np.linspace(values[0], values[-1], values.size)
    return bool(np.abs(values - line).max() <= 0.01 * (values[-1] - values[0]))


def never_repeats(values: np.ndarray) -> bool:
    """Whether no value equals the one before it: a slow temperature may rise steadily, but it repeats."""
    return bool((np.diff(values) != 0).all())


def unwrapped(column: TimeColumn) -> TimeColumn:
    """The column with the wraps of a 32-bit clock undone: where whole numbers fall by nearly 2^32, they go on.

    A fall counts as a wrap if it makes a step of at most 1000 medians, so that no other disorder is taken for one.
    """
    times = column.values
    if times.size < 3 or not np.array_equal(times, np.round(times)):
        return column
    steps = np.diff(times)
    wraps = (steps < 0) & (steps + CLOCK_SPAN > 0) & (steps + CLOCK_SPAN <= MAX_WRAP_STEPS * np.median(steps))
    if not wraps.any():
        return column
    rows = ', '.join(str(column.row_number(i + 1)) for i in np.flatnonzero(wraps)[:3])
    _log.info('%s: the clock in column %s wraps at 2^32 (row %s); undone', column.path, column.name, rows)
    return dataclasses.replace(column, values=times + CLOCK_SPAN * np.concatenate(([0], np.cumsum(wraps))))


def check_order(column: TimeColumn, *, repeats_allowed: bool) -> None:
    """Refuses times that are not finite, go back or repeat.

    Raises:
      DataError: names the row.
    """
    path, name, times = column.path, column.name, column.values
    bad = np.flatnonzero(~(np.abs(times) < _LARGEST))
    if bad.size:
        row = column.row_number(bad[0])
        raise DataError(f'{path}: row {row}: time {times[bad[0]]} in column {name}; correct or remove the row')
    steps = np.diff(times)
    bad = np.flatnonzero(steps < 0 if repeats_allowed else steps <= 0)
    if bad.size:
        before = bad[0]
        what, remedy = 'goes back', 'put the rows in order, or pass `time_column=none` if it is not a time'
        if steps[before] == 0:
            what, remedy = 'repeats', 'remove the row, write the times with more digits, or pass `sample_rate_hz` in Hz'
        raise DataError(
            f'{path}: row {column.row_number(before + 1)}: time {times[before + 1]:.12g} in column {name} {what} '
            f'(the row before has {times[before]:.12g}); {remedy}'
        )


def on_even_grid(column: TimeColumn, samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """Samples whose clock drifts, interpolated at even times; others as they are.

    A logger that samples between two prints slows down as its numbers grow longer: SOON's file 01 runs at 548 Hz for
    10 s, at 538 Hz up to 100 s and at 528 Hz from there on, and an even shaft would seem to gain 4 % of speed. Times
    that were rounded stay near a straight line and do not tell: their samples are taken as even.

    Args:
      column: times that rise.
      samples: [T, C], one row per time.
      rate_hz: rate of the even grid, 1 / median step.

    Returns:
      float32 [N, C] at `rate_hz` (fdx.signal.even_time.even_samples); `samples` itself where the times stray by at most
      one step from a straight line or scatter by more than 5 %, and where samples are not finite.
    """
    # Values that are not numbers are refused later, with their position.
    if not has_drift(column) or not np.isfinite(samples).all():
        return samples
    times_s = (column.values - column.values[0]) / (np.median(np.diff(column.values)) * rate_hz)
    _log.info(
        '%s: the clock in column %s drifts by %.0f samples; samples are interpolated at even times of %.6g Hz',
        column.path,
        column.name,
        drift_samples(times_s),
        rate_hz,
    )
    return even_samples(samples, times_s, rate_hz)


def has_drift(column: TimeColumn) -> bool:
    """Whether the rate changes in the course of the times (and these are even enough to follow it)."""
    steps = np.diff(column.values)
    if steps.size < 2 or steps.std() > MAX_JITTER * np.median(steps):
        return False
    return drift_samples(column.values) > MAX_DRIFT_SAMPLES
