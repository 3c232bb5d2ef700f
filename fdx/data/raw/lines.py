"""The lines of a text file: its encoding, line ends, comments, and a first line that names the delimiter."""

from __future__ import annotations

import codecs
import itertools
import logging
import pathlib
import re
from collections.abc import Iterator, Sequence

from fdx.types import DataError

_log = logging.getLogger(__name__)
_MARKS = (  # The mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
# Excel's first line.
_SEPARATOR_LINE = re.compile(r'"?sep=(.|\\t)"?', re.IGNORECASE)
# Names in quotes may hold line ends; numbers do not.
_HEAD_LINES = 200
_QUOTED_LINES = 6
_MIN_UTF16 = 16


def read_lines(path: pathlib.Path, *, drop_cut_line: bool = False) -> list[str]:
    """All lines of the file, without line ends; index i is row i + 1.

    Args:
      path: the file, in UTF-8, in UTF-16 or UTF-32 (with its mark, or UTF-16 without one), or in Latin-1.
      drop_cut_line: leave out a last line without a line end: the file may have been cut off inside its last number,
        which nothing in the line would show. A warning says so where cells are missing.

    Raises:
      DataError: the file is not text.
    """
    lines = _decode(path).replace('\r\n', '\n').replace('\r', '\n').split('\n')
    if drop_cut_line and len(lines) > 2 and lines[-1].strip():
        last = lines.pop()
        cells, usual = (len(re.findall('[,;\t]', line)) for line in (last, lines[-1]))
        level = logging.WARNING if cells < usual else logging.INFO
        _log.log(level, '%s: row %d, %r, has no line end, the file was cut off: left out', path, len(lines) + 1, last)
    _join_quoted(lines)
    return lines


def take_separator_line(lines: list[str]) -> str | None:
    """Blanks out a first line 'sep=;' and returns its delimiter; None where there is none."""
    found = _SEPARATOR_LINE.fullmatch(lines[0].rstrip())
    if found is None:
        return None
    lines[0] = ''
    return '\t' if found[1] == '\\t' else found[1]


def rows_of(lines: Sequence[str], start: int = 0) -> Iterator[tuple[int, str]]:
    """Yields (row in the file, from 1; text without comment) of every line from `start` on that is not blank."""
    for i in range(start, len(lines)):
        text = lines[i]
        if '#' in text:
            text = text.partition('#')[0]
        if text and not text.isspace():
            yield i + 1, text


def row_number(lines: Sequence[str], start: int, index: int) -> int:
    """The row in the file of the row of numbers with this index, where these begin at lines[start].

    The last one where there are fewer: a line blank to Python (a control character alone) is not blank to Arrow.
    """
    return next(itertools.islice(rows_of(lines, start), index, None), (len(lines), ''))[0]


def _decode(path: pathlib.Path) -> str:
    content = path.read_bytes()
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors='replace').lstrip('\ufeff').rstrip('\0')
    if b'\0' in content:
        # Text of few letters in UTF-16 has a zero in every other byte.
        head = content[: 1 << 16]
        for first, encoding in ((1, 'utf-16-le'), (0, 'utf-16-be')):
            high, low = head[first::2], head[1 - first :: 2]
            if len(head) >= _MIN_UTF16 and 0 not in low and high.count(0) > 0.9 * len(high):
                return content.decode(encoding, errors='replace')
        raise DataError(f'{path} is not a text file (it holds zero bytes); name it after its real format')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError:
        return content.decode('latin-1')


def _join_quoted(lines: list[str]) -> None:
    """Joins lines of the file's head that a pair of quotes spans; the lines taken up stay behind as blank ones."""
    for i in range(min(len(lines), _HEAD_LINES)):
        if lines[i].count('"') % 2 == 0:
            continue
        for end in range(i + 1, min(i + _QUOTED_LINES, len(lines))):
            if lines[end].count('"') % 2:
                lines[i] = ' '.join(lines[i : end + 1])
                lines[i + 1 : end + 1] = [''] * (end - i)
                break
