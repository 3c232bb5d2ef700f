"""Numbers as a sentence has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MAX_LISTED = 8


def counted(number: int, noun: str, plural: str = '') -> str:
    """'1 recording', '1,200 recordings'."""
    return f'{number:,} {noun if number == 1 else plural or noun + "s"}'


def listed(names: Sequence[object], last: str = 'and') -> str:
    """'a', 'a and b', 'a, b and c'; of more than eight the first seven 'and 5 more'."""
    texts = [str(name) for name in names]
    if len(texts) > MAX_LISTED:
        texts = [*texts[: MAX_LISTED - 1], f'{len(texts) - MAX_LISTED + 1} more']
    return texts[0] if len(texts) == 1 else f'{", ".join(texts[:-1])} {last} {texts[-1]}' if texts else 'none'


def in_order(names: Iterable[str]) -> list[str]:
    """Names sorted with their numbers by size: '600 rpm' stands before '1200 rpm'."""
    return sorted(
        names,
        key=lambda name: [(float(part), '') if part.isdecimal() else (-1.0, part) for part in re.split(r'(\d+)', name)],
    )


def of_hundred(share: float) -> int:
    """0.784 -> 78. Only 0 and 1 themselves become 0 and 100."""
    return min(max(round(100 * share), int(share > 0)), 100 - int(share < 1))


def between(ends: Sequence[float]) -> str:
    """(0.784, 1.0) -> 'between 78 and 100'."""
    return f'between {of_hundred(ends[0])} and {of_hundred(ends[1])}'


def duration(seconds: float) -> str:
    """'4.1 s', '12 minutes', '3.5 hours'."""
    if seconds < 120:
        return f'{seconds:.3g} s' if seconds < 100 else f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} minutes' if seconds < 7200 else f'{seconds / 3600:.1f} hours'


def values(numbers: Sequence[float], unit: str = '') -> str:
    """'600, 1,200 and 1,800 rpm', of more than eight '457 to 997 rpm (12 values)'; 'not stated' without any."""
    if not numbers:
        return 'not stated'
    texts = [spoken(n) for n in numbers]
    if len(texts) > MAX_LISTED:
        return f'{spoken_range(numbers)}{unit and " " + unit} ({len(texts)} values)'
    return listed(texts) + (unit and f' {unit}')


def spoken_range(numbers: Sequence[float]) -> str:
    """'1,721 to 1,797', or '1,500' where there is one number."""
    low, high = spoken(min(numbers)), spoken(max(numbers))
    return low if low == high else f'{low} to {high}'


def spoken(value: float) -> str:
    """'1,500' or '12.5'."""
    return f'{value:,.0f}' if value == round(value) else f'{value:g}'
