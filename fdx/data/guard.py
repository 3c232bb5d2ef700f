"""The guard of law 2: no sample of a recording in two splits."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.data.table import SYNTHETIC, Table
from fdx.types import SplitError


@dataclasses.dataclass(frozen=True)
class Leak:
    """What the guard measured.

    Attributes:
      shared: share of test and validation windows that overlap a training window, in [0, 1].
      same_recording: share of test windows whose recording also gave training windows.
      example: one overlap in words, '' without any.
    """

    shared: float
    same_recording: float
    example: str


def _overlaps(table: Table, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each of `rows` the row in `others` that shares a sample with it, or -1."""
    found = np.full(len(rows), -1, np.int64)
    if not len(others):
        return found
    _, number = np.unique(np.concatenate([table['recording'][others], table['recording'][rows]]), return_inverse=True)
    # Recordings laid end to end, too far apart to overlap: a table of readings has as many of them as rows.
    starts = table['window_start'].astype(np.int64)
    apart = int(starts.max()) + 2 * table.window_length
    theirs = number[: len(others)] * apart + starts[others]
    mine = number[len(others) :] * apart + starts[rows]
    order = np.argsort(theirs, kind='stable')
    # The nearest start at or before the end of my window decides: all windows are equally long.
    at = np.searchsorted(theirs[order], mine + table.window_length - 1, side='right') - 1
    hit = (at >= 0) & (theirs[order[np.maximum(at, 0)]] + table.window_length > mine)
    found[hit] = others[order[at[hit]]]
    return found


def measure_leak(table: Table, splits: dict[str, np.ndarray]) -> Leak:
    """Measures overlap between every two splits (see Leak)."""
    names = [n for n in ('train', 'validation', 'test') if len(splits.get(n, ()))]
    example, hit, scored = '', 0, 0
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            rows = splits[second]
            other = _overlaps(table, rows, splits[first])
            if first == 'train':
                hit, scored = hit + int((other >= 0).sum()), scored + len(rows)
            if not example and (other >= 0).any():
                at = int(np.argmax(other >= 0))
                a, b = table['window_start'][rows[at]], table['window_start'][other[at]]
                example = (
                    f'{second} row {rows[at]} and {first} row {other[at]} of recording {table["recording"][rows[at]]} '
                    f'start at samples {a} and {b}, windows last {table.window_length}'
                )
    train, test = (table['recording'][splits.get(n, np.zeros(0, np.int64))] for n in ('train', 'test'))
    same = float(np.isin(test, train).mean()) if len(test) else 0.0
    return Leak(hit / scored if scored else 0.0, same, example)


def refuse_synthetic(table: Table, rows: np.ndarray, split: str) -> None:
    """Refuses to score generated records: they may be trained on, and what a model says of them is no result.

    Args:
      table: the dataset's table.
      rows: int64 [N] that would be scored.
      split: what they are, for the message.

    Raises:
      SplitError: one of the rows is generated.
    """
    generated = table.columns.get(SYNTHETIC)
    count = 0 if generated is None else int(generated[rows].sum())
    if count:
        raise SplitError(
            f'{count} of {len(rows)} {split} records are synthetic: generated records are for training only '
            '(--balance=gan --synthetic=NAME beside a --dataset of recordings)'
        )


def guard_splits(table: Table, splits: dict[str, np.ndarray], *, may_leak: bool) -> Leak:
    """Refuses splits that share a sample of a recording; called on every run.

    Args:
      table: the dataset's table.
      splits: split name -> row numbers int64 [N].
      may_leak: True for a protocol that is known and reported to leak; the leak is measured, not refused.

    Raises:
      SplitError: shared samples (or a row in two splits) under a protocol that must not leak; generated records in
        validation or test under any.
    """
    for name in ('validation', 'test'):
        refuse_synthetic(table, splits.get(name, np.zeros(0, np.int64)), name)
    leak = measure_leak(table, splits)
    if leak.example and not may_leak:
        raise SplitError(f'two splits share samples of a recording: {leak.example}; this protocol must not leak')
    return leak
