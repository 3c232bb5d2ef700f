"""The path from the forces in a motor to the sensor: the modes of the motor on its bench."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

AXES = ('x', 'y', 'z')  # x: horizontal across the shaft, y: along the shaft, z: up
INPUTS = ('horizontal force', 'vertical force', 'torque about the shaft')


@dataclasses.dataclass(frozen=True)
class Mode:
    """One mode of vibration.

    Attributes:
      frequency_hz: undamped natural frequency.
      damping_ratio: fraction of critical damping.
      shape: its motion at the sensor along x, y and z.
      participation: the share of each of INPUTS that excites it.
    """

    frequency_hz: float
    damping_ratio: float
    shape: tuple[float, float, float]
    participation: tuple[float, float, float]


def accelerance(modes: Sequence[Mode], frequency_hz: float, detune: float = 1.0) -> np.ndarray:
    """Acceleration per force, complex128 [3 axes, 3 inputs], at one frequency.

    The sum over modes of shape x participation x w^2 / (w^2 - w_n^2 - 2j z w_n w) (Ewins, "Modal Testing", 2nd ed.,
    2000). Well above a mode it is real and constant, F = m a of the moving mass; below, the stiffness holds the mass
    and it falls with w^2. Forces are given as acceleration of that mass, so that the result has no unit.

    Args:
      modes: the modes of the structure.
      frequency_hz: w / 2 pi.
      detune: factor on every natural frequency.
    """
    total = np.zeros((len(AXES), len(INPUTS)), np.complex128)
    for mode in modes:
        natural_hz = mode.frequency_hz * detune
        denominator = frequency_hz**2 - natural_hz**2 - 2j * mode.damping_ratio * natural_hz * frequency_hz
        total += np.outer(mode.shape, mode.participation) * (frequency_hz**2 / denominator)
    return total
