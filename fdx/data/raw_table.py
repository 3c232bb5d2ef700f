"""A text table of numbers: delimiter, header, decimal sign, and the row behind an error."""

from __future__ import annotations

import dataclasses
import io
import itertools
import logging
import pathlib
import re
import statistics
from collections.abc import Callable, Iterator

import numpy as np

from fdx.types import DataError

_log = logging.getLogger(__name__)
_SNIFFED_ROWS = 50
_UNIT_CELL = re.compile(r'[\[(].*[\])]')


@dataclasses.dataclass(frozen=True)
class _Table:
    """How a table is written.

    Attributes:
      path: the file.
      lines: all its lines.
      delimiter: one character, or None for white space.
      trailing: every row ends with a delimiter.
      num_columns: cells of a row.
      names: one for each column, or () without a header.
      start: index of the first line of numbers.
    """

    path: pathlib.Path
    lines: list[str]
    delimiter: str | None
    trailing: bool
    num_columns: int
    names: tuple[str, ...]
    start: int

    def rows(self) -> Iterator[tuple[int, str]]:
        """Yields (row number in the file, from 1; text without comment) of every row of numbers."""
        return _rows(self.lines, self.start)

    def row_number(self, index: int) -> int:
        """The row number in the file of the row of numbers with this index."""
        return next(itertools.islice(self.rows(), index, None))[0]


@dataclasses.dataclass(frozen=True)
class NumberTable:
    """A table as read.

    Attributes:
      path: the file.
      names: one for each column, or () without a header.
      values: float64 [N, columns].
      row_number: gives the row number in the file of the row of numbers with an index.
    """

    path: pathlib.Path
    names: tuple[str, ...]
    values: np.ndarray
    row_number: Callable[[int], int]


def read_table(path: pathlib.Path, *, drop_cut_line: bool = False) -> NumberTable:
    """Reads a table of numbers.

    The delimiter is a semicolon, tab, comma or white space; with a semicolon or tab, a comma is a decimal point.
    Blank lines and what follows a # are skipped. A header is one line of names, may be the last comment line (as
    numpy.savetxt writes it) and may be followed by a line of bracketed units.

    Args:
      path: the file, in UTF-8, UTF-16 with its mark, or Latin-1.
      drop_cut_line: leave out a last line without a line end: the file may have been cut off inside its last number,
        which nothing in the line would show. A warning says so where cells are missing.

    Raises:
      DataError: no rows, a cell that is no number, or rows of different length; it names row (line of the file, from 1)
        and column.
    """
    lines = _lines(path)
    if drop_cut_line and len(lines) > 2 and lines[-1].strip():
        last = lines.pop()
        cells, usual = (len(re.findall('[,;\t]', line)) for line in (last, lines[-1]))
        level = logging.WARNING if cells < usual else logging.INFO
        _log.log(level, '%s: row %d, %r, has no line end, the file was cut off: left out', path, len(lines) + 1, last)
    table = _sniff(path, lines)
    return NumberTable(path, table.names, _parse(table), table.row_number)


def _lines(path: pathlib.Path) -> list[str]:
    return _decode(path).replace('\r\n', '\n').replace('\r', '\n').split('\n')


def _decode(path: pathlib.Path) -> str:
    content = path.read_bytes()
    if content.startswith((b'\xff\xfe', b'\xfe\xff')):
        return content.decode('utf-16', errors='replace').lstrip('\ufeff')
    if b'\0' in content:
        raise DataError(f'{path} is not a text file (it holds zero bytes); name it after its real format')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError:
        return content.decode('latin-1')


def _rows(lines: list[str], start: int) -> Iterator[tuple[int, str]]:
    for i in range(start, len(lines)):
        text = lines[i].partition('#')[0]
        if text and not text.isspace():
            yield i + 1, text


def _split(text: str, delimiter: str | None) -> list[str]:
    # A blank is no delimiter at the ends of a line, but a tab may be one.
    return [cell.strip().strip('"').strip() for cell in text.strip(' ').split(delimiter)]


def _is_number(cell: str, delimiter: str | None) -> bool:
    try:
        float(_pointed(cell, delimiter))
    except ValueError:
        return False
    return '_' not in cell


