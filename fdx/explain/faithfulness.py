"""Whether a network does what an explanation says: deletion and insertion (Petsiuk, Das and Saenko, "RISE", BMVC 2018).

The values of an input are replaced by the baseline, the most important ones first: if they were what the verdict rests
on, its probability falls at once. Put into the baseline in the same order, they raise it at once. The same in a random
order shows what any removal does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 20
RANDOM_ORDERS = 5
Probability = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Curves:
    """Probability of a class while values are taken away from the input, and while they are put into the baseline.

    Attributes:
      shares: float64 [M], share of the values that were replaced or put in, from 0 to 1.
      deletion, insertion: float64 [M], probabilities.
    """

    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def deletion_area(self) -> float:
        """Area under the deletion curve; the lower, the better the order."""
        return float(np.trapezoid(self.deletion, self.shares))

    @property
    def insertion_area(self) -> float:
        """Area under the insertion curve; the higher, the better the order."""
        return float(np.trapezoid(self.insertion, self.shares))

    @property
    def margin(self) -> float:
        """Insertion minus deletion: 1 for a perfect order, about 0 for one that says nothing."""
        return self.insertion_area - self.deletion_area

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            'deletion_area': self.deletion_area,
            'insertion_area': self.insertion_area,
            'margin': self.margin,
            'shares': self.shares.tolist(),
            'deletion': self.deletion.tolist(),
            'insertion': self.insertion.tolist(),
        }


def curves(
    probability: Probability, x: np.ndarray, baseline: np.ndarray, values: np.ndarray, steps: int = STEPS
) -> Curves:
    """Deletion and insertion in the order of an attribution, its largest values first.

    Args:
      probability: inputs float32 [N, ...] -> probability of the explained class [N].
      x: float32, one input.
      baseline: float32 of the same shape.
      values: attributions, of the same shape.
      steps: how many parts of equal size are removed one after the other.
    """
    # Stable: equal values keep their place, so that the same attribution always gives the same curves.
    order = np.argsort(-np.asarray(values, np.float64).ravel(), kind='stable')
    edges = np.linspace(0, len(order), steps + 1).round().astype(int)
    flat, nothing = x.ravel(), baseline.ravel()
    taken, put = np.repeat(flat[None], steps + 1, 0), np.repeat(nothing[None], steps + 1, 0)
    for i, edge in enumerate(edges):
        taken[i, order[:edge]] = nothing[order[:edge]]
        put[i, order[:edge]] = flat[order[:edge]]
    images = np.concatenate([taken, put]).reshape(-1, *x.shape).astype(np.float32)
    found = np.asarray(probability(images), np.float64)
    return Curves(edges / len(order), found[: steps + 1], found[steps + 1 :])


def random_curves(
    probability: Probability, x: np.ndarray, baseline: np.ndarray, seed: int = 0, count: int = RANDOM_ORDERS
) -> Curves:
    """The mean of `curves` over `count` random orders."""
    rng = np.random.default_rng(seed)
    found = [curves(probability, x, baseline, rng.random(x.shape)) for _ in range(count)]
    deletion, insertion = (np.mean([getattr(c, name) for c in found], axis=0) for name in ('deletion', 'insertion'))
    return Curves(found[0].shares, deletion, insertion)
