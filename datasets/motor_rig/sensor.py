"""The accelerometer: where it points, its zero, its noise, and its converter."""

from __future__ import annotations

import dataclasses

import numpy as np

# A 16-bit converter over +-2 g: file 01 of the real data reads 16,203 counts along the vertical.
COUNTS_PER_G = 16384.0
COUNTS_MAX = 32767
# White noise of a MEMS sensor of that kind, 400 ug per root hertz (InvenSense, MPU-6000/6050 product specification).
NOISE_DENSITY_COUNTS = 400e-6 * COUNTS_PER_G


def rotation(axis: str, angle_deg: float) -> np.ndarray:
    """Rotation matrix, float64 [3, 3], about one of the axes x, y, z by the right-hand rule."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    i, j = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[[i, j], [i, j]] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


@dataclasses.dataclass(frozen=True)
class Sensor:
    """An accelerometer as mounted for one recording.

    Attributes:
      orientation: [3, 3], takes a vector in the axes of the bench to the axes of the sensor.
      scale: reading over true value for each axis, near 1.
      zero_counts: reading of each axis without acceleration.
    """

    orientation: np.ndarray
    scale: np.ndarray
    zero_counts: np.ndarray

    @classmethod
    def mounted(cls, rng: np.random.Generator, orientation: np.ndarray) -> Sensor:
        """Mounted by hand: up to 1.2 degrees askew about each axis; calibration within 1%, zero within 120 counts.

        File 01 reads 1.0 degree about y and 0.6 about x (its mean along x and y over gravity).
        """
        askew = np.eye(3)
        for axis in 'xyz':
            askew = rotation(axis, rng.uniform(-1.2, 1.2)) @ askew
        return cls(askew @ orientation, 1 + rng.uniform(-0.01, 0.01, 3), rng.uniform(-120, 120, 3))

    def read(self, acceleration: np.ndarray, rng: np.random.Generator, rate_hz: float) -> np.ndarray:
        """Reads an acceleration.

        Args:
          acceleration: float64 [T, 3] in the axes of the bench, in counts (g / 16,384), without gravity.
          rng: random numbers for the sensor's own noise.
          rate_hz: sampling rate, which sets the power of that noise.

        Returns:
          int16 [T, 3], with gravity; beyond +-2 g the reading stays at the converter's limit.
        """
        total = acceleration + np.array([0.0, 0.0, COUNTS_PER_G])
        reading = total @ self.orientation.T * self.scale + self.zero_counts
        reading += NOISE_DENSITY_COUNTS * np.sqrt(rate_hz / 2) * rng.standard_normal(reading.shape)
        return np.clip(np.rint(reading), -COUNTS_MAX - 1, COUNTS_MAX).astype(np.int16)
