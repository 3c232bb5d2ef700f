"""Figures of merit of a decision between two classes, and the bins of a reliability diagram."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from fdx.evaluate.metrics import CALIBRATION_BINS
from fdx.evaluate.predictions import SUM_TOLERANCE
from fdx.types import DataError


def binary_summary(
    probabilities: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    class_names: Sequence[str],
    thresholds: np.ndarray | None = None,
) -> dict[str, Any]:
    """How good a decision between two classes is, ready for JSON; class 1 is the positive one.

    With hits TP, false alarms FP and missed ones FN, F beta is (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP) (van
    Rijsbergen, Information Retrieval, 1979); F2 weighs a missed failure more than a false alarm. The areas under
    the curves do not depend on the threshold: ROC (Fawcett, Pattern Recognition Letters 27, 2006) and the step sum of
    precision over recall. The Brier score (Monthly Weather Review 78, 1950) is mean (p - y)^2 of class 1.

    Args:
      probabilities: float [N, 2].
      labels: int [N], 0 or 1.
      predicted: int [N], the class that each row is given.
      class_names: two names.
      thresholds: float [N], the smallest probability of class 1 at which a row is given class 1; None where the more
        probable class wins. They are reported and not applied: `predicted` is the decision.

    Returns:
      positive (name of class 1), threshold (a number, a sorted list where folds differ, or None), precision, recall,
      f1, specificity, f2, false_alarms, missed (counts), roc_auc, average_precision and brier. Null: both areas where
      a class has no rows; precision, recall, f1 and f2 where class 1 has none; specificity where class 0 has none. If
      class 1 occurs but is never predicted, its precision is 0, as in fdx.evaluate.metrics.

    Raises:
      DataError: shapes, classes or probabilities that do not fit this description.
    """
    probabilities, labels = checked_table(probabilities, labels, class_names)
    predicted = _classes('predicted', predicted, len(labels), 2)
    hits = int(((labels == 1) & (predicted == 1)).sum())
    missed = int(((labels == 1) & (predicted == 0)).sum())
    false_alarms = int(((labels == 0) & (predicted == 1)).sum())
    quiet = int(((labels == 0) & (predicted == 0)).sum())
    positives, both = hits + missed, 0 < hits + missed < len(labels)
    # Rows sum to 1 only to the precision that the model ran in; the Brier score would refuse a probability above 1.
    brier = brier_score_loss(labels, probabilities[:, 1] / probabilities.sum(axis=1), pos_label=1)
    return {
        'positive': str(class_names[1]),
        'threshold': _threshold(thresholds, len(labels)),
        'precision': hits / max(hits + false_alarms, 1) if positives else None,
        'recall': hits / positives if positives else None,
        'f1': _f_beta(1, hits, missed, false_alarms) if positives else None,
        'specificity': quiet / (quiet + false_alarms) if quiet + false_alarms else None,
        'f2': _f_beta(2, hits, missed, false_alarms) if positives else None,
        'false_alarms': false_alarms,
        'missed': missed,
        'roc_auc': float(roc_auc_score(labels, probabilities[:, 1])) if both else None,
        'average_precision': float(average_precision_score(labels, probabilities[:, 1])) if both else None,
        'brier': float(brier),
    }


def _f_beta(beta: float, hits: int, missed: int, false_alarms: int) -> float:
    weighted = (1 + beta**2) * hits
    return weighted / (weighted + beta**2 * missed + false_alarms)


def _threshold(thresholds: np.ndarray | None, n: int) -> float | list[float] | None:
    """The distinct thresholds as JSON holds them: a run has one, pooled folds may have several."""
    if thresholds is None:
        return None
    distinct = np.unique(checked_thresholds(thresholds, n)).tolist()
    return distinct[0] if len(distinct) == 1 else distinct


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS) -> dict[str, list]:
    """Confidence against accuracy: what a reliability diagram shows, ready for JSON.

    Guo et al., "On calibration of modern neural networks", ICML 2017. The confidence is that of the most probable
    class, whatever the decision threshold. The mean of |accuracy - confidence| over the bins, weighted by their
    counts, is `fdx.evaluate.metrics.expected_calibration_error`.

    Args:
      probabilities: float [N, K].
      labels: int [N].
      bins: number of equal bins (i / bins, (i + 1) / bins].

    Returns:
      edges [bins + 1], and for each bin the mean confidence, the accuracy (both null in an empty bin) and the count.

    Raises:
      DataError: shapes, classes or probabilities that do not fit this description, or less than one bin.
    """
    probabilities, labels = checked_table(probabilities, labels)
    if not isinstance(bins, numbers.Integral) or bins < 1:
        raise DataError(f'bins is {bins!r}; a reliability diagram has a whole number of bins, at least 1')
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)

    def means(values: np.ndarray) -> list[float | None]:
        sums = np.bincount(index, weights=values, minlength=bins)
        return [float(s / n) if n else None for s, n in zip(sums, count)]

    return {
        'edges': (np.arange(bins + 1) / bins).tolist(),
        'confidence': means(confidence),
        'accuracy': means(correct),
        'count': count.tolist(),
    }


def checked_table(
    probabilities: np.ndarray, labels: np.ndarray, class_names: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities as float64 [N, K] and labels as int64 [N].

    Args:
      probabilities: float [N, K], N > 0, K > 1; rows sum to 1 within what bfloat16 holds.
      labels: int [N], 0 to K - 1.
      class_names: the two names of a decision between two classes; None allows any K.

    Raises:
      DataError: a shape, type or value that does not fit this description.
    """
    probabilities = np.asarray(probabilities, np.float64)
    if class_names is not None and (len(class_names) != 2 or probabilities.shape[1:] != (2,)):
        raise DataError(
            f'probabilities {probabilities.shape} of the classes {list(class_names)}: a decision with false alarms and '
            'misses has two classes, [N, 2]'
        )
    if probabilities.ndim != 2 or not len(probabilities) or probabilities.shape[1] < 2:
        raise DataError(f'probabilities have shape {probabilities.shape}; they must be [N, K], N > 0 and K > 1')
    # Every comparison with NaN is false, so the test asks for good rows, not for bad ones.
    good = (probabilities >= 0).all(axis=1) & (np.abs(probabilities.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if not good.all():
        row = int(good.argmin())
        raise DataError(
            f'row {row} of the probabilities is not a distribution: {probabilities[row].tolist()}; pass the softmax of '
            'the logits, finite and summing to 1'
        )
    return probabilities, _classes('labels', labels, *probabilities.shape)


def _classes(name: str, values: np.ndarray, n: int, k: int) -> np.ndarray:
    """`values` as int64 [n] of 0 to k - 1, or a DataError."""
    values = np.asarray(values)
    if values.shape != (n,) or values.dtype.kind not in 'iu' or values.min() < 0 or values.max() >= k:
        found = f'{values.dtype} {values.shape}'
        if values.size and values.dtype.kind in 'iu':
            found += f' from {values.min()} to {values.max()}'
        raise DataError(f'{name} must be whole numbers from 0 to {k - 1}, one for each of {n} rows, not {found}')
    return values.astype(np.int64)


def checked_thresholds(thresholds: np.ndarray, n: int) -> np.ndarray:
    """Thresholds as float64 [n], or a DataError where they have another shape or do not lie inside (0, 1)."""
    values = np.asarray(thresholds, np.float64)
    if values.shape != (n,) or not ((values > 0) & (values < 1)).all():
        raise DataError(f'thresholds {values.shape} must lie between 0 and 1, one for each of {n} rows')
    return values
