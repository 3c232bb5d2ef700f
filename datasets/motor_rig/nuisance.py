"""Differences between recordings of one condition, with the same distribution in every class."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Nuisance:
    """Differences between recordings of one condition: the mount, the temperature, the drive's setting.

    Attributes:
      speed: factor on the supply frequency and so on the speed, within 1% of 1.
      detune: factor on every natural frequency, within 3% of 1.
      gain: [3], factor on each axis, within 1 dB of 1.
      noise: [3], factor on the broadband part, within 1 dB of 1.
      tone_db: spread of the level of every tone, in dB (standard deviation).
      residual: factor on the residual imbalance, 0.7 to 1.3.
      added_rad: angle between the residual and the added imbalance, within 57 degrees of 0.
      background: factor on m2's forces, 0.6 to 1.4.
      ripple: factor on the torque ripple, within 2.5 dB of 1.
    """

    speed: float
    detune: float
    gain: np.ndarray
    noise: np.ndarray
    tone_db: float
    residual: float
    added_rad: float
    background: float
    ripple: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Nuisance:
        """Draws random values."""
        return cls(
            speed=rng.uniform(0.99, 1.01),
            detune=rng.uniform(0.97, 1.03),
            gain=10 ** (rng.uniform(-1.0, 1.0, 3) / 20),
            noise=10 ** (rng.uniform(-1.0, 1.0, 3) / 20),
            tone_db=1.0,
            residual=rng.uniform(0.7, 1.3),
            added_rad=rng.uniform(-1.0, 1.0),
            background=rng.uniform(0.6, 1.4),
            ripple=10 ** (rng.uniform(-2.5, 2.5) / 20),
        )

    @classmethod
    def typical(cls) -> Nuisance:
        """The middle of every range, so that only noise and phases are random."""
        return cls(1.0, 1.0, np.ones(3), np.ones(3), 0.0, 1.0, 0.5, 1.0, 1.0)
