"""From probabilities to a verdict that may be absent: sets of states, as in conformal prediction.

Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005. The level was chosen on simulated machines
that took no part in training, and the card says how often the true state was in the set there (its coverage).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.predict.universal.judge import NORMAL

# A verdict: something is wrong with the bearing, and the evidence does not say what.
UNCLEAR = 'fault'


@dataclasses.dataclass(frozen=True)
class Called:
    """A verdict.

    Attributes:
      state: a state, UNCLEAR, or None where nothing can be said.
      reason: why nothing can be said, or which faults it may be; ''.
    """

    state: str | None
    reason: str = ''


def call(states: Sequence[str], probabilities: np.ndarray, level: float) -> Called:
    """The verdict on one recording.

    The set holds the most probable state and every other one whose probability reaches `level`. One state in the set is
    the verdict. Several faults are a fault of unclear kind. A set of normal and a fault is no verdict.

    Args:
      states: K names.
      probabilities: float [K].
      level: between 0 and 1.
    """
    order = np.argsort(-probabilities, kind='stable')
    inside = [states[i] for n, i in enumerate(order) if n == 0 or probabilities[i] >= level]
    if len(inside) == 1:
        return Called(inside[0])
    listed = ', '.join(f'{states[i]} {probabilities[i]:.2f}' for i in order if states[i] in inside)
    if NORMAL in inside:
        return Called(None, f'cannot tell: {listed}')
    return Called(UNCLEAR, f'a fault, kind unclear: {listed}')
