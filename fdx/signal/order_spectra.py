"""Envelope spectra of a whole recording over their own background, and what lies at given frequencies of them.

The recording is cut into segments of `SEGMENT_TURNS` turns of the shaft that overlap by half. The power spectra of a
band's squared envelope are averaged over the segments, because the slip of the rolling elements is a random walk: its
lines are wider than a longer segment would resolve (Randall and Antoni, MSSP 25(2):485-520, 2011), and the average has
less scatter. Each segment is pre-whitened first, so that neither the level nor the resonances matter
(`fdx.signal.envelope.prewhitened_spectrum`).
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import scipy.fft

from fdx.signal import envelope

SEGMENT_TURNS = 128.0
# Of a long recording so many segments are looked at, evenly over its length.
MAX_SEGMENTS = 64
# Of the segment, on both ends together; without it the jump between the ends looks like an impact.
TAPER = 0.1
# The lines of Hann's taper are this many bins of 1 / seconds wide, on either side.
LINE_BINS = 2.0


@dataclasses.dataclass(frozen=True)
class OrderSpectra:
    """Excess of envelope spectra over their local background.

    Attributes:
      excess: float32 [bands, F], natural logarithm of the magnitude minus its local median; NaN where a band is too
        narrow to reach a frequency.
      df_hz: Hz from bin to bin.
      segment_s: seconds of a segment, which resolves about 1 / segment_s Hz.
      segments: how many were averaged.
    """

    excess: np.ndarray
    df_hz: float
    segment_s: float
    segments: int

    def nearest(self, frequencies_hz: np.ndarray) -> np.ndarray:
        """Excess at the bins that are nearest to frequencies [...]: float32 [bands, ...], NaN beyond the reach."""
        place = np.rint(np.asarray(frequencies_hz) / self.df_hz).astype(np.int64)
        inside = (place >= 1) & (place < self.excess.shape[1])
        return np.where(inside, self.excess[:, np.where(inside, place, 0)], np.nan)

    def near_multiples(self, fundamental_hz: float, guard_hz: float, relative: float = 0.0) -> np.ndarray:
        """Bins within guard_hz + relative * f of a multiple of a frequency, the multiple 0 included: bool [F]."""
        f = np.arange(self.excess.shape[1]) * self.df_hz
        return np.abs(f - fundamental_hz * np.rint(f / fundamental_hz)) <= guard_hz + relative * f


def order_spectra(samples: np.ndarray, rate_hz: float, shaft_hz: float, max_hz: float) -> OrderSpectra:
    """The spectra of a recording.

    Args:
      samples: float [T].
      rate_hz: sampling rate.
      shaft_hz: turns per second; it decides the segments and how far the background reaches.
      max_hz: highest frequency that is wanted.
    """
    parts = segments(samples, rate_hz, shaft_hz)
    power = sum(_band_magnitudes(part, rate_hz, max_hz) ** 2 for part in parts)
    length = len(parts[0])
    df = rate_hz / length / envelope.ZERO_PADDING
    with np.errstate(divide='ignore', invalid='ignore'):
        log = 0.5 * np.log(np.asarray(power) / len(parts) + 1e-30)
    return OrderSpectra(_over_background(log, shaft_hz / df).astype(np.float32), df, length / rate_hz, len(parts))


def segments(samples: np.ndarray, rate_hz: float, shaft_hz: float) -> list[np.ndarray]:
    """Segments of a recording, float64 [T'] each, that overlap by about half; one where it is short."""
    x = np.asarray(samples, np.float64)
    # The FFT of a length with large prime factors takes ten times as long. Factors up to 11 are allowed, so that only
    # 0.2 % of the samples are given up on average: the finer the lengths, the less depends on a few samples.
    length = scipy.fft.prev_fast_len(min(len(x), math.ceil(SEGMENT_TURNS / shaft_hz * rate_hz)))
    count = 1 + max(0, math.ceil(2 * (len(x) - length) / length))
    starts = np.linspace(0, len(x) - length, min(count, MAX_SEGMENTS)).astype(int)
    return [x[start : start + length] for start in starts]


def _band_magnitudes(x: np.ndarray, rate_hz: float, max_hz: float) -> np.ndarray:
    """Magnitudes of the squared envelopes' spectra of a segment: [bands, F], NaN beyond a band's reach."""
    spectrum = envelope.prewhitened_spectrum(envelope.tapered(x, TAPER)).astype(np.complex64)
    last = max(2, int(np.floor(envelope.USED_BAND * (len(x) // 2))))
    bins = int(max_hz * len(x) / rate_hz * envelope.ZERO_PADDING) + 2
    edges = envelope.band_edges()
    table = np.full((len(edges), bins), np.nan)
    for row, (low, high) in zip(table, edges):
        first, end = max(1, round(low * last)), max(2, round(high * last))
        # Twice the width holds the squared magnitude without aliasing; a longer, faster transform changes nothing.
        width = scipy.fft.next_fast_len(2 * (end - first))
        squared = np.abs(scipy.fft.ifft(spectrum[first:end], width)) ** 2
        squared = (squared - squared.mean()) * _hann(width)
        reach = min(envelope.ZERO_PADDING * (end - first), bins)
        row[:reach] = np.abs(scipy.fft.rfft(squared, envelope.ZERO_PADDING * width))[:reach]
    return table


@functools.lru_cache(maxsize=64)
def _hann(width: int) -> np.ndarray:
    """Hann's window [width], periodic, float32."""
    return np.hanning(width + 1)[:-1].astype(np.float32)


def _over_background(log: np.ndarray, bins_per_turn: float) -> np.ndarray:
    """Logarithms [bands, F] minus medians over one order each, interpolated in between."""
    block = max(8, round(bins_per_turn))
    out = np.full_like(log, np.nan)
    for row, values in zip(out, log):
        reach = int(np.isfinite(values).sum())
        blocks = reach // block
        if not blocks:
            continue
        medians = np.median(values[: blocks * block].reshape(blocks, block), axis=1)
        row[:reach] = values[:reach] - np.interp(np.arange(reach), (np.arange(blocks) + 0.5) * block, medians)
    return out
