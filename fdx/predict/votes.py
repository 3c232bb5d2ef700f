"""How the windows of one recording are summed up into one verdict."""

from __future__ import annotations

import numpy as np

from fdx.train.decision import decide


def vote(probabilities: np.ndarray, threshold: float | np.ndarray | None = None) -> tuple[np.ndarray, int, int, float]:
    """Sums up the windows of one recording in two ways.

    Args:
      probabilities: float [N, K], one row per window, N >= 1.
      threshold: of class 1 if there are two classes. One for all, or one per window, since folds differ: the mean
        probability is then compared with the mean threshold. None: the more probable class wins.

    Returns:
      (mean_probability float64 [K], the class that the mean says, the class most windows vote for, the share of
      windows that vote for that class). The mean probability decides between classes with equally many votes.
    """
    mean = np.asarray(probabilities, dtype=np.float64).mean(axis=0)
    votes = np.bincount(decide(np.asarray(probabilities), threshold), minlength=len(mean))
    by_mean = int(decide(mean[None], None if threshold is None else float(np.mean(threshold)))[0])
    best = np.flatnonzero(votes == votes.max())
    # Among classes with equally many votes, the one that the mean calls wins.
    winner = by_mean if by_mean in best else int(best[mean[best].argmax()])
    return mean, by_mean, winner, float(votes[winner] / len(probabilities))
