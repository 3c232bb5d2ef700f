"""How a text table is laid out: its delimiter, the number of cells of a row, and what the columns hold."""

from __future__ import annotations

import csv
import dataclasses
import pathlib
import re
import statistics
from collections.abc import Sequence

from fdx.data.raw.format import TextFormat
from fdx.data.raw.lines import rows_of
from fdx.data.raw.numbers import looks_number
from fdx.types import DataError

NUMBER, TIME, TEXT = 'number', 'time', 'text'
# Rows that are looked at: all but the first of a short file, the middle and the end of a long one.
_SHORT = 50
_PART = 50
_SAMPLE_CHARACTERS = 150_000
# So many rows with fractions of one length do not occur by chance.
_MIN_EVEN = 10
_CANDIDATES = ';\t|'
_DATE = r'\d{4}[-/]\d\d?[-/]\d\d?|\d\d?[./]\d\d?[./]\d{4}'
_CLOCK = r'\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?'
_TIME_CELL = re.compile(rf'(?:{_DATE})(?:[T ]+{_CLOCK})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?|{_CLOCK}')
_DECIMAL_COMMA = re.compile(r'[+-]?\d+,\d+(?:[eE][+-]?\d+)?')


@dataclasses.dataclass(frozen=True)
class Layout:
    """How the rows of a table are written.

    Attributes:
      delimiter: one character, or None for white space. ONE_COLUMN where no delimiter is seen.
      num_columns: cells of a row.
      trailing: every row ends with a delimiter.
      kinds: of each column, NUMBER, TIME (dates or times of day) or TEXT.
      body: cells of some rows of the body, as text.
    """

    delimiter: str | None
    num_columns: int
    trailing: bool
    kinds: tuple[str, ...]
    body: list[list[str]]


ONE_COLUMN = '\0'


def split(text: str, delimiter: str | None) -> list[str]:
    """The cells of a line, without quotes and blanks around them."""
    if delimiter == ONE_COLUMN:
        return [text.strip().strip('"').strip()]
    # At the ends of a line a blank is not a delimiter, but a tab may be one.
    text = text.strip(' ') if delimiter is not None else text.strip()
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    if delimiter is None:
        text, delimiter = re.sub(r'\s+', ' ', text), ' '
    try:
        cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))
    except (csv.Error, StopIteration):
        cells = text.split(delimiter)
    return [cell.strip().strip('"').strip() for cell in cells]


def is_time_cell(cell: str) -> bool:
    """Whether the cell is a date or a time of day."""
    return _TIME_CELL.fullmatch(cell) is not None


def find_layout(path: pathlib.Path, lines: Sequence[str], fmt: TextFormat, separator: str | None) -> Layout:
    """Finds the layout from rows of the body; text above it does not count.

    Args:
      path: the file, for messages.
      lines: all lines of the file.
      fmt: what the user says.
      separator: the delimiter that the file's first line names, or None.

    Raises:
      DataError: there are no rows, none holds a number, or a comma may be a delimiter or a decimal sign.
    """
    texts, first = _sample(path, lines, fmt)
    if fmt.delimiter is not None:
        delimiter = fmt.delimiter_character
    elif separator is not None:
        delimiter = separator
    else:
        delimiter = _delimiter(path, texts, first, fmt)
    if delimiter == ',' and fmt.decimal == ',' and not any('"' in text for text in texts):
        raise DataError(
            f'{path}: `decimal=,` leaves no way to tell decimal commas from the commas between cells in '
            f'{texts[0].strip()[:60]}; export the file with ; between cells, or pass the right `delimiter`'
        )
    rows = [split(text, delimiter) for text in texts]
    width = statistics.mode(len(row) for row in rows)
    alike = [row for row in rows if len(row) == width]
    trailing = width > 1 and delimiter is not None and all(row[-1] == '' for row in alike)
    width -= trailing
    if width == 1 and not trailing:
        delimiter = ONE_COLUMN
    body = [row[:width] for row in alike]
    kinds = tuple(_kind([row[i] for row in body]) for i in range(width))
    if NUMBER not in kinds:
        raise DataError(
            f'{path} holds no rows of numbers, at most a header (found {texts[-1].strip()[:60]!r}); export the '
            'recording again, or pass `delimiter` if its cells are separated by something unusual'
        )
    return Layout(delimiter, width, trailing, kinds, body)


