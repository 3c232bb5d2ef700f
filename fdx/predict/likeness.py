"""What is said of windows that are unlike those a run was trained on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.data.familiar import Familiar

UNLIKE = 'unlike_training'
UNLIKE_WORDS = 'its spectrum is further from all training windows than those of other recordings of that machine are'
# From this share of windows on, a recording as a whole is unlike.
UNLIKE_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class Likeness:
    """How far N windows are from the training windows.

    Attributes:
      distances: N multiples of the limit; NaN for a window that cannot be used. () where nothing is judged.
      reason: why nothing is judged; '' where windows are, and for checkpoints that say nothing about it.
      abstain: whether unlike windows have no vote.
    """

    distances: tuple[float, ...] = ()
    reason: str = ''
    abstain: bool = True

    @classmethod
    def of(cls, familiar: Familiar, distances: np.ndarray, faults: Sequence[str], *, abstain: bool) -> Likeness:
        """The likeness of windows.

        Args:
          familiar: what the run keeps.
          distances: float [N] of the windows.
          faults: N reasons why a window has no vote, '' for those that have one; only these are judged.
          abstain: whether unlike windows shall have no vote.
        """
        if not familiar.judges:
            return cls(reason=familiar.reason, abstain=abstain)
        usable = np.where([not fault for fault in faults], distances, np.nan)
        return cls(tuple(usable.tolist()), abstain=abstain)

    def marked(self, faults: Sequence[str]) -> tuple[str, ...]:
        """The faults of the windows, where unlike windows have no vote with UNLIKE."""
        if not (self.abstain and self.distances):
            return tuple(faults)
        return tuple(fault or (UNLIKE if d > 1 else '') for fault, d in zip(faults, self.distances, strict=True))

    @property
    def unlike(self) -> bool:
        """Whether more than UNLIKE_SHARE of the judged windows are unlike training."""
        return bool(self._judged) and self._share > UNLIKE_SHARE

    def of_window(self, i: int) -> dict[str, Any]:
        """JSON-able entries of one window's row."""
        if not self.distances or not math.isfinite(self.distances[i]):
            return {}
        return {'unlike_training': self.distances[i] > 1, 'distance': round(self.distances[i], 3)}

    def of_recording(self) -> dict[str, Any]:
        """JSON-able entries of the recording's row."""
        if not self._judged:
            return {'unlike_training': None, 'unlike_reason': self.reason} if self.reason else {}
        middle = round(float(np.median(self._judged)), 3)
        return {'unlike_training': self.unlike, 'unlike_share': round(self._share, 4), 'distance': middle}

    def refusal(self) -> str | None:
        """Why the recording has no verdict if that is because of unlike windows, or None."""
        if not (self.abstain and self.unlike):
            return None
        return (
            f'unlike anything in training: {self._sentence()}. Nothing that the network says of it counts. Check that '
            'it is a recording of this machine with the same sensor and direction, or train on such recordings '
            "(`abstain`=False gives the network's answer)"
        )

    def warnings(self) -> tuple[str, ...]:
        """Sentences about a recording that has a verdict although it is unlike training."""
        return (self._sentence(),) if self.unlike and not self.abstain else ()

    @property
    def _judged(self) -> list[float]:
        return [d for d in self.distances if math.isfinite(d)]

    @property
    def _share(self) -> float:
        return sum(d > 1 for d in self._judged) / len(self._judged)

    def _sentence(self) -> str:
        far = sum(d > 1 for d in self._judged)
        middle = float(np.median(self._judged))
        return (
            f'the spectra of {far} of {len(self._judged)} windows are further from all training windows than those of '
            f'other recordings of that machine are (median {middle:.2g} times that far)'
        )
