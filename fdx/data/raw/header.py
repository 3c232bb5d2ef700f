"""Where the numbers of a table begin, and the names and units above them."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
from collections.abc import Sequence

from fdx.data.raw.first_row import NAMES, SAMPLE, judge_first_row
from fdx.data.raw.format import TextFormat
from fdx.data.raw.layout import NUMBER, ONE_COLUMN, TIME, Layout, is_time_cell, split
from fdx.data.raw.lines import rows_of
from fdx.data.raw.names import Row, are_units, comment_names, fit, names_above, with_units
from fdx.data.raw.numbers import looks_number
from fdx.types import DataError

# Loggers write dozens of lines about themselves.
_HEAD_ROWS = 300
_MAX_LONG_ROWS = 5
_MIN_ROWS_BELOW_LONG = 20


@dataclasses.dataclass(frozen=True)
class Header:
    """Names above the numbers.

    Attributes:
      names: one for each column, or () without a header.
      start: index of the first line of numbers.
      long_rows: how many rows from there on have more cells than the others.
      notes: what was decided, for the user.
    """

    names: tuple[str, ...]
    start: int
    long_rows: int = 0
    notes: tuple[str, ...] = ()


def find_header(path: pathlib.Path, lines: Sequence[str], layout: Layout, fmt: TextFormat) -> Header:
    """Finds names, units and the first row of numbers.

    Names are the last line of text above the numbers, or the last comment line (as numpy.savetxt writes it); a line of
    units below them is added to the names: 'time' and 'ms' become 'time (ms)'. Lines above the names are skipped. A
    first row of numbers is names where it is written differently from all below (12000 above 0.123456), a sample where
    it is written as they are, and refused where that is open. First rows with more cells than the others lose them,
    with a note.

    Args:
      path: the file, for messages.
      lines: all its lines.
      layout: see fdx.data.raw.layout.find_layout.
      fmt: what the user says.

    Raises:
      DataError: a header that does not fit the rows, or that may be a sample; it names `header`.
    """
    if fmt.header_row is not None:
        return _given_row(path, lines, layout, fmt.header_row)
    head = [
        Row(number, text, _cells(lines, number, text, layout))
        for number, text in itertools.islice(rows_of(lines), _HEAD_ROWS)
    ]
    first = next((i for i, row in enumerate(head) if _is_data(row.cells, layout)), None)
    if first is None:
        if not any(looks_number(cell) for row in head[1:] for cell in row.cells):
            raise DataError(f'{path} holds a header but no rows of numbers; export the recording again')
        first = _first_alike(path, head, layout)
    long_rows = _long_rows(lines, head, first, layout)
    first -= long_rows
    start, above = head[first].number - 1, head[:first]
    if fmt.header == 'no':
        return Header((), start, long_rows, _long_note(head[first : first + long_rows], layout))
    if above:
        names = names_above(path, above, layout)
        return Header(tuple(names), start, long_rows, _long_note(head[first : first + long_rows], layout))
    return _without_text(path, lines, layout, fmt, head, long_rows)


def _without_text(
    path: pathlib.Path, lines: Sequence[str], layout: Layout, fmt: TextFormat, head: list[Row], long_rows: int
) -> Header:
    """The header of a file whose first row holds numbers only."""
    row = head[0]
    note = _long_note(head[:long_rows], layout)
    names = comment_names(lines[: row.number - 1], layout)
    if names and fmt.header is None:
        return Header(tuple(names), row.number - 1, long_rows, note)
    verdict = NAMES if fmt.header == 'yes' else SAMPLE
    if fmt.header is None and not long_rows and len(head) > 1:
        verdict = judge_first_row(path, row.number, row.cells, layout, len(lines) - row.number)
        if verdict == NAMES:
            note = (
                f'row {row.number} ({row.text.strip()[:60]}) is taken for names of columns, as the rows below are '
                'written with decimals; pass `header=no` if it is a sample',
            )
    if verdict == SAMPLE:
        return Header((), row.number - 1, long_rows, note)
    if len(head) < 2:
        raise DataError(f'{path} holds a header but no rows of numbers; export the recording again')
    return Header(tuple(row.cells), head[1].number - 1, 0, note)


def _given_row(path: pathlib.Path, lines: Sequence[str], layout: Layout, number: int) -> Header:
    text = lines[number - 1] if number <= len(lines) else ''
    names = fit(split(text.lstrip('# '), layout.delimiter), text, layout)
    if not text.strip() or len(names) != layout.num_columns:
        raise DataError(
            f'{path}: row {number}, which `header`={number} names, has {len(names) if text.strip() else 0} names, but '
            f'the rows below have {layout.num_columns} cells'
        )
    following = [Row(n, t, split(t, layout.delimiter)) for n, t in itertools.islice(rows_of(lines, number), 2)]
    if len(following) > 1 and are_units(following[0].cells) and _is_data(following[1].cells, layout):
        return Header(tuple(with_units(names, following[0].cells)), following[1].number - 1)
    return Header(tuple(names), following[0].number - 1)


def _cells(lines: Sequence[str], number: int, text: str, layout: Layout) -> list[str]:
    """Cells of a row; a # in a name ('Sensor #1') begins no comment where the whole line has the right length."""
    whole = lines[number - 1]
    if len(whole) > len(text):
        cells = fit(split(whole, layout.delimiter), whole, layout)
        if len(cells) == layout.num_columns and not any(map(looks_number, cells)):
            return cells
    return fit(split(text, layout.delimiter), text, layout)


def _is_data(cells: list[str], layout: Layout) -> bool:
    if len(cells) != layout.num_columns:
        return False
    tests = {NUMBER: looks_number, TIME: is_time_cell}
    return all(tests[kind](cell) for kind, cell in zip(layout.kinds, cells) if kind in tests)


def _first_alike(path: pathlib.Path, head: list[Row], layout: Layout) -> int:
    """The first row of the right length that holds a number: a bad cell in it is named when it is parsed."""
    for i, row in enumerate(head):
        if len(row.cells) == layout.num_columns and any(map(looks_number, row.cells)):
            return i
    raise DataError(
        f'{path}: none of its first {len(head)} rows has {layout.num_columns} numbers as the rows below have; pass '
        '`header` with the row of the header'
    )


def _long_rows(lines: Sequence[str], head: list[Row], first: int, layout: Layout) -> int:
    """How many rows right above the first ordinary one are numbers, too, with more cells than it has."""
    if len(lines) < head[first].number + _MIN_ROWS_BELOW_LONG or layout.delimiter == ONE_COLUMN:
        return 0
    count = 0
    while (
        count < min(first, _MAX_LONG_ROWS)
        and len(head[first - 1 - count].cells) > layout.num_columns
        and all(map(looks_number, head[first - 1 - count].cells))
    ):
        count += 1
    return count


def _long_note(rows: list[Row], layout: Layout) -> tuple[str, ...]:
    if not rows:
        return ()
    extra = [cell for row in rows for cell in row.cells[layout.num_columns :]]
    where = f'row {rows[0].number} has' if len(rows) == 1 else f'rows {rows[0].number} to {rows[-1].number} have'
    return (f'{where} {len(extra)} cells more than the others ({", ".join(extra[:6])}); they are left out',)
