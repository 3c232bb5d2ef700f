"""Mel filter banks as librosa's defaults make them: Slaney's scale, triangles in Hz, equal area."""

from __future__ import annotations

import functools

import numpy as np

from fdx.signal.mel import check_band, triangles

# The scale is linear up to 1 kHz (15 mels); above, 27 mels are a factor of 6.4.
MEL_HZ = 200.0 / 3.0
BREAK_HZ, BREAK_MEL = 1000.0, 15.0
LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(frequency_hz):
    """Slaney's mel scale (Slaney, Auditory Toolbox, Interval Research 1998-010); librosa's with htk=False."""
    hz = np.asarray(frequency_hz, np.float64)
    above = BREAK_MEL + np.log(np.maximum(hz, BREAK_HZ) / BREAK_HZ) / LOG_STEP
    return np.where(hz < BREAK_HZ, hz / MEL_HZ, above)


def mel_to_hz(mel):
    """Inverse of `hz_to_mel`."""
    mel = np.asarray(mel, np.float64)
    return np.where(
        mel < BREAK_MEL, MEL_HZ * mel, BREAK_HZ * np.exp(LOG_STEP * (np.maximum(mel, BREAK_MEL) - BREAK_MEL))
    )


def mel_edges_hz(n_mels: int, f_min_hz: float, f_max_hz: float) -> np.ndarray:
    """Edges of the filters, float64 [n_mels + 2] in Hz: filter m rises from edge m, peaks at m + 1, ends at m + 2."""
    return mel_to_hz(np.linspace(hz_to_mel(f_min_hz), hz_to_mel(f_max_hz), n_mels + 2))


@functools.lru_cache(maxsize=32)
def mel_filter_bank(
    n_mels: int, fft_length: int, sample_rate_hz: float, f_min_hz: float, f_max_hz: float
) -> np.ndarray:
    """librosa.filters.mel with its defaults (htk=False, norm='slaney'), float64 [fft_length // 2 + 1, n_mels].

    Read-only. Filters that hold no FFT bin are kept, as librosa keeps them: `fdx.signal.mel.empty_filters` finds them.

    Raises:
      ConfigError: a band outside [0, Nyquist].
    """
    check_band(sample_rate_hz, f_min_hz, f_max_hz)
    edges = mel_edges_hz(n_mels, f_min_hz, f_max_hz)
    bank = triangles(np.arange(fft_length // 2 + 1) * (sample_rate_hz / fft_length), edges)
    bank *= 2.0 / (edges[2:] - edges[:-2])
    bank.setflags(write=False)
    return bank
