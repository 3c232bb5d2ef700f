"""Makes classes rare on purpose: an imbalance thins chosen classes of the training part and changes nothing else."""

from __future__ import annotations

import dataclasses
import fnmatch
import logging
import pathlib
import re
from collections.abc import Sequence

import numpy as np

from fdx.data.few_labels import in_turn
from fdx.data.table import Table
from fdx.types import ConfigError

logger = logging.getLogger(__name__)

HEALTHY = ('normal', 'healthy')
_RATIO = re.compile(r'1:(\d+(?:\.\d+)?)')
_FORMS = (
    'write 1:20 for every class but the healthy one, CLASS=1:20,CLASS=1:5 for some (CLASS may be a pattern such as '
    'ball_*), or the name of a file with such a line for each class'
)


@dataclasses.dataclass(frozen=True)
class Imbalance:
    """Which share of its training rows each class keeps.

    Attributes:
      text: as the user wrote it.
      shares: (pattern of class names, N of 1:N); the pattern '' stands for every class except the healthy one.
    """

    text: str
    shares: tuple[tuple[str, float], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Imbalance:
        """Reads `imbalance`: '', 1:20, CLASS=1:20,..., or a file of such lines (# starts a comment).

        Raises:
          ConfigError: anything else.
        """
        if not text:
            return cls('')
        if _RATIO.fullmatch(text):
            return cls(text, (('', _ratio(text, text)),))
        parts = text.split(',')
        if '=' not in text:
            parts = _lines(text)
        shares = [part.partition('=')[::2] for part in parts]
        names = [name.strip() for name, _ in shares]
        if not names or '' in names or len(set(names)) < len(names):
            raise ConfigError(f'`imbalance`={text}: every class is named once; {_FORMS}')
        return cls(text, tuple((name, _ratio(ratio.strip(), text)) for name, (_, ratio) in zip(names, shares)))

    def spelled_out(self) -> str:
        """The imbalance as text without a file, for checkpoints; `parse` reads it."""
        return ','.join(f'{name}=1:{divisor:g}' if name else f'1:{divisor:g}' for name, divisor in self.shares)

    def divisors(self, class_names: Sequence[str]) -> list[float]:
        """N of 1:N for each class; 1 for classes that keep all rows.

        Raises:
          ConfigError: a pattern that fits no class, a class that two patterns fit, or 1:N alone where no class is
            called normal or healthy.
        """
        if self.shares and self.shares[0][0] == '':
            if not set(HEALTHY) & set(class_names):
                raise ConfigError(
                    f'`imbalance`={self.text}: no class is called {" or ".join(HEALTHY)}, so say which ones are rare, '
                    f'CLASS={self.text},...; the classes are {", ".join(class_names)}'
                )
            return [1.0 if name in HEALTHY else self.shares[0][1] for name in class_names]
        found: dict[str, float] = {}
        for pattern, divisor in self.shares:
            fits = [name for name in class_names if fnmatch.fnmatchcase(name, pattern)]
            if not fits:
                raise ConfigError(
                    f'`imbalance`={self.text}: no class is called {pattern}; the classes are {", ".join(class_names)}'
                )
            twice = sorted(set(fits) & set(found))
            if twice:
                raise ConfigError(f'`imbalance`={self.text}: {", ".join(twice)} is named twice')
            found.update(dict.fromkeys(fits, divisor))
        return [found.get(name, 1.0) for name in class_names]


def _lines(name: str) -> list[str]:
    """Lines of a file of classes, without comments."""
    try:
        lines = pathlib.Path(name).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f'`imbalance`={name[:200]} is neither a ratio nor a file of text ({e}); {_FORMS}') from e
    return [words for line in lines if (words := line.split('#')[0].strip())]


def _ratio(ratio: str, text: str) -> float:
    match = _RATIO.fullmatch(ratio)
    if not match or float(match[1]) < 1:
        raise ConfigError(f'`imbalance`={text}: {ratio or "nothing"} is not a ratio 1:N with N of 1 or more; {_FORMS}')
    return float(match[1])


def thin(
    table: Table, rows: np.ndarray, imbalance: Imbalance, class_names: Sequence[str], label_key: str, seed: int
) -> np.ndarray:
    """Training rows with the chosen classes thinned: 1:N keeps round(n / N) of n rows of a class, but at least one.

    Rows are taken from the recordings of the class in turn (`in_turn`), so that a rare fault appears at as many
    operating conditions as its rows allow. A larger N keeps a subset of what a smaller N keeps.

    Args:
      table: of the dataset.
      rows: int64 [N] training rows.
      imbalance: which classes, and how far.
      class_names: of `label_key`, in the order of their numbers.
      label_key: label or fault_type.
      seed: decides which rows are kept.

    Returns:
      int64, in table order.

    Raises:
      ConfigError: see `Imbalance.divisors`.
    """
    if not imbalance.shares:
        return rows
    divisors, labels = imbalance.divisors(class_names), table[label_key][rows]
    kept, counts = [], {}
    for label in np.unique(labels):
        mine = rows[labels == label]
        count = max(1, round(len(mine) / divisors[label]))
        kept.append(in_turn(table, mine, int(label), seed)[:count])
        counts[class_names[label]] = (len(kept[-1]), divisors[label])
    _warn_where_nothing_is_rare(imbalance, counts)
    return np.sort(np.concatenate(kept))


def _warn_where_nothing_is_rare(imbalance: Imbalance, counts: dict[str, tuple[int, float]]) -> None:
    """Warns where thinning reduces labels without making an imbalance, as with few healthy recordings.

    That is where the most frequent class that is not thinned has at most half the number of rows that 1:N implies.
    """
    often = max((count for count, divisor in counts.values() if divisor == 1.0), default=0)
    thinned = [(count, divisor) for count, divisor in counts.values() if divisor > 1.0]
    if any(often <= count * divisor / 2 for count, divisor in thinned):
        logger.warning(
            '`imbalance`=%s leaves no class frequent beside the thinned ones (%s): name rare classes, CLASS=1:N',
            imbalance.text,
            ', '.join(f'{name} {count}' for name, (count, _) in counts.items()),
        )
