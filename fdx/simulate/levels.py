"""How strong a source is: by its signal-to-noise ratio in the band that shows it best."""

from __future__ import annotations

import numpy as np

# Bands of equal width between this and 0.9 of half the rate (or where the filter before the converter begins). They are
# wide, so that a band holds several lines of a defect and the ratio does not depend on where they lie.
BANDS = 16
LOWEST_HZ = 200.0


def band_powers(power: np.ndarray, grid_hz: np.ndarray, highest_hz: float) -> np.ndarray:
    """Mean power [BANDS] of a density [G] in each band."""
    edges = np.searchsorted(grid_hz, np.linspace(LOWEST_HZ, highest_hz, BANDS + 1))
    sums = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    upper = np.minimum(np.maximum(edges[1:], edges[:-1] + 1), len(power))
    lower = np.minimum(edges[:-1], upper - 1)
    return (sums[upper] - sums[lower]) / (upper - lower)


def highest_hz(rate_hz: float, anti_alias: float) -> float:
    """Upper end of the bands."""
    return rate_hz * min(0.45, anti_alias or 0.45)


def best_ratio(signal: np.ndarray, floor: np.ndarray, grid_hz: np.ndarray, top_hz: float) -> float:
    """The largest ratio of a signal's power to the floor's among the bands."""
    return float(np.max(band_powers(signal, grid_hz, top_hz) / band_powers(floor, grid_hz, top_hz)))


def gain_for(snr_db: float, signal: np.ndarray, floor: np.ndarray, grid_hz: np.ndarray, top_hz: float) -> float:
    """The factor on a signal's amplitude that makes its best ratio `snr_db`; 0 where the signal has no power."""
    ratio = best_ratio(signal, floor, grid_hz, top_hz)
    return float(np.sqrt(10 ** (snr_db / 10) / ratio)) if ratio > 0 else 0.0
