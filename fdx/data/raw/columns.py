"""Which columns of a table are its clock, which count rows, and which are channels."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.data.raw.format import NO_TIME, TIME_UNITS_S, TextFormat
from fdx.data.raw.gaps import is_counter
from fdx.data.raw.table import NumberTable
from fdx.data.raw.time import (
    MIN_STEADY_ROWS,
    STEADY_SHARE,
    TimeColumn,
    is_time_name,
    is_weak_time_name,
    never_repeats,
    rises_steadily,
    unit_in_name,
    unwrapped,
)
from fdx.data.raw.timestamps import seconds_of_day
from fdx.types import DataError

_HEAD_ROWS = 500
_PARTS = ('hour', 'minute', 'second', 'microsecond')
_PART_LIMITS = (24, 60, 60, 1_000_000)


@dataclasses.dataclass(frozen=True)
class Roles:
    """What the columns are.

    Attributes:
      clock: the times, or None.
      clock_columns: indices of the columns that the clock is read from.
      counters: indices of columns that count rows or packets.
      channels: indices of the channels, in order.
      notes: columns that were left out, for the user.
      clock_like: titles of columns that rise as clocks do, under other names.
    """

    clock: TimeColumn | None
    clock_columns: tuple[int, ...]
    counters: tuple[int, ...]
    channels: tuple[int, ...]
    notes: tuple[str, ...] = ()
    clock_like: tuple[str, ...] = ()


def find_roles(table: NumberTable, fmt: TextFormat) -> Roles:
    """Finds clock, counters and channels.

    The clock is the column that the user names, else one with a name of times, of dates and times as text, the first
    four columns where they are hour, minute, second and microsecond, or the first without a name that rises steadily
    as clocks do. A column named T is a clock only if it rises steadily. Columns that rise steadily or count rows
    are not channels unless the user chooses them.

    Raises:
      DataError: a column that does not exist or holds text, or none is left for the samples.
    """
    wanted = fmt.columns
    chosen = None if wanted is None else [_index(table, name, 'columns') for name in wanted]
    if wanted is not None and (not chosen or len(set(chosen)) < len(chosen)):
        raise DataError(f'{table.path}: `columns`={",".join(wanted)} must name columns, each once')
    clock, used = _clock(table, fmt, set(chosen or ()))
    taken = {*used, *(chosen or ())}
    free = [i for i in range(table.values.shape[1]) if i not in taken]
    rising = _mostly_rising(table)
    counters = tuple(i for i in free if i in rising and is_counter(_name(table, i), table.values[:, i]))
    if chosen is not None:
        for i in chosen:
            if i in table.texts:
                raise DataError(f'{table.path}: column {table.title(i)} holds text ({table.texts[i][0]}), no samples')
        return Roles(clock, used, counters, tuple(chosen))
    notes, channels, clock_like = list(_guess(table, fmt, clock, used)), [], []
    for i in free:
        if i in counters:
            continue
        if i in table.texts:
            _refuse_text(table, i, clock)
        elif is_time_name(_name(table, i)) and not is_weak_time_name(_name(table, i)):
            continue
        elif i in rising and rises_steadily(table.values[:, i]):
            clock_like.append(table.title(i))
            notes.append(f'column {table.title(i)} rises steadily as a clock does: it is taken for no channel')
        else:
            channels.append(i)
    if not channels:
        others = ', '.join(table.title(i) for i in (*used, *counters)[:8]) or 'times'
        raise DataError(
            f'{table.path} has no column beside {others}; export the samples too, or choose the column of samples with '
            '`columns`'
        )
    return Roles(clock, used, counters, tuple(channels), tuple(notes), tuple(clock_like))


def _guess(table: NumberTable, fmt: TextFormat, clock: TimeColumn | None, used: tuple[int, ...]) -> tuple[str, ...]:
    """What to tell of a clock that only its values gave away."""
    if clock is None or fmt.time_column is not None or used[0] in table.texts:
        return ()
    if table.names and is_time_name(table.names[used[0]]):
        return ()
    return (
        f'column {clock.name} rises steadily and is taken for the time; pass `time_column=none` if it is not, and '
        '`columns` with the columns of samples',
    )


def _clock(table: NumberTable, fmt: TextFormat, chosen: set[int]) -> tuple[TimeColumn | None, tuple[int, ...]]:
    """(the clock or None, indices of its columns)."""
    if fmt.time_column == NO_TIME:
        return None, ()
    if fmt.time_column is not None:
        return _column(table, _index(table, fmt.time_column, 'time_column'), fmt)
    named = [i for i, name in enumerate(table.names) if is_time_name(name) and i not in table.texts and i not in chosen]
    strong = [i for i in named if not is_weak_time_name(table.names[i]) or unit_in_name(table.names[i])]
    weak = [i for i in named if i not in strong and _is_clock(table, i) and never_repeats(table.values[:, i])]
    # Of several names of times the one is right that rises.
    for i in sorted(strong, key=lambda i: not _is_clock(table, i))[:1] or weak[:1]:
        if not is_counter('', table.values[:, i]) or unit_in_name(table.names[i]) or len(strong) + len(weak) == 1:
            return _column(table, i, fmt)
    for i in sorted(set(table.texts) - chosen):
        seconds = seconds_of_day(table, i)
        if seconds is not None:
            return TimeColumn(table.path, table.title(i), seconds, table.row_number, 1.0), (i,)
    parts = _parts(table, chosen)
    if parts is not None:
        return parts
    for i in sorted(_mostly_rising(table)):
        # A column of another name may be a ramp of the speed: only the user knows.
        skipped = i in chosen or _name(table, i) or is_counter(_name(table, i), table.values[:, i])
        if not skipped and rises_steadily(table.values[:, i]) and never_repeats(table.values[:, i]):
            return _column(table, i, fmt)
    if fmt.time_unit is not None:
        # What the unit belongs to may count by one.
        rising = sorted(_mostly_rising(table) - chosen)
        counting = [i for i in rising if rises_steadily(table.values[:, i])]
        if not counting:
            raise DataError(f'{table.path} has no column of times for `time_unit`={fmt.time_unit}; leave it out')
        return _column(table, counting[0], fmt)
    return None, ()


def _column(table: NumberTable, i: int, fmt: TextFormat) -> tuple[TimeColumn, tuple[int, ...]]:
    unit_s = None if fmt.time_unit is None else TIME_UNITS_S[fmt.time_unit]
    if i in table.texts:
        seconds = seconds_of_day(table, i)
        if seconds is None:
            raise _not_numbers(table, i)
        return TimeColumn(table.path, table.title(i), seconds, table.row_number, 1.0), (i,)
    unit_s = unit_s or unit_in_name(_name(table, i))
    return unwrapped(TimeColumn(table.path, table.title(i), table.values[:, i], table.row_number, unit_s)), (i,)


def _is_clock(table: NumberTable, i: int) -> bool:
    values = unwrapped(TimeColumn(table.path, '', table.values[:, i], table.row_number)).values
    return rises_steadily(values) or (values.size < MIN_STEADY_ROWS and bool(np.all(np.diff(values) > 0)))


def _mostly_rising(table: NumberTable) -> set[int]:
    """Columns that hardly ever fall at the beginning: clocks and counters are among them, and few signals."""
    head = table.values[:_HEAD_ROWS]
    if len(head) < 2:
        return set()
    return set(np.flatnonzero(np.mean(np.diff(head, axis=0) >= 0, axis=0) >= STEADY_SHARE).tolist())


def _parts(table: NumberTable, chosen: set[int]) -> tuple[TimeColumn, tuple[int, ...]] | None:
    """The clock of files whose first columns are hour, minute, second and microsecond (PRONOSTIA's)."""
    at = (0, 1, 2, 3)
    values = table.values
    if values.shape[1] < 5 or len(values) < MIN_STEADY_ROWS or chosen & set(at) or table.texts:
        return None
    first = values[:, :4]
    if not np.array_equal(first, np.round(first)) or (first < 0).any() or (first.max(axis=0) > _PART_LIMITS).any():
        return None
    times = first @ np.array([3600.0, 60.0, 1.0, 1e-6])
    # Midnight.
    times = times + 86400.0 * np.concatenate(([0], np.cumsum(np.diff(times) < -43200)))
    if not np.any(first[:, 3] > 60) or not rises_steadily(times):
        return None
    name = ', '.join(n[:30] for n in table.names[:4]) if table.names else 's 1 to 4 (hour, minute, second, microsecond)'
    return TimeColumn(table.path, name, times, table.row_number, 1.0), at


def _refuse_text(table: NumberTable, i: int, clock: TimeColumn | None) -> None:
    cell = table.texts[i][0].as_py()
    if clock is not None and table.path and seconds_of_day(table, i) is None and _is_date(cell):
        return
    raise _not_numbers(table, i)


def _not_numbers(table: NumberTable, i: int) -> DataError:
    cell = table.texts[i][0].as_py()
    return DataError(
        f'{table.path}: row {table.row_number(0)}, column {i + 1} ({table.title(i)}): {cell[:40]!r} is not a number; '
        'choose columns of numbers with `columns`, or remove the column (dates are read with a time of day only, e.g. '
        '2024-03-01 10:00:00.000123)'
    )


def _is_date(cell: str) -> bool:
    return sum(map(str.isdigit, cell)) >= 6 and not any(map(str.isalpha, cell))


def _index(table: NumberTable, name: str, parameter: str) -> int:
    names, count = table.names, table.values.shape[1]
    if names:
        if names.count(name) == 1:
            return names.index(name)
        found = 'several columns' if name in names else 'no column'
        shown = ', '.join(n[:30] for n in names[:20]) + (', ...' if count > 20 else '')
        raise DataError(f'{table.path} has {found} {name!r}; pass `{parameter}` with some of: {shown}')
    if not (str(name).isascii() and str(name).isdecimal() and 1 <= int(name) <= count):
        raise DataError(
            f'{table.path} has no header, so there is no column {name!r}; pass `{parameter}` with a number from 1 to '
            f'{count}, or use `channel` with an index from 0'
        )
    return int(name) - 1


def _name(table: NumberTable, i: int) -> str:
    return table.names[i] if table.names else ''
