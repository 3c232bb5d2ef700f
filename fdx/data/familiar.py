"""How far an input is from the windows that a run was trained on, and how far its own machine gets.

A network answers anything: white noise was called an outer race with a probability of 1.00, since no class is further
away than all others. So a checkpoint keeps the mean spectra of some of its training and validation windows. The
distance of a new window is that to its nearest neighbour among them (nearest-neighbour novelty detection as in
M. Markou and S. Singh, "Novelty detection: a review - part 1", Signal Processing 83(12):2481-2497, 2003).

The limit comes from the data of the run alone. Each operating condition (where there is only one, each recording) is
left out in turn, and 99 % of its windows must lie within the limit as seen from the others: so another load or speed
of the same machine is not foreign (docs/decisions/trust.md).
"""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import numpy as np

from fdx.data.summary import summarise_inputs
from fdx.signal.patch import InputMaker
from fdx.signal.scaling import Gain
from fdx.types import CheckpointError

COVERAGE = 0.99
# This share of the typical spread of a band is added to each spread: a band that hardly varies in training must not
# decide alone.
FLOOR = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class Familiar:
    """Windows of a run, to compare others with.

    Attributes:
      mean: float64 [D], of the summaries (fdx.data.summary) of the run's windows.
      scale: float64 [D], their spread, in which distances are measured.
      windows: float64 [M, D], standardised summaries; none where nothing is judged.
      limit: root mean square difference over the D numbers beyond which a window is foreign.
      left_out: what was left out in turn to find the limit: `domain` or `recording`.
      reason: why nothing is judged; '' where windows are.
    """

    mean: np.ndarray
    scale: np.ndarray
    windows: np.ndarray
    limit: float
    left_out: str = ''
    reason: str = ''

    @classmethod
    def nothing(cls, reason: str) -> Familiar:
        """What a run has that cannot judge, and why."""
        return cls(np.zeros(0), np.ones(0), np.zeros((0, 0)), 0.0, reason=reason)

    @property
    def judges(self) -> bool:
        """Whether there are windows to compare with."""
        return len(self.windows) > 0

    def distances(self, images: np.ndarray, front_end: InputMaker, gain: Gain) -> np.ndarray:
        """Distances of inputs to the nearest window of the run, as multiples of the limit.

        Args:
          images: float [N, ...], as the front end made them.
          front_end: of the run.
          gain: of the run.

        Returns:
          float64 [N]: above 1, the window is unlike the training data. NaN for an input that is not finite, and for all
          inputs where nothing is judged.
        """
        found = np.full(len(images), np.nan)
        if not self.judges or not len(images):
            return found
        with np.errstate(over='ignore', invalid='ignore'):
            summaries = summarise_inputs(front_end.with_gain(images, gain), front_end)
            good = np.isfinite(summaries).all(axis=1)
            standard = (summaries[good] - self.mean) / self.scale
            found[good] = nearest(standard, self.windows) / self.limit
        return found

    def to_json(self) -> dict[str, Any]:
        """JSON-able, for a checkpoint's meta: at most about 90 kB, as text in base 64."""
        said = {'left_out': self.left_out, 'limit': self.limit, 'reason': self.reason, 'coverage': COVERAGE}
        return {
            **said,
            'mean': _text(self.mean, np.float32),
            'scale': _text(self.scale, np.float32),
            'windows': _text(self.windows, np.float16),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> Familiar:
        """Inverse of `to_json`; None (of an older checkpoint) judges nothing and gives no reason.

        Raises:
          CheckpointError: the text is not what `to_json` writes.
        """
        if not stored:
            return cls.nothing('')
        try:
            mean, scale = _array(stored['mean'], np.float32), _array(stored['scale'], np.float32)
            windows = _array(stored['windows'], np.float16).reshape(-1, max(1, len(mean)))
            return cls(mean, scale, windows, float(stored['limit']), stored['left_out'], stored['reason'])
        except (KeyError, TypeError, ValueError) as e:
            raise CheckpointError(f'the windows that a checkpoint keeps for comparison are damaged: {e}') from e


def nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Root mean square difference of points [N, D] to the nearest of others [M, D]: float64 [N]; both have rows."""
    squares = np.square(points).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * points @ others.T
    return np.sqrt(np.maximum(squares.min(axis=1), 0.0) / points.shape[1])


def _text(values: np.ndarray, dtype: type) -> str:
    little = np.asarray(values, np.dtype(dtype).newbyteorder('<'))
    return base64.b64encode(little.tobytes()).decode('ascii')


def _array(text: str, dtype: type) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text, validate=True), np.dtype(dtype).newbyteorder('<')).astype(np.float64)
