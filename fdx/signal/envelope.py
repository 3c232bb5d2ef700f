"""Squared-envelope spectra of a signal's bands, which show repeated impacts whatever resonance they ring.

A fault strikes at a low rate and rings resonances at high ones: its rate is not in the signal's spectrum, but in that
of the squared envelope (Randall and Antoni, "Rolling element bearing diagnostics: a tutorial", MSSP 25(2):485-520,
2011).
"""

from __future__ import annotations

import functools

import numpy as np
import scipy.fft

# Bands of 1/1, 1/2, 1/3, 1/4, 1/6 and 1/8 of the used spectrum, as in the fast kurtogram's 1/3-binary tree
# (Antoni, "Fast computation of the kurtogram", MSSP 21(1):108-124, 2007).
BAND_COUNTS = (1, 2, 3, 4, 6, 8)
# Share of the Nyquist frequency that is used. Above it, anti-alias filters leave nothing; the common band of a dataset
# ends there, too (fdx.signal.resample).
USED_BAND = 0.9
ZERO_PADDING = 2


def band_edges(counts: tuple[int, ...] = BAND_COUNTS) -> np.ndarray:
    """Edges of all bands as fractions of the used band, float64 [sum(counts), 2], the widest band first."""
    return np.array([(i / n, (i + 1) / n) for n in counts for i in range(n)])


def tapered(x: np.ndarray, share: float) -> np.ndarray:
    """X [T] with its ends brought to 0 by a cosine over `share` of its length (Tukey's window), float64 [T].

    The FFT treats a window as periodic. The jump from its end to its beginning leaks into every bin as 1/f, with the
    phases aligned, so the envelope of the leakage is an impact. For red noise, most of the spectrum would be leakage.
    """
    x = np.asarray(x, np.float64)
    x = x - x.mean()
    return x * _tukey(len(x), share) if share else x


# Windows of a dataset have one length, and bands of all of them the same widths.
@functools.lru_cache(maxsize=2)
def _tukey(length: int, share: float) -> np.ndarray:
    """Tukey's window [length], bit by bit that of scipy.signal.windows, which takes half a second to import."""
    if length <= 1:
        return np.ones(length)
    last, window = length - 1, np.ones(length)
    width = int(share * last / 2)
    place = 2.0 * np.arange(length) / share / last
    window[: width + 1] = 0.5 * (1 + np.cos(np.pi * (-1 + place[: width + 1])))
    window[last - width :] = 0.5 * (1 + np.cos(np.pi * (-2.0 / share + 1 + place[last - width :])))
    return window


@functools.lru_cache(maxsize=32)
def _hann(width: int) -> np.ndarray:
    """Hann's window [width], periodic."""
    return np.hanning(width + 1)[:-1]


def prewhitened_spectrum(x: np.ndarray) -> np.ndarray:
    """One-sided spectrum of x [T], complex128 [T // 2 + 1]: magnitudes 1 up to USED_BAND, 0 beyond and at 0 Hz.

    Cepstrum pre-whitening: lines of the shaft, gears and the mains, and the machine's resonances, weigh no more than
    any other frequency, so impacts that were buried become visible, and the level of the signal does not matter
    (Borghesani, Pennacchi, Randall, Sawalhi and Ricci, "Application of cepstrum pre-whitening for the diagnosis of
    bearing faults under variable speed conditions", MSSP 36(2):370-384, 2013).
    """
    spectrum = np.fft.rfft(np.asarray(x, np.float64))
    spectrum[0] = 0.0
    magnitude = np.abs(spectrum)
    # Bins far below the largest are rounding errors, and a bin of zero has no phase.
    floor = 1e-9 * magnitude.max(initial=0.0)
    flat = np.where(magnitude > floor, spectrum / np.where(magnitude > floor, magnitude, 1.0), 0.0)
    flat[_last_bin(len(x)) :] = 0.0
    return flat


