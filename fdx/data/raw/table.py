"""A text table of numbers: found by fdx's own rules, parsed by Arrow (see fdx.data.raw.arrow)."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fdx.data.raw.arrow import JOINT, Body, floats, strings
from fdx.data.raw.format import TextFormat
from fdx.data.raw.header import Header, find_header
from fdx.data.raw.layout import NUMBER, ONE_COLUMN, TEXT, Layout, find_layout, split
from fdx.data.raw.lines import read_lines, row_number, rows_of, take_separator_line
from fdx.data.raw.numbers import NumberStyle, cleaned, decide_style, looks_number, numbers, sampled_style
from fdx.types import DataError

# One or few rows of that many cells are recordings that lie in rows.
_LYING_CELLS = 100
_LYING_ROWS = 8
_WIDE = 500


@dataclasses.dataclass(frozen=True)
class NumberTable:
    """A table as read.

    Attributes:
      path: the file.
      names: one for each column, or () without a header.
      values: float64 [N, columns]; NaN in columns of `texts`.
      row_number: gives the row number in the file of the row of numbers with an index.
      texts: cells of the columns that hold dates or words, by index of the column.
      notes: what was decided while reading, one sentence each.
    """

    path: pathlib.Path
    names: tuple[str, ...]
    values: np.ndarray
    row_number: Callable[[int], int]
    texts: dict[int, pa.ChunkedArray] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def title(self, index: int) -> str:
        """The column's name, or 'number 3' (from 1) in a file without header."""
        return self.names[index][:60] if self.names else f'number {index + 1}'


def read_table(
    path: pathlib.Path,
    *,
    drop_cut_line: bool = False,
    text_format: TextFormat | None = None,
    allow_text: bool = False,
) -> NumberTable:
    """Reads a table of numbers.

    The delimiter is a semicolon, tab, bar, comma or white space. A comma or point that separates decimals or groups
    digits is recognised (see fdx.data.raw.numbers.decide_style). Blank lines and what follows a # are skipped. A header
    is found as fdx.data.raw.header.find_header says. Few rows of at least 100 cells without header are recordings that
    lie in rows: they become columns.

    Args:
      path: the file, in UTF-8, UTF-16 or Latin-1.
      drop_cut_line: see fdx.data.raw.lines.read_lines.
      text_format: what the user says about the file.
      allow_text: columns of dates or words go to `texts` in place of an error.

    Raises:
      DataError: no rows, a cell that is not a number, rows of different length, or a file that can be read in two ways;
        it names row (line of the file, from 1) and column, and the parameter that settles it.
    """
    fmt = text_format or TextFormat()
    lines = read_lines(path, drop_cut_line=drop_cut_line)
    separator = take_separator_line(lines)
    layout = find_layout(path, lines, fmt, separator)
    lying = _lying(lines, layout, fmt)
    header = Header((), next(rows_of(lines))[0] - 1) if lying else find_header(path, lines, layout, fmt)
    table = _Table(path, lines, layout, header, fmt, allow_text)
    values, texts, style = table.parse()
    notes = (*header.notes, *filter(None, [style.note]))
    if lying:
        length, count = values.shape[::-1]
        notes = (*notes, f'{count} row{"s" * (count > 1)} of {length} cells: taken for samples that lie in rows')
        row = table.row_number(0)
        return NumberTable(path, (), np.ascontiguousarray(values.T), lambda index: row, {}, notes)
    return NumberTable(path, header.names, values, table.row_number, texts, notes)


def _lying(lines: Sequence[str], layout: Layout, fmt: TextFormat) -> bool:
    if layout.num_columns < _LYING_CELLS or fmt.header not in (None, 'no') or set(layout.kinds) != {NUMBER}:
        return False
    rows = list(itertools.islice(rows_of(lines), _LYING_ROWS + 1))
    if len(rows) > _LYING_ROWS:
        return False
    cells = [split(text, layout.delimiter) for _, text in rows]
    if any(len(row) - layout.trailing != layout.num_columns for row in cells):
        return False
    return all(looks_number(cell) for row in cells for cell in row[: layout.num_columns])


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    if len(columns) == 1:
        return columns[0]
    return pa.chunked_array([pa.concat_arrays([chunk for column in columns for chunk in column.chunks])])


