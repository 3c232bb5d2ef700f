"""Numbers that a comparison of runs needs: scores of a run, smoothed losses, paired differences, votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from fdx.evaluate.metrics import summarise
from fdx.evaluate.predictions import Predictions
from fdx.evaluate.recordings import per_recording
from fdx.types import DataError

# Metrics of one run, in the order of the table.
METRICS = (
    'accuracy',
    'weighted_precision',
    'weighted_recall',
    'weighted_f1',
    'macro_precision',
    'macro_recall',
    'macro_f1',
    'recording_vote_accuracy',
    'recording_mean_accuracy',
)
CURVES = ('train_loss', 'validation_loss')
BOOTSTRAP_DRAWS = 2000


def score(predictions: Predictions) -> dict[str, Any]:
    """Figures of merit of one run: METRICS, and the confusion matrix.

    Macro figures are means over the classes that occur; a class that is never predicted has a precision of 0.
    """
    summary = summarise(predictions)
    labels, predicted = predictions.labels, predictions.predicted
    precision, recall, _, _ = precision_recall_fscore_support(
        labels, predicted, labels=np.unique(labels), average='macro', zero_division=0
    )
    own = {k: summary[k] for k in METRICS if k in summary}
    return {
        **own,
        'macro_precision': float(precision),
        'macro_recall': float(recall),
        'recording_vote_accuracy': summary['recording_accuracy']['vote'],
        'recording_mean_accuracy': summary['recording_accuracy']['mean_probability'],
        'confusion_matrix': summary['confusion_matrix'],
    }


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Exponential smoothing without the bias of a start at zero.

        m_0 = 0,  m_t = w m_{t-1} + (1 - w) x_t,  smoothed_t = m_t / (1 - w^t)

    The correction is Adam's (Kingma and Ba, 2015): the first value stands as it is. Values that are not finite are
    left out of the average and come back as NaN.

    Args:
      values: float [E], one per epoch.
      weight: w in [0, 1); 0 does not smooth.

    Raises:
      DataError: a weight outside [0, 1).
    """
    if not 0 <= weight < 1:
        raise DataError(f'smoothing {weight}: it lies in [0, 1)')
    out, m, n = np.full(len(values), np.nan), 0.0, 0
    for t, value in enumerate(np.asarray(values, np.float64)):
        if np.isfinite(value):
            m, n = weight * m + (1 - weight) * value, n + 1
            out[t] = m / (1 - weight**n)
    return out


def curves(histories: Sequence[Sequence[dict]], weight: float) -> dict[str, Any]:
    """Losses over the epochs, averaged over runs (seeds and folds).

    Returns:
      epochs [E], and for train_loss and validation_loss: `raw` [E], the mean over runs; `smoothed` [E], the mean of
      the runs' smoothed curves, and `band` [E], their sample standard deviation (0 for one run). Diverged epochs are
      None.
    """
    found: dict[str, Any] = {'epochs': [row['epoch'] for row in histories[0]]}
    for name in CURVES:
        raw = np.array([[np.nan if row[name] is None else row[name] for row in h] for h in histories], np.float64)
        smoothed = np.array([smooth(row, weight) for row in raw])
        band = smoothed.std(axis=0, ddof=1) if len(raw) > 1 else np.zeros(raw.shape[1])
        columns = {'raw': raw.mean(axis=0), 'smoothed': smoothed.mean(axis=0), 'band': band}
        found[name] = {k: [float(x) if np.isfinite(x) else None for x in v] for k, v in columns.items()}
    return found


def differences(pooled: Mapping[str, Sequence[Predictions]]) -> list[dict[str, Any]]:
    """Accuracy of every strategy less that of every later one, on the same windows, averaged over seeds.

    The interval is the percentile bootstrap over recordings (Efron and Tibshirani, 1993, chapter 13): a draw takes
    whole recordings, since windows of one resemble each other. Seeds are averaged, not drawn: the interval is about
    other recordings, not about other seeds.

    Returns:
      One dict per pair: first, second, difference, interval [low, high] of 95 %, recordings.
    """
    names, rows = list(pooled), []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            gains, ids = _gains(pooled[first], pooled[second])
            kinds, number = np.unique(ids, return_inverse=True)
            totals, counts = np.bincount(number, gains), np.bincount(number)
            drawn = np.random.default_rng(0).integers(len(kinds), size=(BOOTSTRAP_DRAWS, len(kinds)))
            low, high = np.percentile(totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1), (2.5, 97.5))
            rows.append({'first': first, 'second': second, 'difference': float(gains.mean())})
            rows[-1].update(interval=[float(low), float(high)], recordings=len(kinds))
    return rows


def _gains(first: Sequence[Predictions], second: Sequence[Predictions]) -> tuple[np.ndarray, list[str]]:
    """For each scored window 1, 0 or -1 as the first, both or neither, or the second alone is right; its recording."""
    gains, ids = [], []
    for a, b in zip(first, second):
        if a.recordings != b.recordings or not np.array_equal(a.window_starts, b.window_starts):
            raise DataError('strategies were scored on different windows: remove the runs of one and train them again')
        gains.append((a.predicted == a.labels).astype(np.float64) - (b.predicted == b.labels))
        ids += a.recordings
    return np.concatenate(gains), ids


def votes(pooled: Mapping[str, Sequence[Predictions]]) -> list[dict[str, Any]]:
    """How the windows of each recording voted, seed by seed.

    Returns:
      One dict per recording, the most mistaken first: recording, label, strategies {name: {verdicts {class: seeds},
      right: seeds, seeds: number that scored it}}.
    """
    rows: dict[str, dict[str, Any]] = {}
    for name, tables in pooled.items():
        for line in [line for table in tables for line in per_recording(table)]:
            row = rows.setdefault(
                line['recording'], {'recording': line['recording'], 'label': line['label'], 'strategies': {}}
            )
            row['strategies'].setdefault(name, Counter())[line['predicted_vote']] += 1
    for row in rows.values():
        row['strategies'] = {
            name: {'verdicts': dict(c.most_common()), 'right': c[row['label']], 'seeds': c.total()}
            for name, c in row['strategies'].items()
        }
    return sorted(rows.values(), key=lambda row: (-_mistakes(row), row['recording']))


def _mistakes(row: dict[str, Any]) -> int:
    return sum(s['seeds'] - s['right'] for s in row['strategies'].values())
