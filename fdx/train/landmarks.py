"""Landmarks of what a network has learned from: the few numbers by which samples are found again under other names."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fdx.data.table import Table

MAX_LANDMARKS = 8192
# Only the low bits of a landmark are kept: two sets of them meet by chance in about one of a hundred tables.
BITS = np.int64(2**32 - 1)


@dataclasses.dataclass(frozen=True)
class Sketch:
    """The smallest landmarks of a set; the low 32 bits of each are kept.

    Attributes:
      marks: uint32 [N], sorted.
      up_to: the largest of them, with all its bits: a smaller landmark that is not here was not in the set.
    """

    marks: np.ndarray
    up_to: int

    @classmethod
    def of(cls, table: Table, rows: np.ndarray) -> Sketch:
        """The sketch of those landmarks that occur in one recording only, and there at one time only."""
        if is_readings(table):
            values = np.unique(reading_marks(table, rows))
        elif table.fingerprints() is None or not len(rows):
            return cls(np.zeros(0, np.uint32), 0)
        else:
            values = np.unique(np.concatenate([v for _, v, _ in telling(table, rows)]))
        values = values[:MAX_LANDMARKS]
        up_to = int(values[-1]) if len(values) == MAX_LANDMARKS else int(np.iinfo(np.int64).max)
        return cls(np.unique((values & BITS).astype(np.uint32)), up_to)

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {'up_to': self.up_to, 'marks': base64.b64encode(self.marks.astype('<u4').tobytes()).decode()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sketch:
        """Inverse of `to_json`."""
        return cls(np.frombuffer(base64.b64decode(data['marks']), '<u4'), int(data['up_to']))

    def share(self, values: np.ndarray) -> tuple[int, int]:
        """(how many of the landmarks [N] were in the set, how many of them are small enough to be told)."""
        told = values[values <= self.up_to]
        return int(self.holds(told).sum()), len(told)

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which landmarks [N] were in the set, bool [N]; of those above `up_to` it cannot tell."""
        return np.isin((values & BITS).astype(np.uint32), self.marks)


def is_readings(table: Table) -> bool:
    """Whether rows are single readings; the name of their recording is then a hash of what was read."""
    return table.window_length == 1


def reading_marks(table: Table, rows: np.ndarray) -> np.ndarray:
    """int64 [N]: 63 bits of the hash of each row's readings."""
    return np.array([int(n.rpartition('_')[2][:16], 16) >> 1 for n in table['recording'][rows]], np.int64)


def telling(table: Table, rows: np.ndarray) -> list[tuple[str, np.ndarray, float]]:
    """For each recording of `rows`: (its name, landmarks int64 [N] that it holds once, share of landmarks it repeats).

    A landmark that a recording repeats at another time, or shares with another recording of the rows, comes from the
    periodic motion of the machine and identifies nothing. A table without fingerprints has no landmarks: [].
    """
    prints = table.fingerprints()
    if prints is None:
        return []
    prints, names = prints[rows], table['recording'][rows]
    there = prints > 0
    values, at = prints[there], np.repeat(np.arange(len(rows)), there.sum(axis=1))
    known, number = np.unique(names, return_inverse=True)
    order = np.lexsort((values, number[at]))
    values, owner, starts = values[order], number[at][order], table['window_start'][rows].astype(np.int64)[at][order]
    first = np.flatnonzero(np.r_[True, (np.diff(values) != 0) | (np.diff(owner) != 0)][: len(values)])
    if not len(first):
        return [(str(n), np.zeros(0, np.int64), 0.0) for n in known]
    again = np.maximum.reduceat(starts, first) - np.minimum.reduceat(starts, first) >= table.window_length
    values, owner = values[first], owner[first]
    _, back, counts = np.unique(values, return_inverse=True, return_counts=True)
    again |= counts[back] > 1
    return [
        (str(n), values[(owner == i) & ~again], float(again[owner == i].mean()) if (owner == i).any() else 0.0)
        for i, n in enumerate(known)
    ]
