"""The text of LabVIEW measurement files (.lvm): headers and rows.

A file begins with a header of lines 'name<separator>value' up to ***End_of_Header***. A segment follows, or several:
each has a header of its own, with one value per channel, again up to ***End_of_Header***, a line of column names that
begins with X_Value, and rows of numbers; the last column may hold comments. X_Columns says whether there is one column
of x, one per channel, or an empty one.

Source: National Instruments, "Specification for the LabVIEW Measurement File (.lvm)" (2023).
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from fdx.types import DataError

_MAGIC, _END = 'LabVIEW Measurement', '***End_of_Header***'
_START_SPECIAL, _END_SPECIAL = '***Start_Special***', '***End_Special***'
_SEPARATORS = {'tab': '\t', 'comma': ',', 'semicolon': ';'}
_REMEDY = 'it is cut off or damaged: export it again'


@dataclasses.dataclass(frozen=True)
class Segment:
    """A block of rows.

    Attributes:
      header: name -> one value per channel.
      names: of the channels.
      values: of each channel, float64 [T].
      times: of each channel where the file has columns of x, else of no channel.
    """

    header: dict[str, list[str]]
    names: list[str]
    values: list[np.ndarray]
    times: list[np.ndarray]


def read_settings(file: pathlib.Path, lines: Sequence[str]) -> tuple[str, str, str]:
    """(separator, decimal sign, X_Columns) by the header of the file.

    Raises:
      DataError: it is no header of LabVIEW.
    """
    if not lines or not lines[0].strip().startswith(_MAGIC):
        raise DataError(f'{file} is no LabVIEW measurement file: its first line is not {_MAGIC!r}; {_REMEDY}')
    found = {}
    for line in lines:
        if line.startswith(_END):
            break
        parts = line.replace(',', '\t', 1).split('\t') if '\t' not in line else line.split('\t')
        if len(parts) > 1:
            found[parts[0].strip()] = parts[1]
    else:
        raise DataError(f'{file} has no line {_END!r}; {_REMEDY}')
    word = found.get('Separator', 'Tab').strip().lower()
    decimal = found.get('Decimal_Separator', '.').strip()
    columns = found.get('X_Columns', 'One').strip().lower()
    if word not in _SEPARATORS or decimal not in ('.', ',') or columns not in ('no', 'one', 'multi'):
        raise DataError(
            f'{file}: its header says Separator {word}, Decimal_Separator {decimal}, X_Columns {columns}, which '
            f'LabVIEW does not write; {_REMEDY}'
        )
    return _SEPARATORS[word], decimal, columns


def read_segments(
    file: pathlib.Path, lines: Sequence[str], separator: str, decimal: str, columns: str
) -> Iterator[Segment]:
    """Yields the segments.

    Raises:
      DataError: the header does not fit the rows, or a cell is not a number; it names the row.
    """
    at = next(i for i, line in enumerate(lines) if line.startswith(_END)) + 1
    header: dict[str, list[str]] = {}
    special, count = False, 0
    while at < len(lines):
        line = lines[at]
        if line.startswith((_START_SPECIAL, _END_SPECIAL)):
            special = line.startswith(_START_SPECIAL)
        elif special or not line.strip(f'{separator} ') or line.startswith(_END):
            pass
        elif line.split(separator)[0].strip() == 'X_Value':
            rows_end = _rows_end(lines, at + 1, separator)
            yield _segment(file, lines, at, rows_end, header, separator, decimal, columns)
            header, count, at = {}, count + 1, rows_end
            continue
        else:
            name, *values = line.split(separator)
            header[name.strip()] = [v.strip() for v in values]
        at += 1
    if header or not count:
        raise DataError(f'{file} has no line of column names (X_Value ...) after its last header; {_REMEDY}')


def _rows_end(lines: Sequence[str], at: int, separator: str) -> int:
    """Where the rows of a segment end: at a blank line, or at a header."""
    while at < len(lines):
        line = lines[at]
        first = line.split(separator, 1)[0].strip()
        if not line.strip(f'{separator} ') or first[:1].isalpha() and not _is_special_number(first) or first[:1] == '*':
            break
        at += 1
    return at


def _is_special_number(cell: str) -> bool:
    return cell.lower() in ('nan', 'inf', 'infinity')


def _segment(
    file: pathlib.Path,
    lines: Sequence[str],
    at: int,
    end: int,
    header: dict[str, list[str]],
    separator: str,
    decimal: str,
    columns: str,
) -> Segment:
    titles = [title.strip() for title in lines[at].split(separator)]
    while titles and not titles[-1]:
        titles.pop()
    if titles[-1] == 'Comment':
        titles.pop()
    xs = [i for i, title in enumerate(titles) if title == 'X_Value'] if columns == 'multi' else [0]
    ys = [i for i in range(len(titles)) if i not in xs]
    if not ys:
        raise DataError(f'{file}: row {at + 1} names no channel; {_REMEDY}')
    count = of_channel(header, 'Channels', 0)
    if count.isdecimal() and int(count) != len(ys):
        raise DataError(f'{file}: its header says {count} channels, row {at + 1} names {len(ys)}; {_REMEDY}')
    rows = [line.split(separator) for line in lines[at + 1 : end]]
    values = [_column(file, rows, i, at + 2, titles[i], decimal) for i in ys]
    for i, (title, column) in enumerate(zip((titles[y] for y in ys), values)):
        announced = of_channel(header, 'Samples', i)
        if announced.isdecimal() and int(announced) > column.size:
            raise DataError(
                f'{file}: channel {title} announces {announced} samples, {column.size} are there; {_REMEDY}'
            )
    times: list[np.ndarray] = []
    if columns != 'no':
        owners = [max(x for x in xs if x < y) for y in ys]
        found = {x: _column(file, rows, x, at + 2, titles[x], decimal) for x in set(owners)}
        times = [found[x] for x in owners]
    return Segment(header, [titles[i] for i in ys], values, times)


def _column(
    file: pathlib.Path, rows: Sequence[list[str]], index: int, first_row: int, title: str, decimal: str
) -> np.ndarray:
    """A column as float64; blank cells at its end mean that this channel has fewer samples."""
    cells = [row[index].strip() if index < len(row) else '' for row in rows]
    while cells and not cells[-1]:
        cells.pop()
    if decimal == ',':
        cells = [cell.replace(',', '.') for cell in cells]
    try:
        return np.array(cells, np.float64) if cells else np.zeros(0)
    except ValueError:
        pass
    for i, cell in enumerate(cells):
        try:
            float(cell)
        except ValueError as e:
            raise DataError(
                f'{file}: row {first_row + i}, column {title}: {cell[:40]!r} is not a number; correct or remove the row'
            ) from e
    raise DataError(f'{file}: column {title} holds more than numbers; {_REMEDY}')


def of_channel(header: dict[str, list[str]], name: str, index: int) -> str:
    """The value of a channel; the last one counts for those behind it."""
    values = [v for v in header.get(name, []) if v]
    if not values:
        return ''
    given = header[name]
    return given[index] if index < len(given) and given[index] else values[-1]
