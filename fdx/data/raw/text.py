"""Text tables (.csv, .tsv, .txt) of samples: the channels, their rate, and where time is missing."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence

import numpy as np

from fdx.data.raw.clock import Clock, read_clock
from fdx.data.raw.columns import Roles, find_roles
from fdx.data.raw.format import TextFormat
from fdx.data.raw.gaps import Gaps, counter_gaps
from fdx.data.raw.signal import RawSignal
from fdx.data.raw.table import NumberTable, read_table
from fdx.data.raw.time import on_even_grid
from fdx.types import DataError

__all__ = ['TextFormat', 'read_text']

_UNIT = re.compile(r'[(\[] *(m?g|m/s\^?[2²]|mm/s|m?v|counts) *[)\]]$', re.IGNORECASE)
LARGEST = float(np.finfo(np.float32).max)


def read_text(path: pathlib.Path, text_format: TextFormat | None = None, *, need_rate: bool) -> RawSignal:
    """Reads a table of numbers: one row per sample, one column per channel, perhaps one column of time.

    See fdx.data.raw.table.read_table for how tables may be written, fdx.data.raw.columns.find_roles for what the
    columns are, and fdx.data.raw.clock.read_clock for the rate.

    Args:
      path: the file.
      text_format: what the user says about the file.
      need_rate: True when the rate must come from the time column, which makes a repeated time an error.

    Returns:
      The signal; its rate from the column of times where there is one. Gaps in the times and jumps of counters are its
      `time_breaks`, and a note says how much is missing. With `need_rate`, samples whose clock drifts are brought onto
      an even grid (see on_even_grid).

    Raises:
      DataError: a file that cannot be read or can be read in two ways (see the functions above), or a sample beyond
        float32; it names row (line of the file, from 1) and column, and the parameter that settles it.
    """
    fmt = text_format or TextFormat()
    table = read_table(path, text_format=fmt, allow_text=True)
    return signal_of_table(table, fmt, find_roles(table, fmt), need_rate=need_rate)


def signal_of_table(table: NumberTable, fmt: TextFormat, roles: Roles, *, need_rate: bool) -> RawSignal:
    """The signal in a table whose columns are known; see `read_text`."""
    path = table.path
    if fmt.time_unit is not None and roles.clock is None:
        raise DataError(f'{path} has no column of times for `time_unit`={fmt.time_unit}; leave it out')
    if need_rate and roles.clock is None and roles.clock_like:
        name = roles.clock_like[0]
        raise DataError(
            f'{path} does not tell its sampling rate, but column {name} rises steadily as a clock does; pass '
            f'`time_column`={name} if it is the time, or `sample_rate_hz` in Hz'
        )
    samples = table.values[:, list(roles.channels)]
    _check_size(table, roles, samples)
    clock = None
    if roles.clock is not None:
        clock = read_clock(roles.clock, [table.title(i) for i in roles.channels], need_rate=need_rate)
    breaks, notes = _lost(table, roles, clock)
    if clock is not None and clock.rate_hz is not None and need_rate and clock.drifts:
        even = on_even_grid(clock.column, samples, clock.rate_hz)
        if even is not samples:
            times_s = clock.column.values - clock.column.values[0]
            step = float(np.median(np.diff(times_s)))
            breaks = sorted({min(round(times_s[b] / step), len(even) - 1) for b in breaks})
            samples = even
    return RawSignal(
        samples=samples,
        channel_names=tuple(table.names[i] for i in roles.channels) if table.names else (),
        file_rate_hz=None if clock is None else clock.rate_hz,
        rate_origin='' if clock is None else f'column {clock.column.name}',
        rate_tolerance=0.01,
        unit=_unit(table, roles),
        time_breaks=tuple(int(b) for b in breaks if b > 0),
        notes=(*table.notes, *roles.notes, *notes),
    )


def _unit(table: NumberTable, roles: Roles) -> str:
    """The unit that all channels' names end in, 'acc (g)' or 'x [m/s^2]'; '' where there is none."""
    found = [_UNIT.search(table.names[i]) for i in roles.channels] if table.names else []
    units = {match[1].lower() if match else '' for match in found}
    return units.pop().replace('^', '').replace('²', '2') if len(units) == 1 else ''


def _lost(table: NumberTable, roles: Roles, clock: Clock | None) -> tuple[Sequence[int], list[str]]:
    """(samples before which time is missing, by the clock and by every counter; what to tell the user)."""
    breaks, notes = set(), []
    rate_hz = None if clock is None else clock.rate_hz
    if clock is not None and clock.gaps.breaks.size:
        breaks |= set(clock.gaps.breaks.tolist())
        notes.append(_note(table, f'the times in column {clock.column.name} have', 'gap', clock.gaps, rate_hz))
    for i in roles.counters:
        gaps = counter_gaps(table.values[:, i])
        if gaps.breaks.size and not set(gaps.breaks.tolist()) <= breaks:
            notes.append(_note(table, f'the counter in column {table.title(i)} has', 'jump', gaps, rate_hz))
        breaks |= set(gaps.breaks.tolist())
    return sorted(breaks), notes


def _note(table: NumberTable, what: str, noun: str, gaps: Gaps, rate_hz: float | None) -> str:
    count, known = gaps.breaks.size, gaps.lost[np.isfinite(gaps.lost)]
    # Rounded times leave a few hundredths of a sample.
    lost = float(np.where(np.abs(known - np.rint(known)) < 0.2, np.rint(known), known).sum())
    missing = f'{lost:.4g} sample{"s" * (f"{lost:.4g}" != "1")}'
    if rate_hz is not None:
        missing += f' ({lost / rate_hz:.4g} s at {rate_hz:.6g} Hz)'
    unknown = count - known.size
    if unknown:
        missing = f'{missing} and an unknown time at {unknown} of them' if known.size else 'an unknown time'
    row = table.row_number(int(gaps.breaks[0]))
    verb = 'is' if f'{lost:.4g}' == '1' and not unknown else 'are' if known.size else 'is'
    return f'{what} {count} {noun}{"s" * (count > 1)}: {missing} {verb} missing, first before row {row}'


def _check_size(table: NumberTable, roles: Roles, samples: np.ndarray) -> None:
    """Refuses finite numbers that would become infinite as float32."""
    bad = np.argwhere(np.isfinite(samples) & (np.abs(samples) > LARGEST))
    if len(bad):
        row, i = bad[0]
        raise DataError(
            f'{table.path}: row {table.row_number(row)}, column {table.title(roles.channels[i])}: '
            f'{samples[row, i]:g} is too large for a sample (float32); correct or remove the row'
        )
