"""What a baseline says of a recording."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from fdx.health.feature_plan import Feature


@dataclasses.dataclass(frozen=True)
class Moved:
    """A number of a recording that is not as in good order.

    Attributes:
      feature: which one.
      deviations: how far, in healthy standard deviations; positive: more than in good order.
    """

    feature: Feature
    deviations: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**dataclasses.asdict(self.feature), 'deviations': round(self.deviations, 2)}


@dataclasses.dataclass(frozen=True)
class Scored:
    """How unusual a recording is.

    Attributes:
      recording: its name.
      score: of the detector; NaN outside the operating range.
      p_value: how often a machine in good order scores as high; NaN outside the operating range.
      outside: why it is outside the operating range, '' inside.
      moved: the numbers that moved most, the largest first.
      rise: how far it has risen as damage rises (fdx.health.rise); infinity where the baseline does not ask.
      rise_p: how often a machine in good order rises as high; 0 where the baseline does not ask.
    """

    recording: str
    score: float
    p_value: float
    outside: str
    moved: tuple[Moved, ...]
    rise: float = np.inf
    rise_p: float = 0.0
