"""The decision threshold of two classes, chosen on validation rows and kept with the checkpoint."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.types import ConfigError

LARGEST = 1e6  # of beta and of a cost ratio
KINDS = ('f_beta', 'cost', 'recall')
HOW = 'f_beta:BETA (e.g. f_beta:1), cost:RATIO (a missed failure costs RATIO false alarms) or recall:SHARE (0 to 1)'


@dataclasses.dataclass(frozen=True)
class DecisionRule:
    """What a threshold is chosen by.

    Attributes:
      kind: f_beta, cost or recall.
      value: beta, the cost ratio, or the recall that is wished for.
    """

    kind: str
    value: float

    @classmethod
    def parse(cls, text: str) -> DecisionRule:
        """The rule that KIND:VALUE spells; ConfigError for any other text."""
        kind, _, number = text.partition(':')
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        good = kind in KINDS and 0 < value < LARGEST and not (kind == 'recall' and value > 1)
        if not good:
            raise ConfigError(f'`threshold`={text}: write {HOW}')
        return cls(kind, value)

    def choose(self, positive: np.ndarray, labels: np.ndarray) -> float:
        """The threshold t: a row is called class 1 where its probability is at least t.

        Thresholds lie halfway between neighbouring probabilities of the rows. Of equally good ones the highest is
        taken, as it raises the fewest alarms: for a wished recall, the highest threshold that reaches it.

        Args:
          positive: float [N], probability of class 1; it is rounded to float32.
          labels: int [N], 0 or 1.

        Raises:
          ConfigError: rows of one class only.
        """
        labels = np.asarray(labels)
        if not 0 < labels.sum() < len(labels):
            raise ConfigError(
                '`threshold`: the validation rows hold only one class, so no threshold can be chosen on them'
            )
        # Predictions are stored as float32: a threshold between two stored values then splits the same rows.
        positive = np.asarray(positive, np.float32).astype(np.float64)
        scores = np.unique(positive)
        cuts = np.concatenate([[scores[0] / 2], (scores[1:] + scores[:-1]) / 2, [(scores[-1] + 1) / 2]])
        # Rows of probability 1 are called class 1 under every threshold, those of probability 0 under none.
        cuts = cuts[(cuts > 0) & (cuts < 1)]
        ranked, false = np.sort(positive[labels == 1]), np.sort(positive[labels == 0])
        hits = len(ranked) - np.searchsorted(ranked, cuts, side='left')
        alarms = len(false) - np.searchsorted(false, cuts, side='left')
        good = self._merit(hits, alarms, len(ranked))
        best = np.flatnonzero(good >= good.max() - 1e-12)
        return float(cuts[best[-1]])

    def _merit(self, hits: np.ndarray, alarms: np.ndarray, failures: int) -> np.ndarray:
        """Figure of merit of every cut, higher is better (F: van Rijsbergen, Information Retrieval, 1979)."""
        if self.kind == 'cost':
            return -(self.value * (failures - hits) + alarms).astype(np.float64)
        if self.kind == 'recall':
            # All cuts that reach the recall are equally good. If none reaches it, because a failure has probability
            # 0, the cut with the most hits is the best.
            return np.minimum(hits, math.ceil(self.value * failures - 1e-9)).astype(np.float64)
        square = self.value**2
        return (1 + square) * hits / np.maximum((1 + square) * hits + square * (failures - hits) + alarms, 1)


def rule_of(text: str, num_classes: int) -> DecisionRule | None:
    """The rule that `threshold` spells; None where the text is empty.

    Raises:
      ConfigError: the run does not have two classes, or `DecisionRule.parse` refuses the text.
    """
    if not text:
        return None
    rule = DecisionRule.parse(text)
    if num_classes != 2:
        raise ConfigError(
            f'`threshold`={text}: a threshold decides between 2 classes, but this run has {num_classes}: leave it out'
        )
    return rule


def decide(probabilities: np.ndarray, threshold: float | np.ndarray | None) -> np.ndarray:
    """Classes int64 [N] of probabilities [N, K]: the most probable, or by the threshold of class 1 where K is 2.

    The threshold is one number for all rows, or float [N].
    """
    if threshold is None:
        return probabilities.argmax(axis=1)
    # Compared in float64: NumPy would round a single number to float32, but not a column of numbers, and prediction
    # must agree with evaluation.
    return (probabilities[:, 1].astype(np.float64) >= threshold).astype(np.int64)
