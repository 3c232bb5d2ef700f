"""How the lines of a recording move: spectra of short segments over a logarithmic axis of frequency.

If the shaft turns faster by some percent, all its lines, those of its bearings and those of its gears shift by the same
distance on this axis. What stays in place (mains, resonances) does not belong to it.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.fft
import scipy.ndimage

from fdx.signal.envelope import USED_BAND

# From tick to tick of the axis, relative.
TICK = 0.005
# Orders of the stated speed that are looked at, and how far the speed may lie from it, in ticks on either side.
LOWEST_ORDER, HIGHEST_ORDER = 0.7, 16.0
REACH = 76
# Turns of a segment, and how many segments of that length fit into a usual recording.
SHORTEST, LONGEST, PER_RECORDING = 8.0, 16.0, 12
# No more segments than this: those of a long recording are longer.
MOST_SEGMENTS = 64
FEWEST_SEGMENTS = 6
# Envelopes of so many equally wide bands, beside the spectrum itself.
BANDS = 4
# In nepers of power over the background.
LOWEST, HIGHEST = -1.0, 3.0


@dataclasses.dataclass(frozen=True)
class Picture:
    """Lines over time.

    Attributes:
      excess: float32 [1 + BANDS, segments, ticks], log power over the local background, in the spectrum and in the
        envelopes' spectra. Tick REACH + k belongs to the order LOWEST_ORDER * exp(k TICK) of the stated speed.
      middles_s: float64 [segments].
      weights: float32 [ticks - 2 REACH], how much each tick tells: bins of the spectra per tick, at most 1.
      segment_turns: turns of a segment at the stated speed.
    """

    excess: np.ndarray
    middles_s: np.ndarray
    weights: np.ndarray
    segment_turns: float

    def at(self, segment: int, shift: int) -> np.ndarray:
        """The segment [1 + BANDS, orders] as if the speed were the stated one times exp(shift TICK)."""
        return self.excess[:, segment, REACH + shift : REACH + shift + len(self.weights)]

    def aligned(self, shifts: np.ndarray) -> np.ndarray:
        """Mean over the segments, each shifted by its own: float32 [1 + BANDS, orders]."""
        total = np.zeros((len(self.excess), len(self.weights)), np.float32)
        for i, shift in enumerate(shifts):
            total += self.at(i, int(shift))
        return total / len(shifts)


def picture_of(samples: np.ndarray, rate_hz: float, shaft_hz: float) -> Picture | None:
    """The picture of a recording.

    Args:
      samples: float [T].
      rate_hz: sampling rate.
      shaft_hz: stated turns per second.

    Returns:
      None where fewer than FEWEST_SEGMENTS segments of SHORTEST turns fit, overlapping by half.
    """
    # An FFT of a length with large prime factors takes ten times as long; at most 1 % of the samples is given up.
    x = np.asarray(samples, np.float64)[: scipy.fft.prev_fast_len(len(samples), real=True)]
    turns = len(x) / rate_hz * shaft_hz
    segment_turns = float(np.clip(turns / PER_RECORDING, SHORTEST, LONGEST))
    segment_turns = max(segment_turns, 2 * turns / MOST_SEGMENTS)
    count = int(2 * turns / segment_turns) - 1
    if count < FEWEST_SEGMENTS:
        return None
    orders = LOWEST_ORDER * np.exp(np.arange(0, np.log(HIGHEST_ORDER / LOWEST_ORDER), TICK))
    hz = LOWEST_ORDER * shaft_hz * np.exp(np.arange(-REACH, len(orders) + REACH) * TICK)
    segment_s = segment_turns / shaft_hz
    starts_s = np.linspace(0, len(x) / rate_hz - segment_s, count)
    channels = _channels(x, rate_hz, hz[-1])
    return Picture(
        np.array([_excess(slow, r, starts_s, segment_s, hz, shaft_hz) for slow, r in channels], np.float32),
        starts_s + segment_s / 2,
        np.minimum(1, orders * TICK * segment_turns).astype(np.float32),
        segment_turns,
    )


def _channels(x: np.ndarray, rate_hz: float, reach_hz: float) -> list[tuple[np.ndarray, float]]:
    """The slow part of a recording and of its bands' squared envelopes, each with its rate."""
    spectrum = scipy.fft.rfft(x - x.mean()).astype(np.complex64)
    df = rate_hz / len(x)
    # Whole bins are kept, so that neither a filter nor aliasing touches them. What lies beyond the spectrum is 0.
    bins = scipy.fft.next_fast_len(int(reach_hz / df) + 2)
    found = [(_slow(spectrum, bins), 2 * bins * df)]
    spectrum /= np.abs(spectrum) + 1e-9 * np.abs(spectrum).max() + 1e-30
    edges = np.linspace(1, USED_BAND * len(spectrum), BANDS + 1).astype(int)
    for first, end in zip(edges, edges[1:]):
        width = scipy.fft.next_fast_len(2 * (end - first))
        squared = np.abs(scipy.fft.ifft(spectrum[first:end], width)) ** 2
        # Its bins are as close as those of the recording, because it lasts as long.
        found.append((_slow(scipy.fft.rfft(squared - squared.mean()), bins), 2 * bins * df))
    return found


def _slow(spectrum: np.ndarray, bins: int) -> np.ndarray:
    kept = np.zeros(bins + 1, np.complex64)
    kept[: min(bins, len(spectrum))] = spectrum[:bins]
    return scipy.fft.irfft(kept, 2 * bins)


def _excess(
    x: np.ndarray, rate_hz: float, starts_s: np.ndarray, segment_s: float, hz: np.ndarray, shaft_hz: float
) -> np.ndarray:
    """Log power of segments over its running median, at frequencies hz [ticks]: [segments, ticks]."""
    length = int(segment_s * rate_hz)
    starts = np.clip((starts_s * rate_hz).astype(int), 0, len(x) - length)
    segments = np.stack([x[s : s + length] for s in starts]) * np.hanning(length).astype(np.float32)
    padded = scipy.fft.next_fast_len(2 * length, real=True)
    power = np.abs(scipy.fft.rfft(segments, padded, axis=1)) ** 2
    df = rate_hz / padded
    log = np.log(power + 1e-12 * power.max() + 1e-30)
    block = max(8, int(1.5 * shaft_hz / df))
    blocks = max(1, log.shape[1] // block)
    medians = np.median(log[:, : blocks * block].reshape(len(log), blocks, block), axis=2)
    centres = (np.arange(blocks) + 0.5) * block * df
    place = hz / df
    lower = np.minimum(place.astype(int), log.shape[1] - 2)
    share = np.clip(place - lower, 0, 1)
    values = log[:, lower] * (1 - share) + log[:, lower + 1] * share
    background = np.stack([np.interp(hz, centres, m) for m in medians])
    return np.clip(values - background, LOWEST, HIGHEST)
