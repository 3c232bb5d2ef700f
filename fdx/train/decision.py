"""The decision threshold of two classes, chosen on validation rows and kept with the checkpoint."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.types import ConfigError

KINDS = ('f_beta', 'cost', 'recall')
SMALLEST = 1e-9  # thresholds lie inside (0, 1)
HOW = 'f_beta:BETA (e.g. f_beta:1), cost:RATIO (a missed failure costs RATIO false alarms) or recall:SHARE (0 to 1)'


@dataclasses.dataclass(frozen=True)
class DecisionRule:
    """What a threshold is chosen by.

    Attributes:
      kind: f_beta, cost or recall.
      value: beta, the cost ratio, or the wished recall.
    """

    kind: str
    value: float

    @classmethod
    def parse(cls, text: str) -> DecisionRule:
        """KIND:VALUE; ConfigError otherwise."""
        kind, _, number = text.partition(':')
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        good = kind in KINDS and math.isfinite(value) and value > 0 and not (kind == 'recall' and value > 1)
        if not good:
            raise ConfigError(f'--threshold={text}: write {HOW}')
        return cls(kind, value)

    def choose(self, positive: np.ndarray, labels: np.ndarray) -> float:
        """The threshold t: a row is called class 1 where its probability is at least t.

        Thresholds lie halfway between neighbouring probabilities of the rows. Of equally good ones the highest is
        taken: the fewest alarms. A wished recall is reached by the highest threshold that has it.

        Args:
          positive: float [N], probability of class 1.
          labels: int [N], 0 or 1.

        Raises:
          ConfigError: rows of one class only.
        """
        labels = np.asarray(labels)
        if not 0 < labels.sum() < len(labels):
            raise ConfigError('--threshold: the validation rows hold one class only, so nothing can be chosen on them')
        scores = np.unique(np.asarray(positive, np.float64))
        cuts = np.concatenate([[scores[0] / 2], (scores[1:] + scores[:-1]) / 2, [(scores[-1] + 1) / 2]])
        cuts = cuts.clip(SMALLEST, 1 - SMALLEST)
        ranked = np.sort(np.asarray(positive, np.float64)[labels == 1])
        false = np.sort(np.asarray(positive, np.float64)[labels == 0])
        hits = len(ranked) - np.searchsorted(ranked, cuts, side='left')
        alarms = len(false) - np.searchsorted(false, cuts, side='left')
        good = self._merit(hits, alarms, len(ranked))
        best = np.flatnonzero(good >= good.max() - 1e-12)
        return float(cuts[best[-1]])

    def _merit(self, hits: np.ndarray, alarms: np.ndarray, failures: int) -> np.ndarray:
        """Figure of merit of every cut, the higher the better (van Rijsbergen, Information Retrieval, 1979, for F)."""
        if self.kind == 'cost':
            return -(self.value * (failures - hits) + alarms).astype(np.float64)
        if self.kind == 'recall':
            # Every cut that reaches it is as good as another; the highest is taken.
            return (hits >= math.ceil(self.value * failures - 1e-9)).astype(np.float64)
        square = self.value**2
        return (1 + square) * hits / np.maximum((1 + square) * hits + square * (failures - hits) + alarms, 1)


def decide(probabilities: np.ndarray, threshold: float | None) -> np.ndarray:
    """Classes int64 [N] of probabilities [N, K]: the most probable, or by the threshold of class 1 where K is 2."""
    if threshold is None:
        return probabilities.argmax(axis=1)
    return (probabilities[:, 1] >= threshold).astype(np.int64)
