r"""Figures on README.md and docs/results.md, each bound to a file under docs/benchmarks.

How it works. `benchmarks/bound_figures.py` is a list of passages. A passage is a Python f-string in which every figure
is computed from a file under docs/benchmarks. `complaints` compares the passages with the pages, and
tests/test_published_figures.py fails on any complaint:

- a passage that stands on no page (its words or its figures have changed),
- text that has the words of a passage and other figures,
- a figure 'A +- B' (or 'A ± B') that no passage holds,
- a number in a row of a table that no passage holds, where another number of the row is held by one,
- a file whose protocol or seeds are not those that the passage was written for.

How to change a page. Passages are found by their text, wherever it stands, so paragraphs and tables may move and lines
may wrap differently. Link targets, bold, code marks, '±' for '+-' and '–' for '-' make no difference. If you reword a
passage, reword its f-string as well; the complaint shows both. If a benchmark was measured anew, publish its page
(`launch.benchmark --suite=NAME --publish`), run the test, and copy the figures of the complaints. Figures that
have no file of their own (the demo, the fuzzer, ...) are typed in once more in docs/benchmarks/readme.json, with their
protocol, seeds, command and date. ' ... ' in a passage stands for any text within one cell of a table.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fdx.evaluate.spread import spread_text
from fdx.types import DataError

from .page import seed_means

PAGES = ('README.md', 'docs/results.md')
FOLDER = pathlib.Path('docs/benchmarks')
HAND_ENTERED = 'readme.json'
_NUMBER = r'\d+(?:,\d{3})*(?:\.\d+)?'
_WITH_SPREAD = re.compile(rf'{_NUMBER} \+- {_NUMBER}')
_ANY = ' ... '


@dataclasses.dataclass(frozen=True)
class Passage:
    """A piece of a page.

    Attributes:
      text: with the figures that the file gives.
      file: name under docs/benchmarks, for complaints.
    """

    text: str
    file: str


def plain_text(text: str) -> str:
    """Text as passages are compared: without link targets, bold and code marks, one kind of dash, single spaces."""
    text = re.sub(r'\]\([^)]*\)', ']', text)
    for old, new in (('±', '+-'), ('–', '-'), ('−', '-'), ('**', ''), ('`', ''), ('[', ''), (']', '')):
        text = text.replace(old, new)
    # A row of a table ends its line; other lines may wrap anywhere.
    text = re.sub(r'\|[ \t]*\n', '|\x00', text)
    text = re.sub(r'\s+', ' ', text)
    return text.replace('\x00', '\n')


class File:
    """A file under docs/benchmarks as passages read it: rows of packed pages, see `benchmarks.page`.

    Args:
      root: of the checkout.
      name: of the file.
      seeds: that the passages were written for.
      protocols: of the rows that the passages use.
    """

    def __init__(self, root: pathlib.Path, name: str, seeds: Sequence[int], protocols: Sequence[str]):
        self.name, self._seeds, self._protocols = name, list(seeds), tuple(protocols)
        self.data = json.loads((root / FOLDER / name).read_text(encoding='utf-8'))

    def rows(self, **fields: Any) -> list[dict[str, Any]]:
        """The rows that have these values.

        Raises:
          DataError: there is none, or one has other seeds or another protocol than the passages say.
        """
        found = [row for row in self.data['rows'] if all(row[k] == v for k, v in fields.items())]
        self.check(fields, [(row['protocol'], row['seeds']) for row in found])
        return found

    def check(self, what: Any, measured: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Refuses rows of other protocols or seeds, given as (protocol, seeds), and no rows."""
        if not measured:
            raise DataError(f'{self.name} has no row of {what}')
        for protocol, seeds in measured:
            if protocol not in self._protocols or list(seeds) != self._seeds:
                raise DataError(
                    f'{self.name}, {what}: measured with protocol {protocol!r} and seeds {list(seeds)}, but the pages '
                    f'say {self._protocols} and {self._seeds}: change the words of the pages and bound_figures.py'
                )

    def values(self, key: str, *, part: str = '', **fields: Any) -> list[float]:
        """One mean over the rows per seed; `part` is a key inside of a row's value, such as a selection."""
        return seed_means(self.rows(**fields), lambda row: row[key][part] if part else row[key])


