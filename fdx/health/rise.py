"""Whether a machine reads worse, and not only otherwise.

Damage adds something to a vibration: impacts raise many bands of a sensor at once and make some octave impulsive,
repeat at a fault's order, or add a line at a multiple of the shaft's speed. Warming up, running in, lubrication and a
changed mounting move resonances, so that some bands rise while others fall. Both are unusual; only damage is worse.

So the bands of a channel are averaged with their signs; of the impulsiveness of its octaves the rises alone count (the
root of their mean square); a level, a line of the shaft and a fault's order count each by itself. The rise of a
recording is the largest of these parts, in healthy standard deviations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from fdx.health.feature_plan import Feature

# Sets whose numbers rise together where something strikes; of which some rise; and those that rise each by itself.
# Others (shapes of spectra, outputs of networks) have no direction that is worse.
TOGETHER, SOME, ALONE = ('bands', 'log_mel'), ('impacts',), ('levels', 'shaft', 'orders')


@dataclasses.dataclass(frozen=True)
class Part:
    """Numbers that are read as one.

    Attributes:
      members: int64 [M], which of the D numbers.
      signed: whether what falls is set against what rises.
    """

    members: np.ndarray
    signed: bool

    def of(self, deviations: np.ndarray) -> np.ndarray:
        """How far they have risen: float64 [N], of deviations [N, D]."""
        mine = deviations[:, self.members]
        return mine.mean(axis=1) if self.signed else np.sqrt(np.mean(np.maximum(mine, 0.0) ** 2, axis=1))


def rising_parts(features: Sequence[Feature]) -> tuple[Part, ...]:
    """The parts of features; () where no number can tell."""
    parts: dict[tuple[str, ...], list[int]] = {}
    for i, f in enumerate(features):
        if f.set in (*TOGETHER, *SOME):
            parts.setdefault((f.set, f.channel), []).append(i)
        elif f.set in ALONE:
            parts[f.set, f.channel, f.what] = [i]
    return tuple(Part(np.array(members), key[0] not in SOME) for key, members in parts.items())


def fit_rise(deviations: np.ndarray, parts: Sequence[Part]) -> Callable[[np.ndarray], np.ndarray]:
    """How far rows have risen: a function of deviations [N, D] that gives float64 [N].

    Args:
      deviations: float64 [M, D], of healthy rows, in healthy standard deviations.
      parts: of `rising_parts`, one or more.
    """
    healthy = np.stack([part.of(deviations) for part in parts], axis=1)
    centre, scale = healthy.mean(axis=0), np.maximum(healthy.std(axis=0), 1e-9)
    return lambda x: ((np.stack([part.of(x) for part in parts], axis=1) - centre) / scale).max(axis=1)
