"""From probabilities to a verdict that may be absent.

C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Trans. Information Theory 16(1):41-46, 1970: where
a wrong verdict costs 1 and none costs `doubt`, the least is paid by giving none where the probability of being wrong is
larger than `doubt`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.predict.universal.judge import NORMAL

# A verdict: something is wrong with the bearing, and the evidence does not say what.
UNCLEAR = 'fault'
# What no verdict costs, relative to a wrong one (docs/decisions/zero_shot.md).
DOUBT = 0.4


@dataclasses.dataclass(frozen=True)
class Called:
    """A verdict.

    Attributes:
      state: a state, UNCLEAR, or None where nothing can be said.
      reason: why nothing can be said, or which faults it may be; ''.
    """

    state: str | None
    reason: str = ''


def call(states: Sequence[str], probabilities: np.ndarray, doubt: float = DOUBT) -> Called:
    """The verdict on one recording.

    Sound or damaged is asked first: where both are more probable than `doubt`, there is no verdict. Then, of a damaged
    bearing, which fault: where another one than the most probable fault is more probable than `doubt`, given that there
    is one, the kind is unclear.

    Args:
      states: K names.
      probabilities: float [K], which sum to 1.
      doubt: between 0 and 0.5; with 0.5 there is always a verdict.
    """
    order = np.argsort(-probabilities, kind='stable')
    sound = float(probabilities[list(states).index(NORMAL)])
    if sound >= 1 - doubt:
        return Called(NORMAL)
    listed = [f'{states[i]} {probabilities[i]:.2f}' for i in order]
    if sound > doubt:
        return Called(None, f'cannot tell: {", ".join(listed[:2])}')
    faults = [i for i in order if states[i] != NORMAL]
    if probabilities[faults[0]] >= (1 - doubt) * (1 - sound):
        return Called(states[faults[0]])
    words = [f'{states[i]} {probabilities[i]:.2f}' for i in faults[:2]]
    return Called(UNCLEAR, f'a fault, kind unclear: {", ".join(words)}')
