"""The H-score of open sets: known classes must be told apart and unknown ones be rejected, both at once."""

from __future__ import annotations

from typing import Any

import numpy as np


def h_scores(predicted: np.ndarray, labels: np.ndarray, unknown: int) -> dict[str, Any]:
    """Scores of predictions for a target with classes that the source lacks.

    Fu et al., "Learning to detect open classes for universal domain adaptation", ECCV 2020: the harmonic mean of both
    accuracies, which is low if either one is low. Rejecting everything, or nothing, has 0.

    Args:
      predicted: int [N], classes from 0; `unknown` rejects a window.
      labels: int [N], likewise; `unknown` for windows of all classes that the source lacks.
      unknown: number of the class `unknown`.

    Returns:
      known_accuracy (mean over the known classes that occur), unknown_accuracy and h_score, in [0, 1]; None for what
      no window could tell.
    """
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    right = predicted == labels
    classes = [k for k in np.unique(labels) if k != unknown]
    known = float(np.mean([right[labels == k].mean() for k in classes])) if classes else None
    rejected = float(right[labels == unknown].mean()) if (labels == unknown).any() else None
    h_score = None
    if known is not None and rejected is not None:
        h_score = 2 * known * rejected / (known + rejected) if known + rejected else 0.0
    return {'known_accuracy': known, 'unknown_accuracy': rejected, 'h_score': h_score}
