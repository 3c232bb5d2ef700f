"""Samples taken at uneven but known times, brought onto an even time grid."""

from __future__ import annotations

import numpy as np

# Number of weights on each side of a position. With the Kaiser window below, tones up to 0.92 of Nyquist pass with an
# error below -75 dB.
HALF_WIDTH = 32
KAISER_BETA = 8.0
_TABLE_STEPS = 4096
_CHUNK = 8192


def drift_samples(times_s: np.ndarray) -> float:
    """How far, in mean steps, the times stray from the straight line through the first and the last of them.

    Times that were rounded stay within one rounding unit of the line; a sampling rate that changes leaves it.
    """
    steps = times_s.size - 1
    if steps < 1:
        return 0.0
    line = np.linspace(times_s[0], times_s[-1], steps + 1)
    return float(np.abs(times_s - line).max() * steps / (times_s[-1] - times_s[0]))


def even_samples(x: np.ndarray, times_s: np.ndarray, rate_hz: float) -> np.ndarray:
    """Interpolates samples taken at `times_s` at the even times `times_s[0] + k / rate_hz`.

    The position of each even time among the samples comes from linear interpolation of the times; there the samples are
    interpolated by a Kaiser-windowed sinc, as if they were even (Crochiere and Rabiner, 1983). So a slow change of the
    rate is undone up to the accuracy of the sinc, and jitter from sample to sample is undone to first order. Beyond the
    first and the last sample, these two are repeated. Times that are even at `rate_hz` return the samples, up to
    rounding.

    There is no low-pass where samples are denser than `rate_hz`. Content between the two Nyquist frequencies then folds
    back, so the wanted band must end below both, as a dataset's common band does.

    Args:
      x: float32 [T, C].
      times_s: float64 [T], rising.
      rate_hz: rate of the even grid, within a few percent of the local rates of the samples.

    Returns:
      float32 [floor((times_s[-1] - times_s[0]) rate_hz) + 1, C].
    """
    x = np.asarray(x, np.float32)
    since = np.asarray(times_s, np.float64) - times_s[0]
    # The small number keeps the last sample of an even grid in spite of rounding.
    length = int(np.floor(since[-1] * rate_hz + 1e-6)) + 1
    position = np.interp(np.arange(length) / rate_hz, since, np.arange(len(x), dtype=np.float64))
    return np.concatenate([_interpolate(x, position[i : i + _CHUNK]) for i in range(0, length, _CHUNK)])


def _interpolate(x: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Values of x [T, C] at fractional indices [N]: float32 [N, C]."""
    nearest = np.rint(position).astype(np.int64)
    offsets = np.arange(-HALF_WIDTH, HALF_WIDTH + 1)
    distance = offsets - (position - nearest)[:, None]
    grid = np.linspace(0, HALF_WIDTH + 0.5, _TABLE_STEPS)
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(1 - (grid / (HALF_WIDTH + 0.5)) ** 2, 0))) / np.i0(KAISER_BETA)
    weights = np.sinc(distance) * np.interp(np.abs(distance), grid, window)
    # Weights that add up to 1 pass a constant (gravity) without a ripple.
    weights /= weights.sum(axis=1, keepdims=True)
    neighbours = x[np.clip(nearest[:, None] + offsets, 0, len(x) - 1)]
    return np.einsum('nk,nkc->nc', weights, neighbours.astype(np.float64)).astype(np.float32)
