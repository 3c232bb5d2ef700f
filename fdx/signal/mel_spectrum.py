"""From samples to mel spectra: the one place where frames meet the window, the FFT and the filters."""

from __future__ import annotations

import numpy as np
import scipy.fft
import scipy.signal

from fdx.signal import frames

FFT_CHUNK_FRAMES = 4096


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
    # Float64 inside: beside a loud line, float32's rounding in the FFT would show in the quiet bands (1e-4).
    window = scipy.signal.get_window('hann', window_length, fftbins=True)
    framed = frames.frame(np.ascontiguousarray(x.T, np.float32), window_length, hop_length)
    out = np.empty((*framed.shape[:2], bank.shape[1]))
    for c in range(framed.shape[0]):
        for i in range(0, framed.shape[1], FFT_CHUNK_FRAMES):
            part = framed[c, i : i + FFT_CHUNK_FRAMES] * window
            magnitude = np.abs(scipy.fft.rfft(part, fft_length))
            out[c, i : i + len(part)] = (magnitude if power == 1.0 else magnitude**power) @ bank
    return np.moveaxis(out, 0, -1)
