"""Early stopping: training ends after some epochs without a better validation score (Prechelt, LNCS 1524, 1998)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fdx.train.description import selection


@dataclasses.dataclass(frozen=True)
class EarlyStopping:
    """Decides from the history alone, so that a resumed run stops where an unbroken one stops.

    Attributes:
      select_by: the validation criterion, one of fdx.train.config.SELECTIONS.
      patience: epochs without a better score after which training stops; 0 never stops.
    """

    select_by: str
    patience: int

    def epochs_since_best(self, history: Sequence[dict]) -> int:
        """Number of epochs after the earliest best one; epochs that diverged have no score."""
        scores = [selection(row, self.select_by)['score'] for row in history]
        known = [score for score in scores if score is not None]
        return len(scores) - 1 - scores.index(max(known)) if known else len(scores)

    def improved(self, history: Sequence[dict]) -> bool:
        """Whether the last epoch is the best so far, and so must have a checkpoint."""
        return self.patience > 0 and self.epochs_since_best(history) == 0

    def stops(self, history: Sequence[dict]) -> bool:
        """Whether training is over."""
        return 0 < self.patience <= self.epochs_since_best(history)
