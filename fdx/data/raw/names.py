"""The lines of text above a table: names of columns, and their units."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import re
from collections.abc import Sequence

from fdx.data.raw.layout import NUMBER, ONE_COLUMN, Layout, split
from fdx.data.raw.numbers import looks_number
from fdx.types import DataError

_UNIT_WORD = re.compile(
    r'[mµμun]?s|sec|min|h|k?hz|m?g|mm?/s(?:\^?2|²|/s)?|[µμu]m(?:/s)?|mm?|[mµμu]?v|m?a|(?:deg|°)?c|k|rpm|n|nm|pa|bar|db|%|-'
)
_UNIT_CELL = re.compile(r'[\[(].*[\])]')


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the file that is not blank.

    Attributes:
      number: its row in the file, from 1.
      text: the line without a comment.
      cells: its cells.
    """

    number: int
    text: str
    cells: list[str]


def names_above(path: pathlib.Path, above: list[Row], layout: Layout) -> list[str]:
    """The names in the rows above the numbers, with units where a row of them follows.

    Raises:
      DataError: the last of the rows is neither names nor units that fit the rows below, or may be a damaged sample.
    """
    last = above[-1]
    numeric = [layout.kinds[i] == NUMBER and looks_number(c) for i, c in enumerate(last.cells[: layout.num_columns])]
    fits = len(last.cells) == layout.num_columns
    if fits and any(numeric) and not _counts_columns(last.cells):
        bad = next((i for i, cell in enumerate(last.cells) if not looks_number(cell)), 0)
        raise DataError(
            f'{path}: row {last.number}, column {bad + 1}: {last.cells[bad][:40]!r} is not a number; correct or remove '
            f'the row, or pass `header`={last.number} if it holds the names of the columns'
        )
    over = above[-2].cells if len(above) > 1 else []
    if len(over) == layout.num_columns and are_units(last.cells) and not any(map(looks_number, over)):
        return with_units(over, last.cells)
    if layout.delimiter == ONE_COLUMN and '"' not in last.text and re.search('[,;\t|]', last.text):
        names = re.split('[,;\t|]', last.text)
        raise DataError(
            f'{path}: the header (row {last.number}) has {len(names)} names, but the rows have 1 cell; correct it, or '
            f'pass `header`={last.number} if it is one name'
        )
    if not fits and all(map(looks_number, last.cells)):
        raise DataError(
            f'{path}: row {last.number} has {len(last.cells)} cells, not {layout.num_columns}: '
            f'{last.text.strip()[:80]!r}; complete or remove the row, or put a # in front of it'
        )
    if not fits:
        raise DataError(
            f'{path}: the header (row {last.number}) has {len(last.cells)} names, but the rows have '
            f'{layout.num_columns} cells; correct the header, put a # in front of lines that are neither header nor '
            'numbers, or pass `header=no` if there is none'
        )
    return last.cells


def _counts_columns(cells: list[str]) -> bool:
    """Whether names are numbers behind a blank cell or a word for time, as pandas writes them: ',0,1,2'."""
    rest = cells[1:]
    if cells[0] and not re.match(r'(?i)time|index|sample|t$|date', cells[0]):
        return False
    return rest in ([str(i) for i in range(len(rest))], [str(i + 1) for i in range(len(rest))])


def are_units(cells: list[str]) -> bool:
    """Whether all cells that are not empty are units, in brackets or usual ones, and some are."""
    return any(cells) and all(
        not cell or _UNIT_CELL.fullmatch(cell) or _UNIT_WORD.fullmatch(cell.lower()) for cell in cells
    )


def with_units(names: list[str], units: list[str]) -> list[str]:
    """The names with their units: 'time (ms)'."""
    pairs = itertools.zip_longest(names, units, fillvalue='')
    bracketed = ((name, unit if _UNIT_CELL.fullmatch(unit) or not unit else f'({unit})') for name, unit in pairs)
    return [f'{name} {unit}'.strip() for name, unit in bracketed]


def comment_names(lines: Sequence[str], layout: Layout) -> list[str]:
    """The names in the last comment line of these lines; no names where it does not fit the rows or holds numbers."""
    comments = [line.strip().lstrip('#') for line in lines if line.strip().startswith('#')]
    names = fit(split(comments[-1], layout.delimiter), comments[-1], layout) if comments else []
    return [] if len(names) != layout.num_columns or any(map(looks_number, names)) else names


def fit(cells: list[str], text: str, layout: Layout) -> list[str]:
    """The cells without an empty one behind a trailing delimiter; names with single blanks are kept whole."""
    while len(cells) > layout.num_columns and not cells[-1] and (layout.trailing or not any(cells[len(cells) - 1 :])):
        cells = cells[:-1]
    if layout.delimiter is None and len(cells) != layout.num_columns:
        wide = [cell.strip().strip('"') for cell in re.split(r'\s{2,}|\t', text.strip())]
        if len(wide) == layout.num_columns:
            return wide
    return cells
