"""Random numbers as plain Python values, each stream its own: by seed, index and purpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar('T')


class Dice:
    """One stream of random numbers. The same seed, index and part give the same numbers, whatever was drawn before."""

    def __init__(self, seed: int, index: int, part: int):
        self.rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, index, part])))

    def uniform(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return float(self.rng.uniform(low, high))

    def log_uniform(self, low: float, high: float) -> float:
        """The logarithm is uniform; both ends are positive."""
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def log_normal(self, spread: float) -> float:
        """Median 1; `spread` is the standard deviation of the natural logarithm."""
        return math.exp(spread * float(self.rng.standard_normal()))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def pick(self, values: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of the values, with probabilities in proportion to the weights."""
        p = None if weights is None else np.asarray(weights, float) / np.sum(weights)
        return values[int(self.rng.choice(len(values), p=p))]

    def phase(self) -> float:
        """A share of a cycle, in [0, 1)."""
        return float(self.rng.random())

    def phases(self, count: int) -> tuple[float, ...]:
        """Shares of a cycle."""
        return tuple(float(p) for p in self.rng.random(count))
