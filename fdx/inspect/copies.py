"""Recordings that hold the same samples under several names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.data.protocols.same_content import Windows, find_same_content
from fdx.inspect.look import Look


@dataclasses.dataclass(frozen=True)
class Copy:
    """Two recordings that share samples.

    Attributes:
      first, second: their ids.
      exact: whether all samples are equal; else they overlap, or differ by gain, offset or rounding.
      labels: of both; different ones contradict each other.
    """

    first: str
    second: str
    exact: bool
    labels: tuple[str, str]


def find_copies(looks: Sequence[Look]) -> list[Copy]:
    """Every pair of recordings that share samples, exact copies first."""
    usable = [look for look in looks if look.facts.digest]
    pairs: dict[tuple[int, int], bool] = {}
    of_digest: dict[str, int] = {}
    for i, look in enumerate(usable):
        first = of_digest.setdefault(look.facts.digest, i)
        if first != i:
            pairs[first, i] = True
    if any(len(look.starts) for look in usable):
        for a, b in _by_content(usable):
            pairs.setdefault((a, b), False)
    found = [
        Copy(
            usable[a].facts.recording,
            usable[b].facts.recording,
            exact,
            (usable[a].facts.label, usable[b].facts.label),
        )
        for (a, b), exact in pairs.items()
    ]
    return sorted(found, key=lambda c: not c.exact)


def _by_content(looks: Sequence[Look]) -> list[tuple[int, int]]:
    numbers = np.concatenate([np.full(len(look.starts), i) for i, look in enumerate(looks)])
    windows = Windows(
        recordings=numbers,
        acquisitions=numbers,
        starts=np.concatenate([look.starts for look in looks]),
        lengths=np.concatenate([np.full(len(look.starts), look.length) for look in looks]),
        landmarks=np.concatenate([look.landmarks for look in looks]),
    )
    return [s.recordings for s in find_same_content(windows)]