def _sample(path: pathlib.Path, lines: Sequence[str], fmt: TextFormat) -> tuple[list[str], str]:
    """(rows of the body, the first row)."""
    start = fmt.header_row or 0
    if len(lines) - start <= 4 * _PART:
        rows = [text for _, text in rows_of(lines, start)]
        if not rows:
            where = f' behind row {start}, which `header`={start} names' if start else ''
            raise DataError(f'{path} holds no rows of numbers{where}; export the recording again')
        first = rows[0]
        rows = (rows[1:] or rows) if len(rows) <= _SHORT else rows[len(rows) // 2 :]
    else:
        first = next((text for _, text in rows_of(lines, start)), '')
        middle = (start + len(lines)) // 2
        places = (range(start + 2 * _PART, start + 3 * _PART), range(middle, middle + _PART), range(-_PART, -1))
        rows = [text for _, text in rows_of([lines[i] for place in places for i in place])]
        if not rows:
            raise DataError(f'{path} holds no rows of numbers in its middle; export the recording again')
    kept: list[str] = []
    total = 0
    for text in reversed(rows):
        total += len(text)
        if kept and total > _SAMPLE_CHARACTERS:
            break
        kept.append(text)
    return kept[::-1], first


def _delimiter(path: pathlib.Path, texts: list[str], first: str, fmt: TextFormat) -> str | None:
    for candidate in _CANDIDATES:
        if 2 * sum(candidate in text for text in texts) > len(texts):
            return candidate
    with_comma = [text for text in texts if ',' in text]
    if 2 * len(with_comma) <= len(texts):
        return None
    blank = [split(text, None) for text in with_comma]
    if statistics.mode(len(row) for row in blank) > 1 and all(looks_number(c) for row in blank for c in row):
        # '0,5 1,5': cells between commas would hold blanks.
        return None
    if '"' in ''.join(with_comma):
        return ','
    return _comma_or_decimal(path, with_comma, first, fmt)


def _comma_or_decimal(path: pathlib.Path, texts: list[str], first: str, fmt: TextFormat) -> str | None:
    """',' where it delimits; None where each row is one number with a decimal comma."""
    if not all(_DECIMAL_COMMA.fullmatch(text.strip()) for text in texts):
        _refuse_pairs(path, texts, fmt)
        return ','
    if fmt.decimal == ',':
        return None
    if fmt.decimal == '.':
        return ','
    names = len(split(first, ','))
    if looks_number(first.strip()) or _DECIMAL_COMMA.fullmatch(first.strip()):
        names = 0
    fraction = any(re.search(r',0\d|[eE]', text) for text in texts)
    if names == 1 or (names == 0 and fraction):
        return None
    if names > 2 or (names == 2 and not fraction):
        return ','
    raise DataError(
        f'{path}: {texts[0].strip()[:60]} may be one number with a decimal comma or two cells; pass `decimal=,` for '
        'one number, or `delimiter=comma` for two cells'
    )


def _refuse_pairs(path: pathlib.Path, texts: list[str], fmt: TextFormat) -> None:
    """Refuses '0,012,1,250': two decimal commas with a comma between would be read as four whole numbers."""
    if fmt.decimal == '.' or any('.' in text for text in texts):
        return
    cells = [split(text, ',') for text in texts]
    fractions = [cell for row in cells for cell in row[1::2]]
    in_pairs = all(len(row) % 2 == 0 for row in cells) and all(re.fullmatch(r'\d+', cell) for cell in fractions)
    padded = any(cell[0] == '0' and len(cell) > 1 for cell in fractions if cell)
    even = len(cells) >= _MIN_EVEN and len(fractions[0]) > 1 and len({len(cell) for cell in fractions}) == 1
    if in_pairs and (padded or even):
        raise DataError(
            f'{path}: {texts[0].strip()[:60]} holds commas that may be decimal signs or delimiters; export the '
            'file with ; between cells, or pass `decimal=.` if every comma is a delimiter'
        )


def _kind(cells: list[str]) -> str:
    """What a column holds, by the majority of its cells that are not empty."""
    cells = [cell for cell in cells if cell]
    if not cells or 2 * sum(map(looks_number, cells)) >= len(cells):
        return NUMBER
    return TIME if 2 * sum(map(is_time_cell, cells)) > len(cells) else TEXT
