"""Decimal and thousands separators: what a cell such as 1,234 means, decided from all cells of a file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from fdx.types import DataError

_EXPONENT = r'(?:[eE][+-]?\d+)?'
_SPECIAL = r'(?i:nan|inf|infinity)'
# Blanks of all widths and apostrophes between groups of three digits are separators of thousands and nothing else.
_GROUP_MARKS = " '\u00a0\u2009\u202f\u2019"
_ANY_NUMBER = re.compile(
    rf'[+\-\u2212]?(?:(?:\d{{1,3}}(?:[{_GROUP_MARKS}.,]\d{{3}})+|\d+)(?:[.,]\d*)?|[.,]\d+){_EXPONENT}'
    rf'|[+-]?{_SPECIAL}'
)
# So many plain whole numbers below 1000, and such a share of a column, show that 1,234 in it is not a fraction: numbers
# written with three decimals have them always, and of those written with as many as needed few are whole.
_MIN_PLAIN = 20
_MIN_PLAIN_SHARE = 0.05


@dataclasses.dataclass(frozen=True)
class NumberStyle:
    """How numbers are written.

    Attributes:
      decimal: '.' or ','.
      thousands: the other one where it groups digits, or ''.
      note: a sentence for the user where the decision is not obvious.
    """

    decimal: str = '.'
    thousands: str = ''
    note: str = ''


@dataclasses.dataclass
class _Evidence:
    """Of one character: cells in which it can only be a decimal sign, only group digits, or be either; examples."""

    decimal: str = ''
    grouping: str = ''
    either: str = ''
    # Whether the cells that leave it open stand among plain whole numbers below 1000 in some column, and no others.
    among_small: bool = False


def looks_number(cell: str) -> bool:
    """Whether the cell is a number in one way of writing or another (decimal point or comma, grouped digits)."""
    return _ANY_NUMBER.fullmatch(cell) is not None


def _patterns(mark: str) -> dict[str, str]:
    m, o = re.escape(mark), re.escape({'.': ',', ',': '.'}[mark])
    group = rf'[+-]?[1-9]\d{{0,2}}(?:{m}\d{{3}})'
    return {
        'either': rf'^{group}$',
        'grouping': rf'^(?:{group}{{2,}}(?:{o}\d*)?|{group}+{o}\d*)$',
        'decimal': rf'^[+-]?(?:\d*|[1-9]\d{{0,2}}(?:{o}\d{{3}})+){m}\d*{_EXPONENT}$',
    }


_PATTERNS = {mark: _patterns(mark) for mark in '.,'}
_SMALL, _LARGE = r'^[+-]?\d{1,3}$', r'^[+-]?\d{4,}$'


def cleaned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells without blanks around them, and with the ASCII minus."""
    return pc.replace_substring(pc.utf8_trim_whitespace(column), '\u2212', '-')


def decide_style(path: object, columns: Iterable[pa.ChunkedArray], decimal: str | None) -> NumberStyle:
    """Decides decimal sign and thousands separator of a file from all its cells.

    A sign is a decimal one where any cell allows nothing else (0,5 or 12,25), and groups digits where any cell
    demands it (1,234,567 or 1,234.5). If all cells with it look like 1,234, it groups digits where they stand among
    plain whole numbers below 1000 (a note says so). A point that is still open is a decimal point; a comma is refused.

    Args:
      path: the file, for messages.
      columns: the cells of each column, as text, cleaned.
      decimal: what the user says, or None.

    Raises:
      DataError: the cells contradict each other or leave it open; it names `decimal`.
    """
    if decimal is not None:
        return NumberStyle(decimal, ',' if decimal == '.' else '.')
    found = {mark: _Evidence() for mark in '.,'}
    for column in columns:
        for mark, evidence in found.items():
            _look(column, mark, evidence)
    point, comma = found['.'], found[',']
    for mark, other, evidence in (('.', ',', point), (',', '.', comma)):
        if evidence.decimal and evidence.grouping:
            raise _refusal(path, evidence.decimal, evidence.grouping, f'{mark} is a decimal sign and groups digits')
        if evidence.grouping:
            found[other].decimal = found[other].decimal or evidence.grouping
    if point.decimal and comma.decimal:
        raise _refusal(path, point.decimal, comma.decimal, 'both . and , are decimal signs')
    if comma.decimal:
        return NumberStyle(',', '.' if point.either or point.grouping else '')
    if point.decimal:
        return NumberStyle('.', ',' if comma.either or comma.grouping else '')
    if point.either and comma.either:
        raise _refusal(path, point.either, comma.either, 'either . or , is the decimal sign')
    for mark, evidence in (('.', point), (',', comma)):
        if evidence.among_small:
            plain = evidence.either.replace(mark, '')
            note = (
                f'{evidence.either} is read as {plain}, as its column holds whole numbers below 1000 without '
                f'{mark}; pass `decimal`={mark} if {mark} is the decimal sign'
            )
            return NumberStyle(',' if mark == '.' else '.', mark, note)
    if comma.either:
        text, plain = comma.either, comma.either.replace(',', '')
        raise DataError(
            f'{path}: {text} may be {plain} or {text.replace(",", ".")}; pass `decimal=.` for the first (the comma '
            'groups digits) or `decimal=,` for the second'
        )
    return NumberStyle()


