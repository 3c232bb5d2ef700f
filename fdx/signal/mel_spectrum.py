"""From samples to mel spectra: the one place that applies the window, the FFT and the filters to frames."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.fft

from fdx.signal import frames

# Values that are transformed together: they stay in the cache (1 MB).
FFT_CHUNK_VALUES = 1 << 17
# Filters that are neighbours and read their bins together. Of all 64, nine products in ten would be with zeros.
FILTERS = 16


def mel_spectrogram(
    x: np.ndarray, window_length: int, hop_length: int, fft_length: int, bank: np.ndarray, *, power: float = 1.0
) -> np.ndarray:
    """Mel spectra of uncentred frames, by the law of fdx.signal.frames.

    Args:
      x: float32 [T, C].
      window_length: samples of the periodic Hann window.
      hop_length: samples between frames.
      fft_length: length of the zero-padded FFT.
      bank: float64 [fft_length // 2 + 1, M].
      power: exponent of the magnitude: 1 sums magnitudes in each filter, 2 sums powers.

    Returns:
      float64 [frames, M, C].
    """
    # Computed in float64, because with a loud line float32's rounding in the FFT would show in quiet bands (1e-4).
    window = scipy.signal.get_window('hann', window_length, fftbins=True)
    framed = frames.frame(np.ascontiguousarray(x.T, np.float32), window_length, hop_length)
    out = np.empty((*framed.shape[:2], bank.shape[1]))
    together = max(1, min(FFT_CHUNK_VALUES // fft_length, framed.shape[1]))
    padded, parts = np.zeros((together, fft_length)), _parts(bank)
    for c in range(framed.shape[0]):
        for i in range(0, framed.shape[1], together):
            frame, mels = framed[c, i : i + together], out[c, i : i + together]
            np.multiply(frame, window, out=padded[: len(frame), :window_length])
            magnitudes = _magnitudes(scipy.fft.rfft(padded[: len(frame)]), power)
            for first, bins, filters in parts:
                np.matmul(magnitudes[:, bins], filters, out=mels[:, first : first + filters.shape[1]])
    return np.moveaxis(out, 0, -1)


def centred_power_mel(
    x: np.ndarray, fft_length: int, hop_length: int, bank: np.ndarray, beyond_ends: Literal['constant', 'reflect']
) -> np.ndarray:
    """Mel spectra of powers as librosa computes them: frame i is centred at sample i * hop_length.

    Args:
      x: float32 [T, C].
      fft_length: samples of the periodic Hann window and of the FFT.
      hop_length: samples between frames.
      bank: float64 [fft_length // 2 + 1, M].
      beyond_ends: what half a window beyond both ends holds, a mode of `numpy.pad`: zeros or the reflected signal.

    Returns:
      float64 [frames, M, C]; `fdx.signal.frames.num_centred_frames` counts the frames.
    """
    half = fft_length // 2
    padded = np.pad(x, ((half, half), (0, 0)), mode=beyond_ends)
    return mel_spectrogram(padded, fft_length, hop_length, fft_length, bank, power=2.0)


def _magnitudes(spectrum: np.ndarray, power: float) -> np.ndarray:
    """|spectrum| ** power of complex [...]; `numpy.abs` takes three times as long, because it cannot overflow."""
    squares = spectrum.real**2 + spectrum.imag**2
    return squares if power == 2.0 else np.sqrt(squares) if power == 1.0 else squares ** (power / 2)


def _parts(bank: np.ndarray) -> list[tuple[int, slice, np.ndarray]]:
    """A bank [K, M] as (first filter, bins that FILTERS of them read, float64 [bins, FILTERS])."""
    parts = []
    for first in range(0, bank.shape[1], FILTERS):
        filters = bank[:, first : first + FILTERS]
        read = np.flatnonzero(filters.any(axis=1))
        bins = slice(int(read[0]), int(read[-1]) + 1) if len(read) else slice(0, 1)
        parts.append((first, bins, np.ascontiguousarray(filters[bins])))
    return parts
