"""Integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML 2017).

The attribution of a value is its difference from the baseline times the mean gradient on the straight line from the
baseline to the input. All attributions together are the difference of the scores at both ends (completeness).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.explain.network import Network

STEPS = 64


@dataclasses.dataclass(frozen=True, eq=False)
class Integrated:
    """Integrated gradients of one input.

    Attributes:
      values: float64, attribution of each value of the input.
      mean_gradient: float64, the mean gradient on the line, from which `spectral` makes attributions of frequencies.
      difference: score of the input minus score of the baseline.
    """

    values: np.ndarray
    mean_gradient: np.ndarray
    difference: float

    @property
    def gap(self) -> float:
        """How far the attributions are from adding up to `difference`, absolute; the integral is a sum of STEPS."""
        return abs(float(self.values.sum()) - self.difference)


def integrated_gradients(
    network: Network, x: np.ndarray, baseline: np.ndarray, which: int, steps: int = STEPS
) -> Integrated:
    """Attribution of the log odds of a class to the values of an input.

    Args:
      network: a trained network.
      x: float32, one input.
      baseline: float32 of the same shape.
      which: number of the class.
      steps: points of the midpoint rule on the line.
    """
    shift = np.asarray(x, np.float64) - baseline
    along = (np.arange(steps) + 0.5) / steps
    points = (baseline + along.reshape(-1, *[1] * shift.ndim) * shift).astype(np.float32)
    mean = network.gradients(points, np.full(steps, which, np.int32)).astype(np.float64).mean(axis=0)
    ends = np.stack([x, baseline]).astype(np.float32)
    scores = network.log_odds(ends, np.full(2, which, np.int32))
    return Integrated(shift * mean, mean, float(scores[0]) - float(scores[1]))