def numbers(column: pa.ChunkedArray, style: NumberStyle) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Cleaned cells of text as float64: (the numbers, null where a cell is not one; whether each cell is a number)."""
    marks = re.escape(style.thousands) if style.thousands else ''
    whole = rf'\d+|\d{{1,3}}(?:{marks}\d{{3}})+' if marks else r'\d+'
    d = re.escape(style.decimal)
    text = pc.if_else(
        pc.match_substring_regex(column, rf'^[+-]?\d{{1,3}}(?:[{_GROUP_MARKS}]\d{{3}})+(?:{d}\d*)?$'),
        pc.replace_substring_regex(column, f'[{_GROUP_MARKS}]', ''),
        column,
    )
    good = pc.match_substring_regex(text, rf'^[+-]?(?:(?:(?:{whole})(?:{d}\d*)?|{d}\d+){_EXPONENT}|{_SPECIAL})$')
    if style.thousands:
        text = pc.replace_substring(text, style.thousands, '')
    if style.decimal == ',':
        text = pc.replace_substring(text, ',', '.')
    text = pc.replace_substring_regex(text, r'^\+', '')
    return pc.cast(pc.if_else(good, text, pa.scalar(None, pa.string())), pa.float64()), good


def sampled_style(cells: Sequence[str], body_has: dict[str, bool]) -> NumberStyle | None:
    """The style where some cells of the body already settle it, for a first try at parsing; None: all must be read.

    Args:
      cells: number cells of some rows.
      body_has: whether '.' and ',' occur in the body at all, ',' only where it is not a delimiter.
    """
    if not body_has['.'] and not body_has[',']:
        return NumberStyle()
    clear = {mark: re.compile(_PATTERNS[mark]['decimal']) for mark in '.,'}
    either = {mark: re.compile(_PATTERNS[mark]['either']) for mark in '.,'}
    for mark, other in (('.', ','), (',', '.')):
        if not body_has[other] and any(clear[mark].match(c) and not either[mark].match(c) for c in cells):
            return NumberStyle(mark)
    return None


def _look(column: pa.ChunkedArray, mark: str, evidence: _Evidence) -> None:
    has = pc.match_substring(column, mark)
    if not pc.any(has).as_py():
        return
    with_mark, rest = column.filter(has), column.filter(pc.invert(has))
    patterns = _PATTERNS[mark]
    either = pc.match_substring_regex(with_mark, patterns['either'])
    open_cells = with_mark.filter(either)
    settled = with_mark.filter(pc.invert(either))
    decimal = settled.filter(pc.match_substring_regex(settled, patterns['decimal']))
    grouping = settled.filter(pc.match_substring_regex(settled, patterns['grouping']))
    evidence.decimal = evidence.decimal or _first(decimal)
    evidence.grouping = evidence.grouping or _first(grouping)
    evidence.either = evidence.either or _first(open_cells)
    if len(open_cells):
        small = pc.sum(pc.match_substring_regex(rest, _SMALL)).as_py() or 0
        large = pc.any(pc.match_substring_regex(rest, _LARGE)).as_py()
        evidence.among_small |= small >= max(_MIN_PLAIN, _MIN_PLAIN_SHARE * len(column)) and not large


def _first(cells: pa.ChunkedArray) -> str:
    return cells[0].as_py() if len(cells) else ''


def _refusal(path: object, one: str, other: str, what: str) -> DataError:
    return DataError(
        f'{path}: {what} ({one} and {other}); pass `decimal=.` or `decimal=,` if the file has one kind of numbers, '
        'or export it again'
    )
