"""The recordings that a network got wrong, or nearly wrong, and one vote per recording in a confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.evaluate.predictions import Predictions

WORST = 5


def recording_confusion(verdicts: Sequence[Mapping[str, Any]], class_names: Sequence[str]) -> list[list[int]]:
    """Counts of recordings, K rows (true classes) of K (what the mean probability says).

    Args:
      verdicts: rows of `fdx.evaluate.recordings.per_recording`.
      class_names: K names.
    """
    number = {name: i for i, name in enumerate(class_names)}
    matrix = np.zeros((len(number), len(number)), np.int64)
    for row in verdicts:
        matrix[number[row['label']], number[row['predicted_mean']]] += 1
    return matrix.tolist()


def worst_recordings(
    predictions: Predictions, verdicts: Sequence[Mapping[str, Any]], limit: int = WORST
) -> list[dict[str, Any]]:
    """The wrong recordings, the surest of them first; then the right ones, those with the lowest margin first.

    A recording that several folds diagnose appears once, with its worst diagnosis.

    Args:
      predictions: the scored windows.
      verdicts: `per_recording` of them.
      limit: how many.

    Returns:
      At most `limit` dicts: recording, label, predicted (by mean probability), right, probability (of what was said),
      label_probability (of the true class), margin (of the said class over the best other one), windows, row (of
      `predictions`: the window that is surest of a wrong verdict, or has the lowest margin of a right one).
    """
    found = []
    for verdict in verdicts:
        of_class, said = verdict['mean_probability'], verdict['predicted_mean']
        others = max(p for name, p in of_class.items() if name != said)
        found.append(
            {
                'recording': verdict['recording'],
                'label': verdict['label'],
                'predicted': said,
                'right': said == verdict['label'],
                'probability': of_class[said],
                'label_probability': of_class[verdict['label']],
                'margin': of_class[said] - others,
                'windows': verdict['windows'],
            }
        )
    found.sort(key=lambda row: (row['right'], row['margin'] if row['right'] else -row['probability'], row['recording']))
    worst: dict[str, dict[str, Any]] = {}
    for row in found:
        worst.setdefault(row['recording'], row)
    chosen = list(worst.values())[:limit]
    for row in chosen:
        row['row'] = _telling_window(predictions, row)
    return chosen


def _telling_window(predictions: Predictions, verdict: Mapping[str, Any]) -> int:
    """Row of the window that speaks most for a wrong verdict, or least for a right one."""
    rows = np.flatnonzero(np.asarray(predictions.recordings) == verdict['recording'])
    said = predictions.class_names.index(verdict['predicted'])
    of_said = predictions.probabilities[rows, said]
    others = np.delete(predictions.probabilities[rows], said, axis=1).max(axis=1)
    margins = of_said - others
    return int(rows[np.argmin(margins) if verdict['right'] else np.argmax(margins)])
