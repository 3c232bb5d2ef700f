"""Whether a first row of numbers holds names of columns or the first samples."""

from __future__ import annotations

import pathlib
import re

from fdx.data.raw.layout import NUMBER, Layout
from fdx.types import DataError

NAMES, SAMPLE = 'names', 'sample'
# Fewer rows do not show how a program writes numbers; so many show that decimals are never left out.
_MIN_ROWS = 10
_MIN_FIXED_ROWS = 40
_OFTEN = 0.95
# A first value that exceeds all others by this factor is a rate, a count or a wild sample.
_FAR = 20.0
_WHOLE = re.compile(r'[+-]?\d+')


def judge_first_row(path: pathlib.Path, row: int, cells: list[str], layout: Layout, rows_below: int) -> str:
    """NAMES or SAMPLE, by how the row and the rows below are written.

    - Whole numbers above a column that has always the same number of decimals are names ('1' above '0.123456').
    - Whole numbers above cells that nearly all have decimals are refused: 0 may be a name or a sample written short.
    - Whole numbers above whole numbers are refused where they count the columns (0,1,2 or 1,2,3) or the rows.
    - A number far above all of its column is refused: a rate or a count, or a wild sample.
    - All else is a sample.

    Args:
      path: the file, for messages.
      row: the row's number in the file.
      cells: its cells.
      layout: with rows of the body.
      rows_below: how many lines follow.

    Raises:
      DataError: the row may be either; it names `header`.
    """
    body = [cells_of_row for cells_of_row in layout.body if cells_of_row is not cells]
    if len(body) < _MIN_ROWS:
        return SAMPLE
    columns = [i for i, kind in enumerate(layout.kinds) if kind == NUMBER]
    whole = all(_WHOLE.fullmatch(cells[i]) for i in columns)
    decimals = {i: [_decimals(r[i]) for r in body] for i in columns}
    if whole and len(body) >= _MIN_FIXED_ROWS and any(len(set(d)) == 1 and d[0] > 0 for d in decimals.values()):
        return NAMES
    numbers = [cells[i] for i in columns]
    count = len(numbers)
    counting = numbers in ([str(i) for i in range(count)], [str(i + 1) for i in range(count)])
    mostly = any(sum(n > 0 for n in d) >= _OFTEN * len(d) for d in decimals.values())
    counts_rows = numbers == [str(rows_below)] or numbers == [str(rows_below - 1)]
    if whole and (mostly or counting or counts_rows):
        raise _open(path, row, cells, 'are whole, those below have decimals' if mostly else 'count columns or rows')
    for i in columns:
        largest = max((abs(_value(r[i])) for r in body), default=0.0)
        if 0 < _FAR * largest < abs(_value(cells[i])):
            raise _open(path, row, cells, f'go up to {largest:g} below')
    return SAMPLE


def _open(path: pathlib.Path, row: int, cells: list[str], what: str) -> DataError:
    shown = ', '.join(cells[:4]) + (', ...' if len(cells) > 4 else '')
    return DataError(
        f'{path}: row {row} ({shown}) may hold names of columns or samples: its numbers {what}; pass `header=yes` if '
        'they are names or another heading, or `header=no` if they are samples'
    )


def _decimals(cell: str) -> int:
    """Digits behind the decimal sign; 1 for a number with an exponent alone."""
    mantissa, _, exponent = cell.lower().partition('e')
    digits = re.search(r'[.,](\d*)$', mantissa)
    return len(digits[1]) if digits else int(bool(exponent))


def _value(cell: str) -> float:
    """The number, with any last comma or point as its decimal sign; 0 where it is not a number."""
    try:
        return float(cell.replace(',', '.').replace('\u2212', '-'))
    except ValueError:
        return 0.0
