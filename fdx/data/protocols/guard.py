"""The guard of law 2: no sample of a recording in two splits, under its own name, as another channel or as a copy."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np

from fdx.data.protocols.same_content import Shared, Windows, find_same_content
from fdx.data.table import SYNTHETIC, Table
from fdx.types import SplitError


@dataclasses.dataclass(frozen=True)
class Leak:
    """What the guard measured.

    Attributes:
      shared: share of test and validation windows that overlap a training window, in [0, 1]; windows of a recording
        that is a copy of a trained one count as well.
      same_recording: share of test windows whose recording, or another channel of it, also gave training windows.
      example: one overlap in words, '' without any.
      copies: two recordings of other names with the same samples in words, '' without any.
    """

    shared: float
    same_recording: float
    example: str
    copies: str = ''


def _overlaps(table: Table, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each of `rows` the row in `others` that shares a sample of an acquisition with it, or -1."""
    found = np.full(len(rows), -1, np.int64)
    if not len(others):
        return found
    runs = table.acquisitions()
    _, number = np.unique(np.concatenate([runs[others], runs[rows]]), return_inverse=True)
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
    copied, copies = _copies(table, splits)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            rows = splits[second]
            other = _overlaps(table, rows, splits[first])
            if first == 'train':
                of_copy = np.isin(table['recording'][rows], copied)
                hit, scored = hit + int(((other >= 0) | of_copy).sum()), scored + len(rows)
            if not example and (other >= 0).any():
                at = int(np.argmax(other >= 0))
                example = _overlap_text(table, (second, rows[at]), (first, other[at]))
    train, test = (table.acquisitions()[splits.get(n, np.zeros(0, np.int64))] for n in ('train', 'test'))
    same = float(np.isin(test, train).mean()) if len(test) else 0.0
    return Leak(hit / scored if scored else 0.0, same, example, copies)


def _overlap_text(table: Table, one: tuple[str, int], other: tuple[str, int]) -> str:
    (second, row), (first, beside) = one, other
    mine, theirs = table['recording'][row], table['recording'][beside]
    what = f'of recording {mine}' if mine == theirs else (
        f'are channels {mine} and {theirs} of one run, {table.acquisitions()[row]}, and'
    )  # fmt: skip
    a, b = table['window_start'][row], table['window_start'][beside]
    return (
        f'{second} row {row} and {first} row {beside} {what} start at samples {a} and {b}, windows last '
        f'{table.window_length}'
    )


def _copies(table: Table, splits: dict[str, np.ndarray]) -> tuple[np.ndarray, str]:
    """(recordings that are copies of one in training, words about the first pair of copies among all rows)."""
    rows = np.unique(np.concatenate([np.asarray(r, np.int64) for r in splits.values()] or [np.zeros(0, np.int64)]))
    found, names = copies_among(table, rows)
    if not found:
        return np.zeros(0, str), ''
    train = set(table['recording'][splits.get('train', np.zeros(0, np.int64))])
    copied = [names[b] for s in found for a, b in (s.recordings, s.recordings[::-1]) if names[a] in train]
    starts = [int(table['window_start'][rows[r]]) for r in found[0].rows]
    return np.array(copied, str), copies_text(found, names, starts)


def copies_among(table: Table, rows: np.ndarray) -> tuple[list[Shared], np.ndarray]:
    """(pairs of recordings of different runs that share samples, names of the recordings); pairs number `rows`."""
    if table.fingerprints() is None or not len(rows):
        return [], np.zeros(0, str)
    names, recordings = np.unique(table['recording'][rows], return_inverse=True)
    _, runs = np.unique(table.acquisitions()[rows], return_inverse=True)
    return find_same_content(_windows(table, rows, recordings, runs)), names


def copies_between(one: Table, rows: np.ndarray, other: Table, other_rows: np.ndarray) -> tuple[str, str] | None:
    """Names of a recording of each table that share samples, the first such pair; None where none do.

    Windows of other lengths are compared as well; other sampling rates are not (see fdx.data.fingerprint).
    """
    sides = ((one, rows), (other, other_rows))
    if any(table.fingerprints() is None or not len(of) for table, of in sides):
        return None
    names = [np.unique(table['recording'][of], return_inverse=True) for table, of in sides]
    first = len(names[0][0])
    # Copies within a side are judged by its own splits: here all recordings of a side count as one run.
    parts = [
        _windows(table, of, number + side * first, np.full(len(of), side))
        for side, ((table, of), (_, number)) in enumerate(zip(sides, names))
    ]
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(Windows)}
    found = find_same_content(Windows(**columns))
    if not found:
        return None
    a, b = found[0].recordings
    return str(names[0][0][a]), str(names[1][0][b - first])


def _windows(table: Table, rows: np.ndarray, recordings: np.ndarray, runs: np.ndarray) -> Windows:
    starts, lengths = table['window_start'][rows].astype(np.int64), np.full(len(rows), table.window_length)
    fingerprints = cast(np.ndarray, table.fingerprints())  # The callers made sure that there are any.
    return Windows(recordings, runs, starts, lengths, fingerprints[rows])


def copies_text(found: list[Shared], names: np.ndarray, starts: list[int]) -> str:
    """Words about pairs of copies: the first one in detail."""
    first, second = (names[number] for number in found[0].recordings)
    more = f' (and {len(found) - 1} more pairs)' if len(found) > 1 else ''
    return (
        f'recordings {first} and {second} hold the same samples under two names: their windows at samples {starts[0]} '
        f'and {starts[1]} agree in {found[0].landmarks} of {found[0].of} landmarks{more}; leave one out, e.g. '
        f'`exclude_recordings`={second}'
    )


def refuse_synthetic(table: Table, rows: np.ndarray, split: str) -> None:
    """Refuses to score generated records: they may be trained on, but what a model says of them is not a result.

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
            '(`balance=gan` `synthetic=NAME` beside a `dataset` of recordings)'
        )


def guard_splits(table: Table, splits: dict[str, np.ndarray], *, may_leak: bool) -> Leak:
    """Refuses splits that share a sample of a run, and copies of a recording in any splits; called on every run.

    Copies are counted as several recordings although they are one: a score's interval is then too narrow, even where
    they lie in one split.

    Args:
      table: the dataset's table.
      splits: split name -> row numbers int64 [N].
      may_leak: True for a protocol that is known and reported to leak; the leak is measured, not refused.

    Raises:
      SplitError: shared samples (or a row in two splits) or copies under a protocol that must not leak; generated
        records in validation or test under any.
    """
    for name in ('validation', 'test'):
        refuse_synthetic(table, splits.get(name, np.zeros(0, np.int64)), name)
    leak = measure_leak(table, splits)
    if leak.example and not may_leak:
        raise SplitError(f'two splits share samples of a recording: {leak.example}; this protocol must not leak')
    if leak.copies and not may_leak:
        raise SplitError(leak.copies)
    return leak
