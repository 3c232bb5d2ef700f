"""What no fault decides about a channel: the step of its values, its noise floor, and where its spectrum ends."""

from __future__ import annotations

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.ndimage

# Samples that the step is read from: enough to meet neighbouring values of a 16-bit converter.
STEP_SAMPLES = 1 << 16
# Values that are no multiples of a step, at most, and the step over the resolution of single precision, at least.
ODD_SHARE, RESOLUTION = 0.01, 16 * 2.0**-23
# Frames are short, so that some lie between two impacts.
FRAME, MAX_FRAMES = 512, 1000
QUIET, FLOOR_BINS = 0.1, 9
# An edge: the spectrum has fallen by EDGE_DB, and the octave below it lies DROP_DB above nearly everything that is
# SHARP times higher. Sensors and machines fall off more slowly (CWRU's by 20 dB at 0.7 of Nyquist). A line or a
# resonance has no such octave. Below LOWEST_EDGE of Nyquist, a slow machine's spectrum may end by itself.
EDGE_DB, DROP_DB, LOWEST_EDGE, SHARP = 20.0, 42.0, 0.15, 1.15
# Just below Nyquist every converter's own filter ends.
HIGHEST_EDGE, TOP = 0.85, 0.995
SMOOTH_SHARE = 1 / 100


def value_step(x: np.ndarray) -> float | None:
    """Distance between neighbouring values of a channel, as its converter or its text rounded them.

    Args:
      x: float32 [T].

    Returns:
      The step, in the unit of x; None where values are not multiples of one, as far as single precision shows.
    """
    part = np.asarray(x[:STEP_SAMPLES], np.float64)
    gaps = np.diff(np.unique(part))
    if not gaps.size:
        return None
    least = RESOLUTION * float(np.abs(part).max())
    step = float(gaps.min())
    if step < least:
        return None
    # Sums of gaps are more exact than one of them.
    counts = np.round(gaps / step)
    near = counts <= 64
    step = float(gaps[near].sum() / counts[near].sum())
    counts = np.round(gaps[near] / step)
    odd = np.abs(gaps[near] - counts * step) > 0.1 * step + least / 4
    return step if odd.mean() <= ODD_SHARE else None


def noise_and_edge(x: np.ndarray, rate_hz: float) -> tuple[float, float]:
    """(noise floor in unit / sqrt(Hz), band edge in Hz) of a channel.

    The floor is taken between impacts: of each bin the quietest tenth of the frames, of the bins below the edge the
    quietest tenth. For white noise it is the density itself, up to a decibel.

    Args:
      x: float32 [T], finite.
      rate_hz: its rate.

    Returns:
      NaN and half of the rate where x is too short (128 samples).
    """
    length = min(FRAME, 1 << int(np.log2(max(len(x) // 8, 1))))
    if length < 16:
        return float('nan'), rate_hz / 2
    power = _frames(x, length)
    hz = np.arange(length // 2 + 1) * rate_hz / length
    density = 2 * power / (rate_hz * (scipy.signal.windows.hann(length, sym=False) ** 2).sum())
    edge = _edge(hz, density.mean(axis=0), rate_hz / 2)
    # Dead stretches are no floor.
    total = power.sum(axis=1)
    density = density[total > 1e-9 * total.max()]
    # Of exponentially distributed powers a tenth lies below -ln(1 - 0.1) times their mean.
    quiet = np.quantile(density, QUIET, axis=0) / -np.log1p(-QUIET)
    inside = (hz > 2 * rate_hz / length) & (hz < 0.9 * edge)
    # A median of neighbours, because the lowest of many bins is low by chance.
    return float(
        np.sqrt(np.quantile(scipy.ndimage.median_filter(quiet[inside], FLOOR_BINS, mode='nearest'), QUIET))
    ), edge


def _frames(x: np.ndarray, length: int) -> np.ndarray:
    """Powers float64 [frames, length // 2 + 1] of frames that are spread evenly over x."""
    count = min(MAX_FRAMES, max(1, (len(x) - length) // (length // 2) + 1))
    starts = np.linspace(0, len(x) - length, count).astype(np.int64)
    frames = x[starts[:, None] + np.arange(length)].astype(np.float64)
    frames -= frames.mean(axis=1, keepdims=True)
    return np.abs(np.fft.rfft(frames * scipy.signal.windows.hann(length, sym=False))) ** 2


def _edge(hz: np.ndarray, density: np.ndarray, nyquist_hz: float) -> float:
    """The frequency at which the spectrum breaks off, or `nyquist_hz`."""
    width = max(3, int(len(hz) * SMOOTH_SHARE) | 1)
    # A median, because a line is no end of a band.
    level = 10 * np.log10(scipy.ndimage.median_filter(density, width, mode='nearest') + np.finfo(float).tiny)
    loud = np.flatnonzero(level > np.quantile(level, 0.9) - EDGE_DB)
    last = float(hz[loud[-1]])
    if not LOWEST_EDGE <= last / nyquist_hz <= HIGHEST_EDGE:
        return nyquist_hz
    below = level[(hz >= last / 2) & (hz <= 0.97 * last)]
    above = level[(hz >= SHARP * last) & (hz < TOP * nyquist_hz)]
    if not above.size or not below.size:
        return nyquist_hz
    return last if np.median(below) - np.quantile(above, 0.9) >= DROP_DB else nyquist_hz
