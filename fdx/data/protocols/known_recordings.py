"""The recordings that a user names have to be there; if one is not, the message lists those that are."""

from __future__ import annotations

from collections.abc import Iterable

MAX_NAMES_SHOWN = 100


def names_in(recordings: Iterable[str]) -> str:
    """'97, 98, 105', of more than a hundred the first: the names of a dataset's recordings, for messages."""
    names = sorted(set(map(str, recordings)))
    shown = ', '.join(names[:MAX_NAMES_SHOWN])
    return shown if len(names) <= MAX_NAMES_SHOWN else f'{shown} and {len(names) - MAX_NAMES_SHOWN} more'