@dataclasses.dataclass(frozen=True)
class _Table:
    path: pathlib.Path
    lines: list[str]
    layout: Layout
    header: Header
    fmt: TextFormat
    allow_text: bool

    def row_number(self, index: int) -> int:
        return row_number(self.lines, self.header.start, index)

    def parse(self) -> tuple[np.ndarray, dict[int, pa.ChunkedArray], NumberStyle]:
        """(float64 [N, columns], columns of text, the style of the numbers)."""
        body = self._plain_body() or self._normalised_body()
        style = self._likely_style(body)
        if style is not None:
            values = floats(body, self.layout.num_columns, style.decimal)
            if values is not None:
                return values, {}, style
        # Unusual cells, or one that is not a number. The second try goes row by row, seconds for a million rows.
        columns = strings(body, self.layout.num_columns)
        if columns is None and body.delimiter != JOINT:
            columns = strings(self._normalised_body(), self.layout.num_columns)
        if columns is None:
            self.raise_for_bad_row()
            raise DataError(
                f'{self.path} cannot be read as a table of {self.layout.num_columns} columns; export it as plain CSV'
            )
        return self._converted(columns)

    def _plain_body(self) -> Body | None:
        """The body as it is, where Arrow can split it by itself."""
        delimiter = self.layout.delimiter
        if delimiter is None or (delimiter == ONE_COLUMN and self.header.long_rows):
            return None
        lines = self.lines[self.header.start :]
        for row, text in itertools.islice(rows_of(self.lines, self.header.start), self.header.long_rows):
            if '"' in text:
                return None
            cells = split(text, delimiter)[: self.layout.num_columns]
            lines[row - 1 - self.header.start] = delimiter.join(cells) + delimiter * self.layout.trailing
        text = '\n'.join(lines)
        if '#' in text or (delimiter == ONE_COLUMN and '"' in text):
            return None
        return Body(text, JOINT if delimiter == ONE_COLUMN else delimiter, self.layout.trailing, '"' in text)

    def _normalised_body(self) -> Body:
        """The body without comments, quotes, blanks around cells, trailing delimiters and cells too many."""
        count, rows = self.layout.num_columns, []
        for i, (_, text) in enumerate(rows_of(self.lines, self.header.start)):
            cells = split(text, self.layout.delimiter)
            if len(cells) == count + 1 and self.layout.trailing and not cells[-1]:
                cells.pop()
            rows.append(JOINT.join(cells[:count] if i < self.header.long_rows else cells))
        return Body('\n'.join(rows), JOINT, False, False)

    def _likely_style(self, body: Body) -> NumberStyle | None:
        if set(self.layout.kinds) != {NUMBER}:
            return None
        if self.fmt.decimal == ',':
            return NumberStyle(',', '.')
        if self.fmt.decimal == '.':
            return NumberStyle('.', ',')
        has_comma = ',' in body.text if body.delimiter != ',' else body.quoted
        cells = [cell for row in self.layout.body[:20] for cell in row[:100]]
        return sampled_style(cells, {'.': '.' in body.text, ',': has_comma})

    def _converted(self, columns: list[pa.ChunkedArray]) -> tuple[np.ndarray, dict[int, pa.ChunkedArray], NumberStyle]:
        wanted = [i for i, kind in enumerate(self.layout.kinds) if kind == NUMBER or not self.allow_text]
        # Of a wide table all columns in one go: a call of Arrow costs more than the few cells of a column.
        groups = [wanted] if len(wanted) > _WIDE else [[i] for i in wanted]
        cells = [cleaned(_joined([columns[i] for i in group])) for group in groups]
        style = decide_style(self.path, cells, self.fmt.decimal)
        values = np.full((len(columns[0]), len(columns)), np.nan)
        texts = dict(enumerate(columns))
        for i in wanted:
            del texts[i]
        bad = []
        for group, column in zip(groups, cells):
            found, good = numbers(column, style)
            values[:, group] = found.to_numpy().reshape(len(group), -1).T
            if not pc.all(good).as_py():
                rows, places = np.nonzero(~good.to_numpy().reshape(len(group), -1).T)
                bad.append((int(rows[0]), group[places[0]]))
        if bad:
            index, i = min(bad)
            self._raise_for_cell(index, i, columns[i][index].as_py())
        return values, texts, style

    def _raise_for_cell(self, index: int, i: int, cell: str) -> None:
        name = f'column {i + 1} ({self.header.names[i][:60]})' if self.header.names else f'column {i + 1}'
        remedy = 'correct or remove the row, or pass `header` with the row of the header'
        if self.layout.kinds[i] == TEXT:
            remedy = 'choose columns of numbers with `columns`, or remove the column'
        elif self.layout.kinds[i] != NUMBER:
            remedy = 'write times in seconds (dates are read beside numbers only)'
        elif ',' in cell or '.' in cell:
            remedy += ', `decimal` with the decimal sign, or `delimiter`'
        raise DataError(f'{self.path}: row {self.row_number(index)}, {name}: {cell[:40]!r} is not a number; {remedy}')

    def raise_for_bad_row(self) -> None:
        """Refuses the first row of another length."""
        count = self.layout.num_columns
        for row, text in itertools.islice(rows_of(self.lines, self.header.start), self.header.long_rows, None):
            cells = split(text, self.layout.delimiter)
            if self.layout.trailing and not cells[-1]:
                cells.pop()
            if len(cells) != count:
                raise DataError(
                    f'{self.path}: row {row} has {len(cells)} cells, not {count}: {text.strip()[:80]!r}; '
                    'complete or remove the row, or put a # in front of it'
                )