def _pointed(text: str, delimiter: str | None) -> str:
    """A comma that is no delimiter is a decimal point."""
    return text.replace(',', '.') if delimiter in (';', '\t') else text


def _sniff(path: pathlib.Path, lines: list[str]) -> _Table:
    head = list(itertools.islice(_rows(lines, 0), _SNIFFED_ROWS))
    if not head:
        raise DataError(f'{path} holds no rows of numbers; export the recording again')
    # The first line may be a header whose words hold blanks and commas, so the others decide, by majority.
    body = [text for _, text in head[1:]] or [head[0][1]]
    delimiter = next((d for d in ';\t,' if 2 * sum(d in text for text in body) > len(body)), None)
    cells = [_split(text, delimiter) for text in body]
    num_columns = statistics.mode(len(row) for row in cells)
    trailing = num_columns > 1 and delimiter is not None and all(row[-1] == '' for row in cells)
    num_columns -= trailing
    names, start = _header(lines, head, delimiter, num_columns)
    if trailing and len(names) == num_columns + 1 and not names[-1]:
        names.pop()
    if names and len(names) != num_columns:
        raise DataError(
            f'{path}: the header (row {head[0][0]}) has {len(names)} names, but the rows have {num_columns} cells; '
            'correct the header, or put a # in front of lines that are neither header nor numbers'
        )
    if next(_rows(lines, start), None) is None:
        raise DataError(f'{path} holds a header but no rows of numbers; export the recording again')
    return _Table(path, lines, delimiter, trailing, num_columns, tuple(names), start)


def _header(
    lines: list[str], head: list[tuple[int, str]], delimiter: str | None, num_columns: int
) -> tuple[list[str], int]:
    """(names, index of the first line of numbers)."""
    first_row = head[0][0]
    names = _split(head[0][1], delimiter)
    if not any(_is_number(cell, delimiter) for cell in names):
        units = _split(head[1][1], delimiter) if len(head) > 1 else ['']
        if any(units) and all(not unit or _UNIT_CELL.fullmatch(unit) for unit in units):
            pairs = itertools.zip_longest(names, units, fillvalue='')
            return [f'{name} {unit}'.strip() for name, unit in pairs], head[1][0]
        return names, first_row
    comments = [line.strip().lstrip('#') for line in lines[: first_row - 1] if line.strip().startswith('#')]
    names = _split(comments[-1], delimiter) if comments else []
    if len(names) != num_columns or any(_is_number(name, delimiter) for name in names):
        names = []
    return names, first_row - 1


def _parse(table: _Table) -> np.ndarray:
    """The numbers, float64 [N, num_columns]: read in one go, then row by row only to name the first bad one."""
    texts = [text for _, text in table.rows()]
    if table.trailing:
        texts = [text.rstrip(' ').removesuffix(table.delimiter) for text in texts]
    content = io.StringIO(_pointed('\n'.join(texts), table.delimiter))
    try:
        values = np.loadtxt(content, delimiter=table.delimiter, comments=None, quotechar='"', ndmin=2)
    except ValueError as e:
        _raise_for_bad_row(table)
        raise DataError(f'{table.path} cannot be read as a table of numbers ({e}); export it as plain CSV') from e
    if values.shape != (len(texts), table.num_columns):
        _raise_for_bad_row(table)
        raise DataError(
            f'{table.path} cannot be read as a table of {table.num_columns} columns; export it as plain CSV'
        )
    return values


def _raise_for_bad_row(table: _Table) -> None:
    for row, text in table.rows():
        cells = _split(text, table.delimiter)
        if table.trailing and not cells[-1]:
            cells.pop()
        if len(cells) != table.num_columns:
            raise DataError(
                f'{table.path}: row {row} has {len(cells)} cells, not {table.num_columns}: {text.strip()[:80]!r}; '
                'complete or remove the row, or put a # in front of it'
            )
        for i, cell in enumerate(cells):
            if not _is_number(cell, table.delimiter):
                column = f'column {i + 1} ({table.names[i]})' if table.names else f'column {i + 1}'
                raise DataError(
                    f'{table.path}: row {row}, {column}: {cell!r} is not a number; correct or remove the row '
                    '(dates are not read: write times in seconds; a header has no numbers among its names)'
                )
