"""Figures of merit of a table of predictions, each with how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from fdx.evaluate.intervals import clustered_interval, effective_number, wilson_interval
from fdx.evaluate.predictions import RECORDING, Predictions
from fdx.evaluate.recordings import per_recording
from fdx.evaluate.spread import spread
from fdx.types import DataError

CALIBRATION_BINS = 15


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance between confidence and accuracy over equal bins of confidence, weighted by the windows in them.

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

    A class without windows in the table has null precision, recall, interval and F1 and a support of 0; macro F1 is
    the mean over the classes that do occur. A class that occurs but is never predicted has a precision of 0. The matrix
    always has K rows (true classes) and columns (predicted ones).

    Intervals have a level of 95 % and count units (`fdx.evaluate.intervals`): windows of one recording are right or
    wrong together, so a recording counts about once. In a table, a row, a group or a stretch of rows counts once.
    `accuracy_interval_windows` takes windows as independent, which they are not. `accuracy_interval_bearings` counts
    each bearing once, since all its recordings show the same fault.

    Returns:
      accuracy, accuracy_interval [low, high], interval_unit (recording, row, ...), units (how many),
      effective_number (of trials behind accuracy_interval), accuracy_interval_windows, accuracy_interval_bearings
      (null where no bearing has several recordings), bearings (how many, null likewise), macro_f1,
      weighted_precision, weighted_recall, weighted_f1, log_loss (natural logarithm), ece (15 bins), windows,
      recordings, folds (sorted), class_names, confusion_matrix (K rows of K), per_class: K dicts of class, precision,
      recall, recall_interval, f1, support, units, and recording_accuracy: {mean_probability,
      mean_probability_interval, vote, vote_interval}.
    """
    labels, predicted = predictions.labels, predictions.predicted
    classes = np.arange(len(predictions.class_names))
    matrix = confusion_matrix(labels, predicted, labels=classes)
    per_class = _per_class(predictions)
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
        **_intervals(predictions),
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


def interval_text(result: Mapping[str, Any], digits: int = 2) -> str:
    """'88.10-99.20% by recording (40), 79.00-100.00% by bearing (10), 93.00-96.00% if windows were independent'.

    Args:
      result: a dict of `summarise`, or these of its keys: accuracy_interval, interval_unit, units and, where they are
        there, accuracy_interval_bearings, bearings and accuracy_interval_windows.
      digits: after the point.
    """

    def of(key: str) -> str:
        low, high = result[key]
        return f'{100 * low:.{digits}f}-{100 * high:.{digits}f}%'

    unit = result['interval_unit']
    parts = [f'{of("accuracy_interval")} by {unit} ({result["units"]})']
    if result.get('accuracy_interval_bearings'):
        parts.append(f'{of("accuracy_interval_bearings")} by bearing ({result["bearings"]})')
    if result.get('windows', result['units']) > result['units']:
        word = 'windows' if unit == RECORDING else 'rows'
        parts.append(f'{of("accuracy_interval_windows")} if {word} were independent')
    return ', '.join(parts)


def _intervals(predictions: Predictions) -> dict[str, Any]:
    """Intervals of the accuracy: by unit, over windows, and by bearing where bearings are not the units."""
    correct, units = predictions.predicted == predictions.labels, np.asarray(predictions.counted_once)
    bearings = _shared_bearings(predictions)
    of_windows = wilson_interval(int(correct.sum()), len(correct))
    return {
        'accuracy_interval': clustered_interval(correct, units),
        'interval_unit': predictions.unit_name,
        'units': len(np.unique(units)),
        'effective_number': effective_number(correct, units),
        'accuracy_interval_windows': None if of_windows is None else list(of_windows),
        'accuracy_interval_bearings': None if bearings is None else clustered_interval(correct, bearings),
        'bearings': None if bearings is None else len(np.unique(bearings)),
    }


def _shared_bearings(predictions: Predictions) -> np.ndarray | None:
    """The bearing of each window if at least one bearing has several recordings; else None.

    A bearing that was recorded in two states, healthy and broken, counts as two: the one does not predict the other.
    """
    names = predictions.bearings
    if predictions.unit_name != RECORDING or names is None:
        return None
    # Where the bearing is unknown, the recording stands for it.
    known = [name or recording for name, recording in zip(names, predictions.recordings)]
    bearings = np.array([f'{name}/{label}' for name, label in zip(known, predictions.labels.tolist())])
    recordings = len({*predictions.recordings})
    return bearings if len(np.unique(bearings)) < recordings else None


def _per_class(predictions: Predictions) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class, null where the class does not occur."""
    columns = precision_recall_fscore_support(
        predictions.labels, predictions.predicted, labels=np.arange(len(predictions.class_names)), zero_division=0
    )
    rows, units = [], np.asarray(predictions.counted_once)
    for i, (name, precision, recall, f1, support) in enumerate(zip(predictions.class_names, *columns)):
        occurs, mine = support > 0, predictions.labels == i
        rows.append(
            {
                'class': name,
                'precision': float(precision) if occurs else None,
                'recall': float(recall) if occurs else None,
                'recall_interval': clustered_interval(predictions.predicted[mine] == i, units[mine]),
                'f1': float(f1) if occurs else None,
                'support': int(support),
                'units': len(np.unique(units[mine])),
            }
        )
    return rows


def _recording_accuracy(table: list[dict[str, Any]]) -> dict[str, Any]:
    """Share of recordings that are diagnosed correctly, by mean probability and by vote."""
    accuracy: dict[str, Any] = {}
    # A recording that several folds score has several rows, but counts once.
    recordings = [row['recording'] for row in table]
    for name, key in (('mean_probability', 'predicted_mean'), ('vote', 'predicted_vote')):
        correct = np.array([row[key] == row['label'] for row in table])
        accuracy[name] = float(correct.mean())
        accuracy[f'{name}_interval'] = clustered_interval(correct, recordings)
    return accuracy


def mean_and_spread(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean and spread of repeated runs (seeds or folds).

    Args:
      results: dicts of `summarise`, one per run.

    Returns:
      {'n': number of runs, 'accuracy': {'mean', 'standard_deviation'}, 'macro_f1': {...}}, with h_score where all have
      one. The deviation is the sample's (n - 1 in the denominator), null if there is only one run.

    Raises:
      DataError: there are no results.
    """
    if not results:
        raise DataError('there are no results to average: pass the summary of at least one run')
    found: dict[str, Any] = {'n': len(results)}
    for key in ('accuracy', 'macro_f1', *(['h_score'] if all(r.get('h_score') is not None for r in results) else [])):
        of_key = spread([result[key] for result in results])
        found[key] = {k: of_key[k] for k in ('mean', 'standard_deviation')}
    return found
