"""How well numbers tell classes apart: nearest centroid, scored on recordings that it has not seen, and by chance.

The classifier is scikit-learn's NearestCentroid on standardised columns, written for many relabellings at once: a
permutation test fits it a thousand times. It has nothing to tune and needs two recordings per class.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# Relabellings that are judged at once, by what they need of memory.
MAX_CELLS = 4_000_000


@dataclasses.dataclass(frozen=True)
class Plan:
    """How recordings are left out and relabelled.

    Attributes:
      labels: int [N], numbers of the classes from 0.
      folds: int [N], which recordings are left out together.
      strata: int [N], labels are permuted within these.
      units: int [N], recordings that keep one label in common (of one bearing); each in one fold and stratum.
    """

    labels: np.ndarray
    folds: np.ndarray
    strata: np.ndarray
    units: np.ndarray

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.labels.max()) + 1

    def relabelled(self, count: int, seed: int) -> np.ndarray:
        """The labels, and count - 1 relabellings of the units within their strata: int [count, N]."""
        rng = np.random.default_rng(seed)
        _, first, of_row = np.unique(self.units, return_index=True, return_inverse=True)
        labels = np.tile(self.labels[first], (count, 1))
        for stratum in np.unique(self.strata[first]):
            mine = np.flatnonzero(self.strata[first] == stratum)
            labels[1:, mine] = rng.permuted(labels[1:, mine], axis=1)
        return labels[:, of_row]


def standardised(values: np.ndarray) -> np.ndarray:
    """Columns of values [N, D] with mean 0 and deviation 1; constant columns are 0."""
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    return centred / np.where(deviation > 1e-12, deviation, np.inf)


def predicted(values: np.ndarray, labels: np.ndarray, folds: np.ndarray, classes: int) -> np.ndarray:
    """Labels that the nearest centroid of the other folds' recordings gives to each recording.

    Args:
      values: float64 [N, D].
      labels: int [P, N], P labellings.
      folds: int [N].
      classes: K.

    Returns:
      int [P, N]. A class without a recording in the other folds is never answered.
    """
    found = np.empty(labels.shape, np.int64)
    part = max(1, MAX_CELLS // (labels.shape[1] * classes))
    for start in range(0, len(labels), part):
        some = labels[start : start + part]
        one_hot = (some[:, :, None] == np.arange(classes)).astype(np.float64)
        for fold in np.unique(folds):
            out = folds == fold
            learned = one_hot[:, ~out]
            counts = learned.sum(axis=1)
            centroids = np.einsum('pnk,nd->pkd', learned, values[~out]) / np.maximum(counts, 1.0)[:, :, None]
            distance = np.zeros((len(some), int(out.sum()), classes))
            for d in range(values.shape[1]):
                distance += (values[None, out, d, None] - centroids[:, None, :, d]) ** 2
            distance = np.where(counts[:, None, :] > 0, distance, np.inf)
            # Rounded, so that classes in the same place are a tie and not decided by the last bit.
            found[start : start + part, out] = np.argmin(np.round(distance, 9), axis=2)
    return found


def recalls(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """float64 [P, K]: share of each class's recordings that are answered rightly; 0 for a class without any."""
    found = np.zeros((len(labels), classes))
    for k in range(classes):
        mine = labels == k
        found[:, k] = (mine & (answers == k)).sum(axis=1) / np.maximum(mine.sum(axis=1), 1)
    return found


def balanced_accuracy(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """float64 [P]: mean recall of the classes."""
    return recalls(labels, answers, classes).mean(axis=1)


def one_against_rest(labels: np.ndarray, answers: np.ndarray, members: np.ndarray) -> np.ndarray:
    """float64 [P]: balanced accuracy for the classes of `members` (int) against all others."""
    truth, said = np.isin(labels, members), np.isin(answers, members)
    hit = (truth & said).sum(axis=1) / np.maximum(truth.sum(axis=1), 1)
    rest = (~truth & ~said).sum(axis=1) / np.maximum((~truth).sum(axis=1), 1)
    return (hit + rest) / 2


def adjusted(scores: np.ndarray) -> np.ndarray:
    """p-values of the first row of scores [P, M], adjusted for M tests.

    Each test's scores become p-values among its own relabellings, and the smallest of a relabelling's is what chance
    makes of all tests together (Westfall and Young, "Resampling-Based Multiple Testing", 1993: min P). Tests that say
    the same cost nothing.

    Returns:
      float64 [M]: the probability that chance makes any of the tests look as good.
    """
    if not scores.shape[1]:
        return np.zeros(0)
    scores = np.round(scores, 9)
    p = np.empty_like(scores)
    for m in range(scores.shape[1]):
        rank = np.sort(scores[:, m])
        p[:, m] = (len(rank) - np.searchsorted(rank, scores[:, m], side='left')) / len(rank)
    smallest = np.sort(p.min(axis=1))
    return np.searchsorted(smallest, p[0] + 1e-12, side='right') / len(smallest)