class HandEntered:
    """docs/benchmarks/readme.json: figures that no page of a study holds, as text, by entry and row."""

    def __init__(self, root: pathlib.Path):
        self._entries = json.loads((root / FOLDER / HAND_ENTERED).read_text(encoding='utf-8'))['entries']

    def row(self, entry: str, name: str) -> list[str]:
        """The figures of a row; KeyError where there is no such entry or row."""
        return self._entries[entry]['rows'][name]

    def names(self, entry: str) -> list[str]:
        """Rows of an entry."""
        return list(self._entries[entry]['rows'])

    def line(self, entry: str, name: str) -> str:
        """'| NAME | figure | figure |': a row of a table in Markdown."""
        return '| ' + ' | '.join([name, *self.row(entry, name)]) + ' |'

    def lines(self, entry: str) -> list[str]:
        """`line` of every row of an entry."""
        return [self.line(entry, name) for name in self.names(entry)]

    def printed(self, entry: str) -> list[str]:
        """The rows as a program prints them: 'NAME figure figure'."""
        return [' '.join([name, *cells]) for name, cells in self._entries[entry]['rows'].items()]


def share(values: Sequence[float], *more: Sequence[float]) -> str:
    """'97.0 +- 1.3' in percent, from one value per seed; the others must read the same.

    Raises:
      DataError: one of them reads differently.
    """
    texts = {spread_text(v, percent=True, sign='+-') for v in (values, *more)}
    if len(texts) > 1:
        raise DataError(f'one passage gives one figure to all of {", ".join(sorted(texts))}')
    return texts.pop()


def mean(values: Sequence[float], digits: int = 1) -> str:
    """'97.0': the mean in percent."""
    return f'{100 * np.mean(values):.{digits}f}'


def between(means: Iterable[float], digits: int = 0) -> str:
    """'17 to 39': the lowest and the highest of some shares in percent."""
    means = [100 * float(m) for m in means]
    return f'{min(means):.{digits}f} to {max(means):.{digits}f}'


def _pattern(text: str, numbers: str | None = None) -> re.Pattern:
    """A passage as a regular expression; `numbers` stands in the place of each number where it is given."""
    parts = []
    for part in plain_text(text).strip().split(_ANY):
        pieces = re.split(f'({_NUMBER})', part)
        parts.append(''.join(numbers if numbers and i % 2 else re.escape(piece) for i, piece in enumerate(pieces)))
    # No number may go on beyond the passage: 1.5 is not in 11.55.
    return re.compile(r'(?<![\d.])' + r'[^|\n]*?'.join(parts) + r'(?!\d|\.\d)')


def _covered(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return any(a <= start and end <= b for a, b in spans)


def complaints(pages: Mapping[str, str], passages: Sequence[Passage]) -> list[str]:
    """What is wrong, a sentence each; none where all figures of the pages are those of the files.

    Args:
      pages: name -> text in Markdown.
      passages: of all pages together.
    """
    texts = {name: plain_text(text) for name, text in pages.items()}
    spans = {
        name: [match.span() for p in passages for match in _pattern(p.text).finditer(text)]
        for name, text in texts.items()
    }
    found = []
    for passage in passages:
        exact, like = _pattern(passage.text), _pattern(passage.text, _NUMBER)
        wrong = [
            f'{name} says {match[0]!r}, but docs/benchmarks/{passage.file} gives {plain_text(passage.text)!r}'
            for name, text in texts.items()
            for match in like.finditer(text)
            if not _covered(spans[name], *match.span())
        ]
        if not wrong and not any(exact.search(text) for text in texts.values()):
            wrong = [f'no page has {plain_text(passage.text)!r} (docs/benchmarks/{passage.file}): reword either']
        found += wrong
    for name, text in texts.items():
        found += [f'{name}: {what!r} is bound to no file' for what in _unbound(text, spans[name])]
    return list(dict.fromkeys(found))


def _unbound(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Figures with a spread, and numbers in rows of tables with bound ones, that no passage covers."""
    found = [match[0] for match in _WITH_SPREAD.finditer(text) if not _covered(spans, *match.span())]
    start = 0
    for line in text.split('\n'):
        end = start + len(line)
        if line.lstrip().startswith('|') and any(start <= a and b <= end for a, b in spans):
            first = text.index('|', text.index('|', start) + 1)
            numbers = [m for m in re.compile(_NUMBER).finditer(text, first, end) if not _covered(spans, *m.span())]
            found += [f'{m[0]} in {line.strip()[:60]}' for m in numbers]
        start = end + 1
    return found


def read_pages(root: pathlib.Path) -> dict[str, str]:
    """The pages that exist, by name."""
    return {name: (root / name).read_text(encoding='utf-8') for name in PAGES if (root / name).exists()}
