"""The clock of a file: the unit of its times, the sampling rate, and where time is missing."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Sequence

import numpy as np

from fdx.data.raw.format import TIME_UNITS_S
from fdx.data.raw.gaps import Gaps, find_gaps, without_gaps
from fdx.data.raw.time import MAX_JITTER, TimeColumn, check_order, has_drift
from fdx.types import DataError

# Rates of vibration, from a slow logger to acoustic emission.
PLAUSIBLE_HZ = (100.0, 1e6)
# Times whose date lies here count from an epoch: 1970, 0001 (.NET ticks) or 1601 (Windows file times), in days.
_EPOCHS = (
    *((unit, datetime.date(1970, 1, 1)) for unit in TIME_UNITS_S),
    ('100ns', datetime.date(1, 1, 1)),
    ('100ns', datetime.date(1601, 1, 1)),
)
_FIRST_DATE, _LAST_DATE = datetime.date(2000, 1, 1), datetime.date(2045, 1, 1)
# A measured rate so near to a round one is that one: quartz clocks are off by less.
ROUND_TOLERANCE = 1e-4
# Round numbers of Hz; binary ones are usual in analysers (25,600 Hz). Only those count that lie far enough apart.
_ROUND_HZ = (1000.0, 512.0, 500.0, 100.0, 50.0, 25.0, 10.0, 5.0, 2.0, 1.0)
_FINE_HZ = (*_ROUND_HZ, 0.5, 0.25, 0.2, 0.1)
_MIN_ROUNDED_UNITS = 2000
# The loop of an Arduino reads its clock in multiples of 4 us.
_BOARD_TICK = 4
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Clock:
    """What a column of times says.

    Attributes:
      column: the times with wraps undone and without the gaps: each gap is one nominal step.
      rate_hz: the sampling rate, or None where the unit is not known.
      gaps: where time is missing.
      drifts: whether the rate changes in the course of the times.
    """

    column: TimeColumn
    rate_hz: float | None
    gaps: Gaps
    drifts: bool = False


def read_clock(column: TimeColumn, neighbours: Sequence[str] = (), *, need_rate: bool) -> Clock:
    """Reads a column of times.

    The rate is the number of steps over the whole span without the gaps (see fdx.data.raw.gaps.find_gaps). Rates within
    1e-4 of a round number are that number, others are kept. Where the clock drifts the rate is 1 / median step. Times
    that repeat because they are rounded are fine where they follow a straight line over 2000 units of their last digit.
    The unit is `column.unit_s`, or what `_unit_s` can tell.

    Args:
      column: the times, wraps undone.
      neighbours: names of the file's other columns.
      need_rate: True when nothing else tells the rate.

    Raises:
      DataError: a time that is not finite, goes back or (with `need_rate`) repeats, times in bursts, or a unit that is
        open; it names `time_unit` and the rate that each unit would mean.
    """
    times = column.values
    check_order(column, repeats_allowed=not need_rate or _is_rounded(times))
    gaps = find_gaps(times)
    even = dataclasses.replace(column, values=without_gaps(times, gaps) if gaps.breaks.size else times)
    if gaps.step <= 0:
        if need_rate:
            raise DataError(f'{column.path}: one row does not tell the sampling rate; pass `sample_rate_hz` in Hz')
        return Clock(even, None, gaps)
    unit_s = _unit_s(column, gaps.step, neighbours, need_rate=need_rate)
    if unit_s is None:
        return Clock(even, None, gaps)
    if gaps.bursts and need_rate:
        _refuse_bursts(column, gaps, unit_s)
    drifts = has_drift(even)
    steps = np.diff(even.values)
    if drifts:
        return Clock(even, 1.0 / (float(np.median(steps)) * unit_s), gaps, drifts)
    scatter = float(steps.std())
    span = even.values[-1] - even.values[0]
    rate_hz = round_rate(1.0 / (gaps.step * unit_s), 2 * max(gaps.resolution, scatter) / span)
    _warn_when_uneven(column, steps, gaps, rate_hz)
    return Clock(even, rate_hz, gaps, drifts)


def round_rate(rate_hz: float, uncertainty: float = 0.0) -> float:
    """The round rate within 1e-4, or within the (smaller) relative uncertainty a less round one; else the rate.

    12000.48 is 12000 and 25601.3 is 25600, but 97656.25 stays: of round numbers only those count whose distance is 20
    times the tolerance or more.
    """
    tight = min(max(uncertainty, 1e-9), ROUND_TOLERANCE)
    for candidates, tolerance in ((_ROUND_HZ, ROUND_TOLERANCE), (_FINE_HZ, tight)):
        for step in candidates:
            near = step * round(rate_hz / step)
            if step >= 20 * tolerance * rate_hz and abs(near - rate_hz) <= tolerance * rate_hz:
                return float(near)
    return rate_hz


def plausible(rate_hz: float) -> bool:
    """Whether vibration is sampled at such a rate."""
    low, high = PLAUSIBLE_HZ
    return low * (1 - 1e-3) <= rate_hz <= high * (1 + 1e-3)


def _unit_s(column: TimeColumn, step: float, neighbours: Sequence[str], *, need_rate: bool) -> float | None:
    """Seconds of the times' unit.

    The unit that the name or the user gives; that of an epoch which makes a date of our days of the first time; for
    numbers with fractions seconds, if that is a rate of vibration; microseconds for the clock of the SOON data's logger
    (a Timestamp beside AccX, AccY or AccZ, or an uneven one in multiples of 4); else the only unit that makes a
    plausible rate. What is still open is refused; where no rate is needed, it is seconds for fractions, and None
    for others.
    """
    if column.unit_s is not None:
        return column.unit_s
    times = column.values
    dated = _unit_by_date(times[0], step)
    if dated is not None:
        return TIME_UNITS_S[dated]
    rates = {unit: 1.0 / (step * seconds) for unit, seconds in TIME_UNITS_S.items()}
    whole = np.array_equal(times, np.round(times))
    if not whole and plausible(rates['s']):
        return 1.0
    if whole and _is_board_clock(column.name, times, neighbours):
        return 1e-6
    fits = [unit for unit, rate in rates.items() if plausible(rate)]
    if len(fits) == 1 and whole:
        return TIME_UNITS_S[fits[0]]
    if not need_rate:
        # Seconds are as good as any to compare with the rate that is given.
        return None if whole else 1.0
    name = column.name
    named = '' if ' ' in name or not name else f', call it {name}_s, {name}_ms or {name}_us'
    means = ', '.join(f'{rates[unit]:.6g} Hz in {unit}' for unit in TIME_UNITS_S)
    what = 'counts in whole numbers' if whole else 'has fractions'
    raise DataError(
        f'{column.path}: column {name} {what} (step {step:.6g}) and names no unit: {means}; pass `time_unit` with the '
        f'right one{named}, or pass `sample_rate_hz` in Hz'
    )


def _unit_by_date(first: float, step: float) -> str | None:
    for unit, epoch in _EPOCHS:
        seconds = first * TIME_UNITS_S[unit]
        low, high = ((day - epoch).total_seconds() for day in (_FIRST_DATE, _LAST_DATE))
        if low <= seconds < high and plausible(1.0 / (step * TIME_UNITS_S[unit])):
            return unit
    return None


def _is_board_clock(name: str, times: np.ndarray, neighbours: Sequence[str]) -> bool:
    if name.strip().lower() != 'timestamp':
        return False
    if {'accx', 'accy', 'accz'} & {n.strip().lower() for n in neighbours}:
        return True
    steps = np.diff(times)
    if np.abs(times).max() >= 2.0**53:
        return False
    steps = steps.astype(np.int64)
    return bool(np.gcd.reduce(steps) == _BOARD_TICK and np.ptp(steps) > _BOARD_TICK)


def _is_rounded(times: np.ndarray) -> bool:
    """Whether times that repeat do so by rounding: they follow a line within one unit, over many units."""
    steps = np.diff(times)
    if times.size < 3 or not np.isfinite(times).all() or steps.min() < 0 or times[-1] <= times[0]:
        return False
    unit = steps[steps > 0].min()
    line = np.linspace(times[0], times[-1], times.size)
    return bool(np.abs(times - line).max() <= 1.01 * unit and times[-1] - times[0] >= _MIN_ROUNDED_UNITS * unit)


def _refuse_bursts(column: TimeColumn, gaps: Gaps, unit_s: float) -> None:
    times = column.values
    whole = (times.size - 1) / ((times[-1] - times[0]) * unit_s)
    raise DataError(
        f'{column.path}: the times in column {column.name} come in bursts: the usual step means '
        f'{1.0 / (gaps.step * unit_s):.6g} Hz, the whole column {whole:.6g} Hz; pass `sample_rate_hz` in Hz'
    )


def _warn_when_uneven(column: TimeColumn, steps: np.ndarray, gaps: Gaps, rate_hz: float) -> None:
    # Rounding to a coarse unit scatters, too.
    jitter = (float(steps.std()) - 0.5 * gaps.resolution) / gaps.step
    if jitter > MAX_JITTER:
        _log.warning(
            '%s: the times in column %s are uneven: steps scatter by %.1f %%; the whole column gives %.6g Hz, the '
            'median step %.6g Hz; pass `sample_rate_hz` if you know the rate',
            column.path,
            column.name,
            100.0 * float(steps.std()) / gaps.step,
            rate_hz,
            rate_hz * gaps.step / float(np.median(steps)) if np.median(steps) > 0 else np.inf,
        )
