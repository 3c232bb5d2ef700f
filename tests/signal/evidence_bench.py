"""Signals for the tests of the evidence: noise whose power swells at given orders, and machines that strike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fdx.types import BearingGeometry

SHAFT_HZ = 25.0
RPM = 60 * SHAFT_HZ
# SKF 6205: BPFI 5.415, BPFO 3.585, twice BSF 4.713.
SKF_6205 = BearingGeometry(39.04, 7.94, 9)
# BPFO 3.05 and BPFI 4.95, beside 3 x and 5 x.
NEAR_WHOLE = BearingGeometry(40.0, 9.5, 8)


def swelling(
    orders: Sequence[float], depth: float, seconds: float = 4.0, rate_hz: float = 8000.0, seed: int = 0
) -> np.ndarray:
    """White noise whose power swells by `depth` at each order of a shaft of SHAFT_HZ: float64 [T]."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    power = np.ones(len(t))
    for order in orders:
        power += depth * np.cos(2 * np.pi * order * SHAFT_HZ * t + rng.uniform(0, 2 * np.pi))
    return rng.standard_normal(len(t)) * np.sqrt(np.maximum(power, 0.0))


def pink(samples: int, seed: int) -> np.ndarray:
    """Noise whose power falls as 1 / f: float64 [T]."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), samples)
