"""When a run of domain adaptation has converged: neither the source nor the method's term gets any better."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.adapt.choice import is_at_full_strength

# Numbers of a history row that are to settle; a run without a term has only the first one.
WATCHED = ('validation_loss', 'train_term')


@dataclasses.dataclass(frozen=True)
class Settled:
    """Decides from the history alone, so that a resumed run stops where an unbroken one stops.

    Attributes:
      patience: epochs at full strength without a new lowest value, of either number, after which training stops; 0
        never stops.
    """

    patience: int

    def improved(self, history: Sequence[dict[str, Any]]) -> bool:
        """False: no epoch needs a checkpoint for this, since the last one always has one."""
        del history
        return False

    def stops(self, history: Sequence[dict[str, Any]]) -> bool:
        """Whether training is over."""
        return 0 < self.patience <= epochs_without_gain(history)


def epochs_without_gain(history: Sequence[dict[str, Any]]) -> int:
    """Epochs at full strength since one of WATCHED was last at its lowest there; 0 before full strength."""
    strong = [row for row in history if is_at_full_strength(row)]
    if not strong:
        return 0
    # A loss that stays at its lowest, such as 0, has converged: only a lower value counts as a gain.
    ages = [len(strong) - 1 - int(np.argmin([row[name] for row in strong])) for name in WATCHED if name in strong[0]]
    return min(ages)
