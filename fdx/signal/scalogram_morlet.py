"""The continuous wavelet transform with the complex Morlet wavelet, by FFT.

The wavelet of centre frequency f is exp(2 pi i f t) under a Gaussian whose standard deviation lasts `omega0` / (2 pi)
periods of f (Torrence and Compo, BAMS 79(1):61-78, 1998, with omega0 = 6). Its spectrum is a Gaussian around f with the
standard deviation f / omega0, which vanishes at negative frequencies, so the transform is one product and one inverse
FFT per scale. It is divided by the area under the wavelet's envelope and doubled: a sine of amplitude a at f has the
magnitude a at every scale. PyWavelets' 'cmorB-C' with B = 2 and C = omega0 / (2 pi) is the same wavelet; its transform
at scale s is ours times sqrt(s) / 2 (tests/signal/test_scalogram.py).
"""

from __future__ import annotations

import functools
import math

import numpy as np
import scipy.fft

# The Gaussian beyond so many standard deviations is left out: it is below 2e-6 of its top.
REACH = 5.2


def log_spaced(low: float, high: float, count: int) -> np.ndarray:
    """float64 [count] frequencies from `low` to `high`, of equal ratios, rising."""
    return np.geomspace(low, high, count)


def deviation_in_time(frequency: float, omega0: float) -> float:
    """Standard deviation of the wavelet's envelope, in samples for a frequency in cycles per sample."""
    return omega0 / (2 * math.pi * frequency)


def morlet_magnitudes(x: np.ndarray, frequencies: np.ndarray, omega0: float) -> np.ndarray:
    """Magnitudes of the transform of a signal.

    Args:
      x: float [T]; beyond both ends zeros are assumed, as PyWavelets does.
      frequencies: float [F], cycles per sample, above 0; rows come in their order.
      omega0: 2 pi times the periods of f in a standard deviation of the envelope.

    Returns:
      float32 [F, T], in the unit of x.
    """
    reach = math.ceil(REACH * deviation_in_time(float(np.min(frequencies)), omega0))
    # With so many zeros behind the signal, nothing that wraps around reaches it.
    length = scipy.fft.next_fast_len(len(x) + reach)
    spectrum = scipy.fft.rfft(np.asarray(x, np.float32), length)
    gains = _spectra(tuple(map(float, frequencies)), length, omega0)
    rows = np.zeros((len(gains), length), np.complex64)
    np.multiply(gains, spectrum, out=rows[:, : len(spectrum)])
    return np.abs(scipy.fft.ifft(rows, axis=1, overwrite_x=True)[:, : len(x)])


@functools.lru_cache(maxsize=4)
def _spectra(frequencies: tuple[float, ...], length: int, omega0: float) -> np.ndarray:
    """float32 [F, length // 2 + 1]: twice the spectrum of each wavelet, with a top of 2."""
    bins = np.arange(length // 2 + 1) / length
    deviations = (bins / np.array(frequencies)[:, None] - 1) * omega0
    gains = 2 * np.exp(-0.5 * deviations**2, where=np.abs(deviations) < REACH, out=np.zeros_like(deviations))
    gains = gains.astype(np.float32)
    gains.flags.writeable = False  # It is kept for the next signal.
    return gains


def mean_of_columns(magnitudes: np.ndarray, hop_length: int) -> np.ndarray:
    """Means over whole hops, [F, T] -> float32 [F, T // hop_length]; samples beyond the last whole hop are left out."""
    columns = magnitudes.shape[1] // hop_length
    whole = magnitudes[:, : columns * hop_length]
    return whole.reshape(len(magnitudes), columns, hop_length).mean(axis=2)