def _last_bin(num_samples: int) -> int:
    return max(2, int(np.floor(USED_BAND * (num_samples // 2))))


def envelope_spectra(spectrum: np.ndarray, num_samples: int, rate_hz: float, edges: np.ndarray) -> EnvelopeSpectra:
    """Magnitudes of the squared envelopes' spectra of bands of a signal.

    The bins of a band, shifted to 0 Hz, are its analytic signal at the lowest rate that can hold it. Twice that rate
    holds its squared magnitude without aliasing.

    Args:
      spectrum: one-sided, complex [T // 2 + 1], of T samples.
      num_samples: T.
      rate_hz: sampling rate.
      edges: float [bands, 2], fractions of the used band.

    Returns:
      EnvelopeSpectra; bands that are too narrow to reach a frequency hold NaN there.
    """
    last = _last_bin(num_samples)
    df = rate_hz / num_samples / ZERO_PADDING
    spectra = []
    for low, high in edges:
        first, end = max(1, round(low * last)), max(2, round(high * last))
        width = end - first
        envelope = np.abs(scipy.fft.ifft(spectrum[first:end], 2 * width)) ** 2
        envelope = (envelope - envelope.mean()) * _hann(2 * width)
        # All bands last equally long, so the bins of all are equally close: 1 / (seconds * ZERO_PADDING).
        spectra.append(np.abs(scipy.fft.rfft(envelope, ZERO_PADDING * 2 * width))[: ZERO_PADDING * width] / (2 * width))
    longest = max(map(len, spectra))
    table = np.full((len(spectra), longest), np.nan)
    for row, values in zip(table, spectra):
        row[: len(values)] = values
    return EnvelopeSpectra(table, df)


class EnvelopeSpectra:
    """Spectra of several bands on one frequency axis.

    Attributes:
      log: float64 [bands, F], natural logarithm of the magnitude, NaN beyond a band's reach.
      df_hz: Hz from bin to bin.
    """

    def __init__(self, magnitudes: np.ndarray, df_hz: float):
        """Takes magnitudes [bands, F], NaN behind a band's last, and the distance of neighbouring bins."""
        reach = np.isfinite(magnitudes).sum(axis=1)
        tiny = 1e-6 * np.array([np.median(row[:end]) for row, end in zip(magnitudes, reach)])
        self._floor = np.where(tiny > 0, tiny, np.finfo(float).tiny)
        self._magnitudes = magnitudes
        self.df_hz = df_hz

    @property
    def log(self) -> np.ndarray:
        """All logarithms. Callers want few of them, and a logarithm takes as long as its part of the FFT."""
        return self._log(slice(None))

    def _log(self, bins: slice | np.ndarray) -> np.ndarray:
        values = self._magnitudes[:, bins]
        return np.log(np.maximum(values, self._floor.reshape(-1, *[1] * (values.ndim - 1))))

    def at(self, frequencies_hz: np.ndarray) -> np.ndarray:
        """Interpolated logarithms at frequencies [N] -> [bands, N]; NaN beyond a band's reach."""
        position = np.asarray(frequencies_hz) / self.df_hz
        lower = np.floor(position).astype(np.int64)
        weight = position - lower
        inside = (lower >= 0) & (lower + 1 < self._magnitudes.shape[1])
        lower = np.where(inside, lower, 0)
        values = self._log(lower) * (1 - weight) + self._log(lower + 1) * weight
        return np.where(inside, values, np.nan)

    def background(self, low_hz: float, high_hz: float) -> np.ndarray:
        """Median of the logarithms between two frequencies, [bands]; NaN where a band does not reach all of it."""
        first, end = max(1, int(np.ceil(low_hz / self.df_hz))), int(np.floor(high_hz / self.df_hz)) + 1
        if end > self._magnitudes.shape[1] or end <= first:
            return np.full(len(self._magnitudes), np.nan)
        return np.median(self._log(slice(first, end)), axis=1)
