"""A finding: something that the user should know before believing a score, with what to do about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

# From the worst: a recording that cannot be used, a score that cannot be believed, and something to know.
ERROR, WARNING, NOTE = 'error', 'warning', 'note'
SEVERITIES = (ERROR, WARNING, NOTE)
NAMES_SHOWN = 4


@dataclasses.dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
      kind: what it is about, one word: shortcut, unreadable, copies, speed, units, rates, clipped, ...
      text: one or two sentences that stand alone.
      severity: one of SEVERITIES.
      remedy: what to do, '' where nothing needs to be done.
    """

    kind: str
    text: str
    severity: str
    remedy: str = ''

    def to_dict(self) -> dict[str, str]:
        """JSON-able."""
        return dataclasses.asdict(self)


def named(names: Sequence[str], most: int = NAMES_SHOWN) -> str:
    """'a, b, c and 5 more'."""
    more = len(names) - most
    return ', '.join(names[:most]) + (f' and {more} more' if more > 0 else '')


def recordings_words(count: int) -> str:
    """'1 recording', '12 recordings'."""
    return f'{count:,} recording{"" if count == 1 else "s"}'
