"""Stretches of a log: rows that follow each other, cut where the log itself begins anew."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.ndimage

from fdx.data.protocols.row_dependence import autocorrelation, row_dependence

# A run ends where a typical column moves this many times as far as it usually does from row to row.
JUMP = 8.0
# Rows on both sides of a jump whose medians must differ as well: a single wild reading does not end a run.
AROUND = 3
# A column that wanders follows itself at least this closely; the others do not show runs.
WANDERS = 0.5
# Flickers of the label up to half of this many rows do not end a run.
SMOOTHED = 9
# A log without natural ends is cut into at most this many stretches: every cut has neighbours on both sides.
MOST_STRETCHES = 50
# Protocols of whole units need one for each of train, validation and test.
LEAST_OF_CLASS = 3
# The label has forgotten its past where its autocorrelation falls to this share of what it is at first.
FORGOTTEN = 0.3


@dataclasses.dataclass(frozen=True)
class Stretches:
    """How a log is divided into stretches.

    Attributes:
      of_row: int64 [N], the stretch of each row: 0 to S - 1 in the order of the file.
      natural: bool [S], whether the log begins anew with a stretch (the first always does), so that its rows are not
        neighbours of those before.
      memory: rows after which the label has forgotten its past; 0 where rows are independent or all cuts are natural.
      dependent: whether rows that follow each other are alike at all.
    """

    of_row: np.ndarray
    natural: np.ndarray
    memory: int
    dependent: bool

    def __len__(self) -> int:
        return len(self.natural)

    def names(self) -> list[str]:
        """N texts, 'rows 100 to 199' (from 0): the stretch of each row."""
        first = np.searchsorted(self.of_row, np.arange(len(self)))
        last = np.r_[first[1:], len(self.of_row)] - 1
        return [f'rows {first[s]} to {last[s]}' for s in self.of_row]


def stretches_of(values: np.ndarray, labels: np.ndarray) -> Stretches:
    """Cuts a log of readings into stretches.

    - Where most of the columns that wander jump at once, the log begins anew: another run, machine or day. If every
      class lies in LEAST_OF_CLASS such stretches or more, these are the stretches.
    - Else it is also cut where the label (without its flicker) changes, into stretches of at least twice the label's
      memory and at most MOST_STRETCHES of them. Such cuts have neighbours on both sides: `memory` says how many.
    - Where labels are independent from row to row, a neighbour tells nothing: the stretches are equally long.

    Args:
      values: float [N, C], in the order of the file.
      labels: int [N].
    """
    n = len(labels)
    shortest = max(1, -(-n // MOST_STRETCHES))
    dependence = row_dependence(values, labels)
    if dependence.label is None:
        cuts = np.arange(0, n, shortest)
        return _stretches(n, cuts, np.zeros(0, np.int64), 0, bool(dependence))
    jumps = find_jumps(values)
    whole = _stretches(n, np.r_[0, jumps], jumps, 0, True)
    if least_stretches(whole.of_row, labels) >= LEAST_OF_CLASS:
        return whole
    memory = _memory(labels)
    candidates = np.union1d(jumps, _label_changes(labels))
    return _stretches(n, _apart(candidates, n, max(shortest, 2 * memory)), jumps, memory, True)


def least_stretches(of_row: np.ndarray, labels: np.ndarray) -> int:
    """The smallest number of stretches that a class lies in.

    A class lies in a stretch where its share is at least half of its share of all rows: a flicker does not count.
    """
    sizes, counts = np.bincount(of_row), []
    for c in np.unique(labels):
        member = labels == c
        share = np.bincount(of_row[member], minlength=len(sizes)) / sizes
        counts.append(int((share >= member.mean() / 2).sum()))
    return min(counts)


def find_jumps(values: np.ndarray) -> np.ndarray:
    """Rows with which a log begins anew, int64, ascending: most of the columns that wander jump there.

    A column's usual step is the median of its steps that are not 0. A set point that moves alone (the speed, and not
    the temperature) does not end a run: the other columns still tell the run from all others.
    """
    values = np.asarray(values, np.float64)
    wandering = [c for c in values.T if autocorrelation(np.argsort(np.argsort(c)), 1)[1] >= WANDERS]
    if not wandering or len(values) < 2 * AROUND:
        return np.zeros(0, np.int64)
    jumped = np.sum([_jumps_of(column) for column in wandering], axis=0)
    return np.flatnonzero(2 * jumped > len(wandering))


def _jumps_of(column: np.ndarray) -> np.ndarray:
    """Whether a column's level moves with each row, bool [N]."""
    steps = np.abs(np.diff(column))
    usual = np.median(steps[steps > 0]) if (steps > 0).any() else 0.0
    if usual == 0:
        return np.zeros(len(column), bool)
    medians = scipy.ndimage.median_filter(column, AROUND, mode='nearest')
    half = AROUND // 2
    before, after = np.roll(medians, half + 1), np.roll(medians, -half)
    jumped = np.r_[False, steps > JUMP * usual] & (np.abs(after - before) > JUMP * usual)
    jumped[:AROUND] = jumped[len(column) - AROUND + 1 :] = False
    return jumped


def _label_changes(labels: np.ndarray) -> np.ndarray:
    """Rows with which the most frequent class of SMOOTHED rows becomes another one."""
    classes = np.unique(labels)
    shares = [scipy.ndimage.uniform_filter1d((labels == c).astype(float), SMOOTHED, mode='nearest') for c in classes]
    return np.flatnonzero(np.diff(np.argmax(shares, axis=0)) != 0) + 1


def _memory(labels: np.ndarray) -> int:
    """Rows after which the label's autocorrelation has fallen to FORGOTTEN of its largest value at a short lag.

    The envelope over SMOOTHED rows is taken, as loggers that take turns between machines make a comb of it.
    """
    longest = max(len(labels) // 4, 1)
    r = np.max([autocorrelation((labels == c).astype(float), longest + SMOOTHED) for c in np.unique(labels)], axis=0)
    envelope = scipy.ndimage.maximum_filter1d(r[1:], SMOOTHED, origin=-(SMOOTHED // 2), mode='constant')[:longest]
    below = np.flatnonzero(envelope < FORGOTTEN * envelope[0])
    return int(below[0]) + 1 if len(below) else longest


def _apart(candidates: np.ndarray, n: int, shortest: int) -> np.ndarray:
    """The first row and those candidates that leave stretches of at least `shortest` rows."""
    kept = [0]
    for cut in candidates.tolist():
        if cut - kept[-1] >= shortest and n - cut >= shortest:
            kept.append(cut)
    return np.array(kept, np.int64)


def _stretches(n: int, cuts: np.ndarray, jumps: np.ndarray, memory: int, dependent: bool) -> Stretches:
    natural = np.isin(cuts, jumps) | (cuts == 0)
    return Stretches(np.searchsorted(cuts, np.arange(n), side='right') - 1, natural, memory, dependent)
