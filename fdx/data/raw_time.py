"""The sampling rate behind a column of times."""

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
MAX_GAP = 1.5
MAX_RATE_DISAGREEMENT = 0.002
MAX_DRIFT_SAMPLES = 1.0
# A 32-bit counter of micro- or milliseconds starts again at 0 (microseconds after 71.6 minutes).
CLOCK_SPAN = 2.0**32
MAX_WRAP_STEPS = 1000
_log = logging.getLogger(__name__)

_UNITS_S = {
    's': 1.0, 'sec': 1.0, 'second': 1.0, 'seconds': 1.0,
    'ms': 1e-3, 'msec': 1e-3, 'millisecond': 1e-3, 'milliseconds': 1e-3,
    'us': 1e-6, 'µs': 1e-6, 'μs': 1e-6, 'usec': 1e-6, 'microsecond': 1e-6, 'microseconds': 1e-6,
    'ns': 1e-9, 'nanosecond': 1e-9, 'nanoseconds': 1e-9,
}  # fmt: skip
_UNIT = '|'.join(_UNITS_S)
_TIME_NAME = re.compile(rf'(time[ _]?stamp|time|t)(?:[\s_.\-/]*[\[(]\s*({_UNIT})\s*[\])]|[\s_.\-/]+({_UNIT}))?')


@dataclasses.dataclass(frozen=True)
class TimeColumn:
    """A column of times as written.

    Attributes:
      path: the file.
      name: the column's name.
      values: float64 [N], in the column's own unit.
      row_number: gives the row number in the file of the time with an index.
    """

    path: pathlib.Path
    name: str
    values: np.ndarray
    row_number: Callable[[int], int]


def is_time_name(name: str) -> bool:
    """Whether a column of this name holds times: time, timestamp or t, perhaps with a unit ('time_ms', 't [us]')."""
    return _TIME_NAME.fullmatch(name.strip().lower()) is not None


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


def rate_from_times(column: TimeColumn, *, need_rate: bool) -> float | None:
    """The sampling rate, 1 / median step: a few lost or late samples do not move it.

    The unit is the one in the column's name: 'time_ms', 'Time (s)', 't [us]'. Without one, times count seconds, but a
    timestamp in whole numbers counts microseconds (as in the SOON data), and other whole numbers are refused, because
    they could be of any unit, or row numbers.

    Args:
      column: the times.
      need_rate: True when nothing else tells the rate.

    Returns:
      The rate in Hz, or None where the times cannot tell it and `need_rate` is False. A warning is logged when the
      steps scatter by more than 5 % of the median (standard deviation), when one is longer than 1.5 medians, or when
      the rate over the whole column differs by more than 0.2 % while the times follow a straight line (times written
      with too few digits; see `on_even_grid` for those that do not).

    Raises:
      DataError: a time that is not finite, goes back or (with `need_rate`) repeats, or that has no known unit.
    """
    _check_order(column, repeats_allowed=not need_rate)
    times = column.values
    median = float(np.median(np.diff(times))) if times.size > 1 else 0.0
    unit_s = _unit_s(column)
    if median > 0 and unit_s is not None:
        _warn_when_uneven(column, np.diff(times), median, unit_s)
        return 1.0 / (median * unit_s)
    if not need_rate:
        return None
    if times.size < 2:
        raise DataError(f'{column.path}: one row does not tell the sampling rate; pass --sample_rate in Hz')
    raise DataError(
        f'{column.path}: column {column.name} counts in whole numbers (median step {median:g}) and names no unit; '
        f'call it {column.name}_s, {column.name}_ms or {column.name}_us, or pass --sample_rate in Hz'
    )


def on_even_grid(column: TimeColumn, samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """Samples whose clock drifts, interpolated at even times; others as they are.

    A logger that samples between two prints slows down as its numbers grow longer: SOON's file 01 runs at 548 Hz for
    10 s, at 538 Hz up to 100 s and at 528 Hz from there on, and an even shaft would seem to gain 4 % of speed. Times
    that were rounded stay near a straight line and carry no such knowledge: their samples are taken as even.

    Args:
      column: times that rise; `rate_hz` is what `rate_from_times` made of them.
      samples: [T, C], one row a time.
      rate_hz: rate of the even grid, 1 / median step.

    Returns:
      float32 [N, C] at `rate_hz` (fdx.signal.even_time.even_samples); `samples` itself where the times stray by at most
      one step from a straight line or scatter by more than 5 %, and where samples are not finite.
    """
    # Values that are no numbers are refused later, by their own position.
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


def _unit_s(column: TimeColumn) -> float | None:
    word, bracketed, appended = _TIME_NAME.fullmatch(column.name.strip().lower()).groups()
    unit = bracketed or appended
    if unit:
        return _UNITS_S[unit]
    if not np.array_equal(column.values, np.round(column.values)):
        return 1.0
    return 1e-6 if word.endswith('stamp') else None


def _check_order(column: TimeColumn, *, repeats_allowed: bool) -> None:
    path, name, times = column.path, column.name, column.values
    bad = np.flatnonzero(~np.isfinite(times))
    if bad.size:
        row = column.row_number(bad[0])
        raise DataError(f'{path}: row {row}: time {times[bad[0]]} in column {name}; correct or remove the row')
    steps = np.diff(times)
    bad = np.flatnonzero(steps < 0 if repeats_allowed else steps <= 0)
    if bad.size:
        before = bad[0]
        what, remedy = 'goes back', 'put the rows in order'
        if steps[before] == 0:
            what, remedy = 'repeats', 'remove the row, write the times with more digits, or pass --sample_rate in Hz'
        raise DataError(
            f'{path}: row {column.row_number(before + 1)}: time {times[before + 1]:.12g} in column {name} {what} '
            f'(the row before has {times[before]:.12g}); {remedy}'
        )


def _warn_when_uneven(column: TimeColumn, steps: np.ndarray, median: float, unit_s: float) -> None:
    jitter = float(steps.std()) / median
    longest, mean = int(steps.argmax()), float(steps.mean())
    rounded = abs(mean / median - 1) > MAX_RATE_DISAGREEMENT and not has_drift(column)
    if jitter > MAX_JITTER or steps[longest] > MAX_GAP * median or rounded:
        _log.warning(
            '%s: the times in column %s are uneven: steps scatter by %.1f %%, the longest is %.2f medians (row %d); '
            'the median step gives %.6g Hz, the whole column %.6g Hz; pass --sample_rate if you know the rate',
            column.path,
            column.name,
            100.0 * jitter,
            steps[longest] / median,
            column.row_number(longest + 1),
            1.0 / (median * unit_s),
            1.0 / (mean * unit_s),
        )
