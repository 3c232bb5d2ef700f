"""What the scored windows say about whole recordings, and the windows with the worst mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fdx.evaluate.predictions import Predictions
from fdx.predict.votes import vote
from fdx.types import DataError


def per_recording(predictions: Predictions) -> list[dict[str, Any]]:
    """Diagnoses every recording from its windows, in the order of first appearance.

    If several folds score the same windows (protocol domain_pairs tests a domain from every other one), each fold gives
    a separate diagnosis, because networks of different sources must not vote together.

    Returns:
      One dict per recording: recording, label, windows (their number), mean_probability {class name: probability},
      predicted_mean and predicted_vote (class names, see `vote`), agreement (share of windows behind the vote).

    Raises:
      DataError: the windows of one recording carry different labels.
    """
    windows = set(zip(predictions.recordings, predictions.window_starts.tolist()))
    scored_once = len(windows) == len(predictions)
    rows: dict[tuple[str, int], list[int]] = {}
    for row, (recording, fold) in enumerate(zip(predictions.recordings, predictions.folds.tolist())):
        rows.setdefault((recording, 0 if scored_once else fold), []).append(row)
    names = predictions.class_names
    table = []
    for (recording, _), index in rows.items():
        labels = np.unique(predictions.labels[index])
        if len(labels) > 1:
            raise DataError(f'recording {recording} has windows of several labels: {[names[i] for i in labels]}')
        threshold = None if predictions.thresholds is None else predictions.thresholds[index]
        mean, by_mean, by_vote, agreement = vote(predictions.probabilities[index], threshold)
        table.append(
            {
                'recording': recording,
                'label': names[labels[0]],
                'windows': len(index),
                'mean_probability': {name: float(value) for name, value in zip(names, mean)},
                'predicted_mean': names[by_mean],
                'predicted_vote': names[by_vote],
                'agreement': agreement,
            }
        )
    return table


def confident_mistakes(predictions: Predictions, limit: int = 10) -> list[dict[str, Any]]:
    """The wrong windows with the highest confidence, most confident first (equals in row order).

    Returns:
      At most `limit` dicts: recording, window_start, fold, label, predicted (class names), probability (of the
      predicted class), label_probability (of the true one).
    """
    predicted = predictions.predicted
    wrong = np.flatnonzero(predicted != predictions.labels)
    confidence = predictions.probabilities[np.arange(len(predicted)), predicted]
    order = wrong[np.argsort(-confidence[wrong], kind='stable')][:limit]
    return [
        {
            'recording': predictions.recordings[i],
            'window_start': int(predictions.window_starts[i]),
            'fold': int(predictions.folds[i]),
            'label': predictions.class_names[predictions.labels[i]],
            'predicted': predictions.class_names[predicted[i]],
            'probability': float(confidence[i]),
            'label_probability': float(predictions.probabilities[i, predictions.labels[i]]),
        }
        for i in order
    ]
