"""Mel filter banks (HTK scale), as matrices; fdx.signal.mel_slaney holds those of librosa."""

from __future__ import annotations

import functools

import numpy as np

from fdx.types import ConfigError

MAX_FFT_LENGTH = 2**20


def hz_to_mel(frequency_hz):
    """HTK mel scale in nepers: 1127 ln(1 + f / 700) (Young et al., The HTK Book, section 5.4)."""
    return 1127.0 * np.log1p(np.asarray(frequency_hz, np.float64) / 700.0)


def mel_to_hz(mel):
    """Inverse of `hz_to_mel`."""
    return 700.0 * np.expm1(np.asarray(mel, np.float64) / 1127.0)


def mel_edges_hz(n_mels: int, f_min_hz: float, f_max_hz: float) -> np.ndarray:
    """Edges of the filters, float64 [n_mels + 2] in Hz: filter m rises from edge m, peaks at m + 1, ends at m + 2."""
    return mel_to_hz(np.linspace(hz_to_mel(f_min_hz), hz_to_mel(f_max_hz), n_mels + 2))


def check_band(sample_rate_hz: float, f_min_hz: float, f_max_hz: float) -> None:
    """Raises ConfigError unless 0 <= f_min_hz < f_max_hz <= Nyquist."""
    nyquist = sample_rate_hz / 2
    if not 0 <= f_min_hz < f_max_hz <= nyquist:
        raise ConfigError(
            f'mel band {f_min_hz:g}-{f_max_hz:g} Hz at {sample_rate_hz:g} Hz: it must be rising and end at or below '
            f'the Nyquist frequency {nyquist:g} Hz; lower f_max_hz or raise the rate'
        )


def triangles(bins: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Triangles of peak 1 over `edges` [M + 2], taken at `bins` [K] in the same unit: float64 [K, M]."""
    bins = bins[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall))


def empty_filters(bank: np.ndarray) -> np.ndarray:
    """Indices of the filters of a bank [K, M] that hold no FFT bin and are silent for every signal."""
    return np.flatnonzero(bank.sum(axis=0) == 0)


def smallest_fft_length(
    window_length: int, n_mels: int, sample_rate_hz: float, f_min_hz: float, f_max_hz: float
) -> int:
    """The smallest power of two that is at least `window_length` and leaves no filter of the bank empty.

    Raises:
      ConfigError: a band outside [0, Nyquist], or filters too narrow for 2^20 points.
    """
    check_band(sample_rate_hz, f_min_hz, f_max_hz)
    fft_length = 1 << max(window_length - 1, 1).bit_length()
    while fft_length < MAX_FFT_LENGTH:
        try:
            mel_filter_bank(n_mels, fft_length, sample_rate_hz, f_min_hz, f_max_hz)
        except ConfigError:
            fft_length *= 2
        else:
            return fft_length
    raise ConfigError(
        f'{n_mels} mel filters over {f_min_hz:g}-{f_max_hz:g} Hz at {sample_rate_hz:g} Hz are narrower than the bins '
        f'of {MAX_FFT_LENGTH} points: lower n_mels'
    )


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
    check_band(sample_rate_hz, f_min_hz, f_max_hz)
    edges = hz_to_mel(mel_edges_hz(n_mels, f_min_hz, f_max_hz))
    bins = hz_to_mel(np.arange(fft_length // 2 + 1) * (sample_rate_hz / fft_length))
    bank = triangles(bins, edges)
    bank[0] = 0.0
    empty = empty_filters(bank)
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
