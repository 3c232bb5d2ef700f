"""Mel filter banks (HTK scale), as matrices."""

from __future__ import annotations

import functools

import numpy as np

from fdx.types import ConfigError


def hz_to_mel(frequency_hz):
    """HTK mel scale in nepers: 1127 ln(1 + f / 700) (Young et al., The HTK Book, section 5.4)."""
    return 1127.0 * np.log1p(np.asarray(frequency_hz, np.float64) / 700.0)


def mel_to_hz(mel):
    """Inverse of `hz_to_mel`."""
    return 700.0 * np.expm1(np.asarray(mel, np.float64) / 1127.0)


def mel_edges_hz(n_mels: int, f_min_hz: float, f_max_hz: float) -> np.ndarray:
    """Edges of the filters, float64 [n_mels + 2] in Hz: filter m rises from edge m, peaks at m + 1, ends at m + 2."""
    return mel_to_hz(np.linspace(hz_to_mel(f_min_hz), hz_to_mel(f_max_hz), n_mels + 2))


@functools.lru_cache(maxsize=32)
def mel_filter_bank(
    n_mels: int, fft_length: int, sample_rate_hz: float, f_min_hz: float, f_max_hz: float
) -> np.ndarray:
    """Triangular filters on the mel scale, float64 [fft_length // 2 + 1, n_mels], read-only.

    The triangles are linear in mel, not in Hz, with peak 1, and the bin at 0 Hz belongs to no filter, as in the
    AudioSet release of VGGish (Hershey et al., ICASSP 2017).

    Raises:
      ConfigError: a band outside (0, Nyquist], or a filter that holds no FFT bin (it would be silent for every
        signal); the text names the filter and the fixes.
    """
    nyquist = sample_rate_hz / 2
    if not 0 <= f_min_hz < f_max_hz <= nyquist:
        raise ConfigError(
            f'mel band {f_min_hz:g}-{f_max_hz:g} Hz at {sample_rate_hz:g} Hz: it must be rising and end at or below '
            f'the Nyquist frequency {nyquist:g} Hz; lower f_max_hz or raise the rate'
        )
    edges = hz_to_mel(mel_edges_hz(n_mels, f_min_hz, f_max_hz))
    bins = hz_to_mel(np.arange(fft_length // 2 + 1) * (sample_rate_hz / fft_length))[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0.0, np.minimum(rise, fall))
    bank[0] = 0.0
    empty = np.flatnonzero(bank.sum(axis=0) == 0)
    if empty.size:
        hz = mel_to_hz(edges)
        m = int(empty[0])
        raise ConfigError(
            f'{empty.size} of {n_mels} mel filters hold no FFT bin, first filter {m} ({hz[m]:.1f}-{hz[m + 2]:.1f} Hz; '
            f'bins are {sample_rate_hz / fft_length:.1f} Hz apart): raise fft_length (now {fft_length}), '
            f'lower n_mels, or raise f_min_hz (now {f_min_hz:g})'
        )
    bank.setflags(write=False)
    return bank
