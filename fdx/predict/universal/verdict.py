"""From probabilities to a verdict that may be absent: conformal sets of states (Vovk, Gammerman and Shafer, 2005)."""

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

    The set holds every state whose probability reaches `level`, which was chosen so that the true state of as many
    simulated machines as the card says is in their set. One state in the set is the verdict. Several faults are a fault
    of unclear kind. A set of normal and a fault is no verdict.

    Args:
      states: K names.
      probabilities: float [K].
      level: between 0 and 1.
    """
    order = np.argsort(-probabilities, kind='stable')
    inside = [states[i] for i in order if probabilities[i] >= level] or [states[order[0]]]
    if len(inside) == 1:
        return Called(inside[0])
    listed = ', '.join(f'{states[i]} {probabilities[i]:.2f}' for i in order if states[i] in inside)
    if NORMAL in inside:
        return Called(None, f'cannot tell: {listed}')
    return Called(UNCLEAR, f'a fault, kind unclear: {listed}')
