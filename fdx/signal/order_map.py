"""A waterfall: how the spectrum and the envelope's spectrum of a recording change over its length.

With a speed, the axis counts turns of the shaft, so that lines of the shaft and its bearings stand at fixed orders.
What is not bound to the shaft, such as the mains, does not.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.fft

from fdx.signal.envelope import prewhitened_spectrum, tapered
from fdx.types import DataError

# Turns of a segment: fewer do not separate the lines of a bearing from those of the shaft.
SEGMENT_TURNS, FEWEST_TURNS = 16.0, 6.0
SEGMENT_S, SHORTEST_S = 0.25, 0.02
FEWEST_SEGMENTS, FEWEST_SAMPLES = 4, 64
# Rows of the map: a figure of a phone's width shows no more.
MOST_ROWS = 120
TAPER = 0.1


@dataclasses.dataclass(frozen=True)
class OrderMap:
    """Spectra of segments that overlap by half.

    Attributes:
      spectrum: float32 [rows, F], magnitudes in dB over the largest of the map.
      envelope: float32 [rows, F], magnitudes of the squared envelope's spectrum of the pre-whitened segment, in nepers
        over the median of the row's neighbourhood.
      times_s: float64 [rows], middles of the segments.
      axis: float64 [F], orders, or Hz where no speed is known.
      in_orders: whether `axis` counts turns of the shaft.
    """

    spectrum: np.ndarray
    envelope: np.ndarray
    times_s: np.ndarray
    axis: np.ndarray
    in_orders: bool


def order_map(samples: np.ndarray, rate_hz: float, highest: float, shaft_hz: float | None = None) -> OrderMap | None:
    """The map of a recording.

    Args:
      samples: float [T], finite; of a shaft whose speed is even (`fdx.signal.steady`), where one is given.
      rate_hz: their rate.
      highest: order up to which the map reaches, or Hz without a speed.
      shaft_hz: turns per second.

    Returns:
      None where fewer than FEWEST_SEGMENTS segments fit.

    Raises:
      DataError: samples that are not one channel.
    """
    x = np.asarray(samples, np.float64)
    if x.ndim != 1:
        raise DataError(f'samples of shape {x.shape}: a map shows one channel, choose it with `channel`')
    unit_hz = 1.0 if shaft_hz is None else shaft_hz
    wanted, fewest = (
        (SEGMENT_S, SHORTEST_S) if shaft_hz is None else (SEGMENT_TURNS / shaft_hz, FEWEST_TURNS / shaft_hz)
    )
    length = int(min(wanted * rate_hz, 2 * len(x) / (FEWEST_SEGMENTS + 1)))
    if length < max(fewest * rate_hz, FEWEST_SAMPLES):
        return None
    length = scipy.fft.prev_fast_len(length, real=True)
    rows = min(MOST_ROWS, int(2 * len(x) / length) - 1)
    starts = np.linspace(0, len(x) - length, rows).astype(int)
    bins = min(length // 2, int(highest * unit_hz * length / rate_hz) + 2)
    window = scipy.signal.windows.hann(length, sym=False)
    spectrum, envelope = np.empty((rows, bins), np.float32), np.empty((rows, bins), np.float32)
    for row, start in enumerate(starts):
        part = x[start : start + length]
        spectrum[row] = np.abs(scipy.fft.rfft((part - part.mean()) * window)[:bins])
        envelope[row] = _squared_envelope(part, window)[:bins]
    spectrum = 20 * np.log10(spectrum / max(float(spectrum[:, 1:].max()), 1e-30) + 1e-6)
    return OrderMap(
        spectrum.astype(np.float32),
        _over_neighbours(np.log(envelope + 1e-12 * envelope.max() + 1e-30), max(9, int(unit_hz * length / rate_hz))),
        (starts + length / 2) / rate_hz,
        np.arange(bins) * rate_hz / length / unit_hz,
        shaft_hz is not None,
    )


def _squared_envelope(part: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Magnitudes of the spectrum of a pre-whitened segment's squared envelope: [len(part) // 2 + 1]."""
    spectrum = np.zeros(len(part), np.complex128)
    half = prewhitened_spectrum(tapered(part, TAPER))
    spectrum[: len(half)] = half
    squared = np.abs(scipy.fft.ifft(spectrum)) ** 2
    return np.abs(scipy.fft.rfft((squared - squared.mean()) * window))


def _over_neighbours(log: np.ndarray, width: int) -> np.ndarray:
    """Logarithms [rows, F] minus their running median over about `width` bins."""
    blocks = max(1, log.shape[1] // width)
    used = log[:, : blocks * (log.shape[1] // blocks)].reshape(len(log), blocks, -1)
    medians = np.median(used, axis=2)
    places = (np.arange(blocks) + 0.5) * used.shape[2]
    background = np.stack([np.interp(np.arange(log.shape[1]), places, row) for row in medians])
    return (log - background).astype(np.float32)
