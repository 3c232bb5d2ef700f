"""The overview of many files as text: a table for a terminal, and CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import os
import textwrap
from collections.abc import Iterable, Sequence

from fdx.predict.overview import PROBABILITY, Z_SCORE, Line

CSV_COLUMNS = ('file', 'row', 'verdict', 'probability', 'z_score', 'state', 'windows', 'warnings', 'error', 'scores')
WIDEST_FILE, WIDEST_VERDICT, NARROWEST_WORDS = 48, 28, 24
GAP = '  '


def csv_text(lines: Iterable[Line], *, header: bool = True) -> str:
    """Lines of the overview as CSV with the columns CSV_COLUMNS; sentences are joined by '; '.

    `scores` holds the probabilities or z scores of all classes as 'NAME=0.91; NAME=0.09'.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    if header:
        writer.writerow(CSV_COLUMNS)
    for line in lines:
        score = '' if line.score is None else f'{line.score:.6g}'
        writer.writerow(
            [
                line.file,
                '' if line.row is None else line.row,
                line.verdict or '',
                score if line.score_kind == PROBABILITY else '',
                score if line.score_kind == Z_SCORE else '',
                line.state,
                '' if line.windows is None else line.windows,
                '; '.join(line.warnings),
                line.error,
                '; '.join(f'{name}={value:.6g}' for name, value in line.scores.items()),
            ]
        )
    return text.getvalue()


class TextTable:
    """A table of files for a terminal: columns of fixed width, and warnings that are wrapped below each other."""

    def __init__(self, files: Sequence[str], width: int, verdicts: Iterable[str] = (), folder: str = ''):
        """Settles the columns.

        Args:
          files: names that will come; they settle the width of the first column.
          width: of the terminal, in characters.
          verdicts: that will come, where they are known.
          folder: what the files' names begin with and what is left out of each; '' for nothing.
        """
        self._folder = folder
        names = list(dict.fromkeys(map(self._name, files)))
        longest = max(map(len, names), default=0)
        # A third of the line at most: the words beside it need room as well.
        self._file = max(len('file'), min(longest, max(16, width // 3), WIDEST_FILE))
        self._head = telling_head(names, self._file)
        self._verdict = min(max([len('verdict'), *map(len, map(printable, verdicts))]), WIDEST_VERDICT)
        self._words = max(NARROWEST_WORDS, width - self._file - self._verdict - 3 * len(GAP) - len(PROBABILITY))

    def head(self, score_kind: str = PROBABILITY) -> str:
        """The first two lines: names of the columns, and what underlines them."""
        names = self._columns('file', 'verdict', score_kind, 'warnings')
        rule = self._columns('-' * self._file, '-' * self._verdict, '-' * len(PROBABILITY), '-' * len('warnings'))
        return f'{names}\n{rule}'

    def lines(self, line: Line) -> str:
        """One file as one or more lines of text."""
        words = [line.error.removeprefix(line.file).lstrip(': ')] if line.error else list(line.warnings)
        wrapped = [part for text in words for part in textwrap.wrap(printable(text), self._words) or ['']] or ['']
        name = self._name(line.file) + ('' if line.row is None else f' row {line.row}')
        score = (
            '' if line.score is None else f'{line.score:.2f}' if line.score_kind == PROBABILITY else f'{line.score:.1f}'
        )
        verdict = textwrap.wrap(printable(line.said), self._verdict, break_long_words=True) or ['']
        first = self._columns(shortened(name, self._file, self._head), verdict[0], score, wrapped[0])
        deep = max(len(wrapped), len(verdict))
        more = [
            self._columns('', (verdict[i] if i < len(verdict) else ''), '', wrapped[i] if i < len(wrapped) else '')
            for i in range(1, deep)
        ]
        return '\n'.join([first, *more])

    def _name(self, file: str) -> str:
        return printable(file.removeprefix(self._folder) or file)

    def _columns(self, file: str, verdict: str, score: str, words: str) -> str:
        cells = (file.ljust(self._file), verdict.ljust(self._verdict), score.rjust(len(PROBABILITY)), words)
        return GAP.join(cells).rstrip()


def common_folder(files: Sequence[str]) -> str:
    """The folder that all files lie in, with its last separator; '' where they have none in common."""
    folders = {os.path.dirname(file) for file in files}
    try:
        shared = os.path.commonpath(folders) if folders else ''
    except ValueError:  # Relative and absolute names together, or several drives.
        return ''
    return (
        os.path.join(shared, '') if shared and all(file.startswith(os.path.join(shared, '')) for file in files) else ''
    )


def printable(text: str) -> str:
    """A text in one line that cannot steer a terminal: control characters and stray bytes become escapes."""
    return ''.join(c if c.isprintable() else c.encode('unicode_escape', 'backslashreplace').decode() for c in text)


def shortened(name: str, width: int, head: int | None = None) -> str:
    """A name in so many characters, an ellipsis in place of the rest.

    Args:
      name: in one line.
      width: characters, 2 or more.
      head: how many of them are of the beginning; None: a third, as the end of a name mostly tells more.
    """
    if len(name) <= width:
        return name
    head = _usual_head(width) if head is None else head
    end = width - 1 - head
    return f'{name[:head]}…{name[len(name) - end :]}'


def _usual_head(width: int) -> int:
    return width - 1 - (width - 1) * 2 // 3


def telling_head(names: Sequence[str], width: int) -> int:
    """The `head` of `shortened` that keeps most of the names apart; the usual one if no other keeps more apart."""
    usual = _usual_head(width)
    long = [name for name in names if len(name) > width]
    heads = sorted(range(width), key=lambda head: (head != usual, abs(head - usual)))
    best, most = usual, 0
    for head in heads if long else ():
        distinct = len({shortened(name, width, head) for name in long})
        if distinct > most:
            best, most = head, distinct
        if distinct == len(long):
            break
    return best
