"""Figures of merit of a table of predictions, each with how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from fdx.evaluate.predictions import Predictions
from fdx.evaluate.recordings import per_recording
from fdx.types import DataError

CALIBRATION_BINS = 15


def wilson_interval(successes: int, n: int, z: float = 1.959964) -> tuple[float, float] | None:
    """The score interval of a proportion.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22(158):209-212, 1927.
    Unlike the textbook interval it stays inside [0, 1] and keeps a width at 0 and at n successes.

    Args:
      successes: count of hits, 0 <= successes <= n.
      n: count of trials, taken as independent.
      z: normal quantile; 1.959964 gives 95 %.

    Returns:
      (low, high), or None if n is 0.

    Raises:
      DataError: the counts are impossible.
    """
    if n < 0 or not 0 <= successes <= n:
        raise DataError(f'{successes} successes of {n} trials is impossible: need 0 <= successes <= n')
    if n == 0:
        return None
    share = successes / n
    scale = 1 + z**2 / n
    centre = (share + z**2 / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At the ends the formula gives exactly 0 or 1 on paper; rounding must not push it past.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance of confidence and accuracy over equal bins of confidence, weighted by their windows.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015; as used by Guo et al.,
    "On calibration of modern neural networks", ICML 2017.

    Args:
      probabilities: float [N, K].
      labels: int [N].
      bins: number of bins (i / bins, (i + 1) / bins].

    Returns:
      The error in [0, 1]; 0 is perfectly calibrated.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(index, weights=correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def summarise(predictions: Predictions) -> dict[str, Any]:
    """Every figure of merit of one table of predictions (one fold, or several pooled), ready for JSON.

    A class without windows in the table has null precision, recall and F1 and a support of 0; macro F1 is the mean
    over the classes that do occur. A class that occurs and is never predicted has a precision of 0. The matrix always
    has K rows (true classes) and columns (predicted ones).

    Intervals are Wilson's at 95 %. Those over windows take windows as independent; windows of one recording are
    not, so `recording_accuracy` carries its own intervals over recordings.

    Returns:
      accuracy, accuracy_interval [low, high], macro_f1, weighted_precision, weighted_recall, weighted_f1, log_loss
      (natural logarithm), ece (15 bins), windows, recordings, folds (sorted), class_names, confusion_matrix [K][K],
      per_class: K dicts of class, precision, recall, recall_interval, f1, support, and recording_accuracy:
      {mean_probability, mean_probability_interval, vote, vote_interval}.
    """
    labels, predicted = predictions.labels, predictions.predicted
    classes = np.arange(len(predictions.class_names))
    matrix = confusion_matrix(labels, predicted, labels=classes)
    per_class = _per_class(predictions, matrix)
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, labels=classes, average='weighted', zero_division=0
    )
    hits = int(np.trace(matrix))
    # Rows sum to 1 only to the precision that the model ran in; the logarithm should not see that.
    normalised = predictions.probabilities.astype(np.float64)
    normalised /= normalised.sum(axis=1, keepdims=True)
    table = per_recording(predictions)
    return {
        'accuracy': hits / len(labels),
        'accuracy_interval': _interval(hits, len(labels)),
        'macro_f1': float(np.mean([row['f1'] for row in per_class if row['support']])),
        'weighted_precision': float(precision),
        'weighted_recall': float(recall),
        'weighted_f1': float(f1),
        'log_loss': float(log_loss(labels, normalised, labels=classes)),
        'ece': expected_calibration_error(predictions.probabilities, labels),
        'windows': len(labels),
        'recordings': len(table),
        'folds': [int(fold) for fold in np.unique(predictions.folds)],
        'class_names': list(predictions.class_names),
        'confusion_matrix': matrix.tolist(),
        'per_class': per_class,
        'recording_accuracy': _recording_accuracy(table),
    }


def _interval(successes: int, n: int) -> list[float] | None:
    """`wilson_interval` as JSON holds it."""
    interval = wilson_interval(successes, n)
    return None if interval is None else list(interval)


def _per_class(predictions: Predictions, matrix: np.ndarray) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class, null where the class does not occur."""
    columns = precision_recall_fscore_support(
        predictions.labels, predictions.predicted, labels=np.arange(len(matrix)), zero_division=0
    )
    rows = []
    for i, (name, precision, recall, f1, support) in enumerate(zip(predictions.class_names, *columns)):
        occurs = support > 0
        rows.append(
            {
                'class': name,
                'precision': float(precision) if occurs else None,
                'recall': float(recall) if occurs else None,
                'recall_interval': _interval(int(matrix[i, i]), int(support)),
                'f1': float(f1) if occurs else None,
                'support': int(support),
            }
        )
    return rows


def _recording_accuracy(table: list[dict[str, Any]]) -> dict[str, Any]:
    """Share of recordings diagnosed rightly, by mean probability and by vote."""
    accuracy: dict[str, Any] = {}
    for name, key in (('mean_probability', 'predicted_mean'), ('vote', 'predicted_vote')):
        hits = sum(row[key] == row['label'] for row in table)
        accuracy[name] = hits / len(table)
        accuracy[f'{name}_interval'] = _interval(hits, len(table))
    return accuracy


def mean_and_spread(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean and spread of repeated runs (seeds or folds).

    Args:
      results: dicts of `summarise`, one a run.

    Returns:
      {'n': number of runs, 'accuracy': {'mean', 'standard_deviation'}, 'macro_f1': {...}}. The deviation is the
      sample's (n - 1 in the denominator), null for a single run.

    Raises:
      DataError: there are no results.
    """
    if not results:
        raise DataError('there are no results to average: pass the summary of at least one run')
    spread: dict[str, Any] = {'n': len(results)}
    for key in ('accuracy', 'macro_f1'):
        values = np.array([result[key] for result in results], dtype=np.float64)
        deviation = float(values.std(ddof=1)) if len(values) > 1 else None
        spread[key] = {'mean': float(values.mean()), 'standard_deviation': deviation}
    return spread
