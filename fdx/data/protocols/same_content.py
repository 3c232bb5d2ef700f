"""Recordings that hold the same samples under two names, found by the landmarks of their windows.

How often it errs (tests/data/test_same_content.py measures the larger part of it): none of 20 million pairs of windows
of different CWRU, MFPT, HIT, FEMTO and ADI recordings, of three simulated rigs and of a simulated motor at the same
speeds is called the same; the most that two share is 2 of 32 landmarks. The one exception is true: files 189, 201, 213,
226 and 238 of CWRU hold one signal as drive end and fan end. Copies with another gain, sign, offset or drift, cut at
other samples, or rounded to 16 bits share 24 of 32 or more where windows coincide and 12 where half of them does.
Nearly noise-free periodic signals repeat their landmarks and are not judged by them, so their copies are missed.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# Two windows share content if they share so many landmarks, or fewer where these are half of the window's ...
MIN_LANDMARKS, FEWEST_LANDMARKS = 6, 4
# ... and from this share of the smaller number of landmarks on: a quarter of a window is the same.
MIN_SHARE = 0.25
# Two recordings with windows too short for that share content from so many distinct landmarks and this share on.
MIN_OF_RECORDING, MIN_SHARE_OF_RECORDING = 12, 0.3
# Recordings beside which a landmark is looked for, in order: copies share all landmarks, so the nearest copies suffice.
NEIGHBOURS = 7


@dataclasses.dataclass(frozen=True)
class Windows:
    """Windows to compare: N rows of a table, or of two.

    Attributes:
      recordings: int [N], numbers of recordings.
      acquisitions: int [N], numbers of the runs that they are of: within one nothing is compared.
      starts: int [N], first sample of each window in its recording.
      lengths: int [N], samples of each window.
      landmarks: int64 [N, L] of fdx.data.fingerprint, 0 for none.
    """

    recordings: np.ndarray
    acquisitions: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    landmarks: np.ndarray


@dataclasses.dataclass(frozen=True)
class Shared:
    """Two recordings that share samples.

    Attributes:
      recordings: their numbers, ascending.
      rows: two of their windows that do, by place among the N rows.
      landmarks: how many landmarks agree, of these windows or, where windows are too short to tell, of the recordings.
      of: how many could.
    """

    recordings: tuple[int, int]
    rows: tuple[int, int]
    landmarks: int
    of: int


@dataclasses.dataclass(frozen=True)
class _Marks:
    """Landmarks one by one: value, row and recording of each, sorted by recording and value; repeated: [recordings]."""

    values: np.ndarray
    rows: np.ndarray
    recordings: np.ndarray
    repeated: np.ndarray


def find_same_content(windows: Windows) -> list[Shared]:
    """Every pair of recordings of different acquisitions that share samples, in order of their numbers."""
    marks = _marks(windows)
    new = np.r_[True, (np.diff(marks.values) != 0) | (np.diff(marks.recordings) != 0)][: len(marks.values)]
    values, recordings = marks.values[new], marks.recordings[new]
    count_of = np.bincount(recordings, minlength=len(marks.repeated))
    acquisition_of = np.zeros(len(marks.repeated), np.int64)
    acquisition_of[windows.recordings] = windows.acquisitions
    found = []
    for (a, b), count in _pairs(values, recordings, acquisition_of).items():
        shared = _judge(windows, marks, (a, b), count, int(min(count_of[a], count_of[b])))
        found += [shared] if shared else []
    return found


def _marks(windows: Windows) -> _Marks:
    """The landmarks that say when something was recorded: those that a recording repeats at another time do not."""
    there = windows.landmarks > 0
    values, rows = windows.landmarks[there], np.repeat(np.arange(len(there)), there.sum(axis=1))
    recordings = windows.recordings[rows]
    order = np.lexsort((values, recordings))
    values, rows, recordings = values[order], rows[order], recordings[order]
    size = int(windows.recordings.max(initial=-1)) + 1
    if not len(values):
        return _Marks(values, rows, recordings, np.zeros(size))
    first = np.flatnonzero(np.r_[True, (np.diff(values) != 0) | (np.diff(recordings) != 0)])
    starts = windows.starts[rows]
    apart = np.maximum.reduceat(starts, first) - np.minimum.reduceat(starts, first) >= windows.lengths[rows[first]]
    all_of, repeated_of = (np.bincount(recordings[first], weights=w, minlength=size) for w in (None, apart))
    keep = ~np.repeat(apart, np.diff(np.r_[first, len(values)]))
    return _Marks(values[keep], rows[keep], recordings[keep], repeated_of / np.maximum(all_of, 1))


def _pairs(values: np.ndarray, recordings: np.ndarray, acquisition_of: np.ndarray) -> dict[tuple[int, int], int]:
    """Pairs of recordings with enough distinct landmarks in common -> how many."""
    order = np.lexsort((recordings, values))
    values, recordings = values[order], recordings[order].astype(np.int64)
    size, codes = len(acquisition_of), []
    for step in range(1, NEIGHBOURS + 1):
        same = values[step:] == values[:-step]
        a, b = recordings[:-step][same], recordings[step:][same]
        codes.append((a * size + b)[acquisition_of[a] != acquisition_of[b]])
    pairs, counts = np.unique(np.concatenate(codes), return_counts=True)
    enough = counts >= FEWEST_LANDMARKS
    return {(int(p) // size, int(p) % size): int(c) for p, c in zip(pairs[enough], counts[enough])}


def _judge(windows: Windows, marks: _Marks, pair: tuple[int, int], count: int, smaller: int) -> Shared | None:
    """What two recordings share, or None where it may be chance or a periodic signal."""
    values, rows = zip(*(_of_recording(marks, number) for number in pair))
    common = np.intersect1d(*values)
    # A recording may share by chance with another one what it repeats itself at other times.
    periodic = float(max(marks.repeated[list(pair)]))
    best = _closest_windows(values, rows, common)
    kept = np.array([len(np.unique(v[r == row])) for v, r, row in zip(values, rows, best[:2])])
    agree, of = best[2], int(kept.min())
    enough = agree >= MIN_LANDMARKS or (agree >= FEWEST_LANDMARKS and agree * 2 >= of)
    if enough and agree >= (MIN_SHARE + periodic) * of:
        return Shared(pair, best[:2], agree, of)
    if count >= MIN_OF_RECORDING and count >= (MIN_SHARE_OF_RECORDING + periodic) * smaller:
        return Shared(pair, best[:2], count, smaller)
    return None


def _of_recording(marks: _Marks, number: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.searchsorted(marks.recordings, [number, number + 1])
    return marks.values[low:high], marks.rows[low:high]


def _closest_windows(values: tuple, rows: tuple, common: np.ndarray) -> tuple[int, int, int]:
    """(row, row, landmarks) of the two windows, one of each recording, that share most of the common landmarks."""
    sides = []
    for v, r in zip(values, rows):
        inside = np.isin(v, common)
        sides.append((v[inside], r[inside]))
    (v, r), (w, s) = sides
    low, high = np.searchsorted(w, v, side='left'), np.searchsorted(w, v, side='right')
    mine = np.repeat(r, high - low)
    place = (
        np.arange(len(mine)) - np.repeat(np.cumsum(high - low) - (high - low), high - low) + np.repeat(low, high - low)
    )
    pairs, counts = np.unique(np.stack([mine, s[place]]), axis=1, return_counts=True)
    best = int(counts.argmax())
    return int(pairs[0, best]), int(pairs[1, best]), int(counts[best])
