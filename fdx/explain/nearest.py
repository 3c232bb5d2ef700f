"""The training recordings that a window is most like, by the distance of embeddings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

COUNT = 5


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingWindows:
    """Windows that a run was trained on.

    Attributes:
      embeddings: float [M, D], what the classifier sees of each.
      recordings: M names.
      labels: M class names.
    """

    embeddings: np.ndarray
    recordings: Sequence[str]
    labels: Sequence[str]


def nearest_recordings(embedding: np.ndarray, training: TrainingWindows, count: int = COUNT) -> list[dict[str, Any]]:
    """The training recordings whose windows come nearest to a window.

    Args:
      embedding: float [D] of the window.
      training: windows of training.
      count: how many recordings, at most.

    Returns:
      JSON-able rows, the nearest first: recording, label, and distance, that of its nearest window over the median
      distance of training windows from their own mean: 0 is the same window, 1 is as far as training is wide.
    """
    points = np.asarray(training.embeddings, np.float64)
    spread = float(np.median(np.linalg.norm(points - points.mean(axis=0), axis=1))) or 1.0
    distances = np.linalg.norm(points - np.asarray(embedding, np.float64), axis=1) / spread
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for i in np.argsort(distances, kind='stable'):
        name = str(training.recordings[i])
        if name in seen:
            continue
        seen.add(name)
        rows.append({'recording': name, 'label': str(training.labels[i]), 'distance': float(distances[i])})
        if len(rows) == count:
            break
    return rows
