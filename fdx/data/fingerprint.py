"""Fingerprints of samples, which show whether two windows hold the same moment, whatever their names and gains.

A window gets at most 32 landmarks. A landmark is a number that depends on the shape of the signal around a place that
the signal itself determines. It does not depend on the start of the window, nor on gain, sign, offset, slow drift or
rounding:

1. A short filter selects a band around 1/16 of the sampling rate; its output is used only where the filter lies within
   the window.
2. Extrema of the band-passed signal are found; a parabola gives their heights.
3. An extremum that stands out among its neighbours is an anchor. Its landmark is the hash of 128
   comparisons between pairs of the 65 extrema around it. There is no landmark where rounding decides a comparison.
4. A landmark that occurs twice in a window belongs to a periodic signal and does not identify a moment; both are
dropped. 5. The smallest 32 hashes stay: overlapping windows keep the same ones of what they share (bottom-k sketch:
Broder, On
   the resemblance and containment of documents, 1997).

Landmarks that survive gain and offset come from audio search (Wang, An industrial-strength audio search algorithm,
ISMIR 2003). Comparisons over many periods distinguish one revolution of a machine from the next by its noise.

Two windows share content if enough landmarks agree; fdx.data.protocols.same_content decides and states its error rates.
It does not find copies at another sampling rate, or copies of a signal whose noise near 1/16 of the rate is below the
rounding of the copy.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

SIZE = 32
TAPS = 65
BAND = (1 / 24, 1 / 11)  # of the sampling rate
REACH = 8  # an anchor is larger than this many extrema on each side
SPAN = 32  # a landmark is made of this many extrema on each side of its anchor
EXTREMA = 2 * SPAN + 1
COMPARISONS = 128  # pairs of extrema that are compared
# Heights that differ by less than this share of the largest count as equal.
MARGIN = 1e-4
_PRIME = np.uint64(0x9E3779B97F4A7C15)


@functools.lru_cache(maxsize=1)
def _band_pass() -> np.ndarray:
    taps = scipy.signal.firwin(TAPS, BAND, pass_zero=False, window='hann', fs=1.0)
    return taps - taps.mean()  # An offset, however large, is removed.


@functools.lru_cache(maxsize=1)
def _pairs() -> tuple[np.ndarray, np.ndarray]:
    """Indices of the extrema that are compared, the same on every computer."""
    # Drawn by a hash, because the numbers of a random generator may change with its version.
    drawn = (hashlib.blake2b(bytes([i, j]), digest_size=4).digest() for i in range(256) for j in range(2))
    pairs = [(int.from_bytes(d[:2], 'little') % EXTREMA, int.from_bytes(d[2:], 'little') % EXTREMA) for d in drawn]
    first, second = np.array([p for p in pairs if p[0] != p[1]][:COMPARISONS]).T
    return first, second


def fingerprint(chunk: np.ndarray) -> np.ndarray:
    """Landmarks of a window.

    Args:
      chunk: float32 [T, C] (or [T]), finite. The landmarks of all channels count, in any order of channels.

    Returns:
      int64 [32], distinct positive numbers in ascending order, then zeros. All zero where the window is too short (some
      600 samples), dead, or strictly periodic.
    """
    samples = np.asarray(chunk, np.float64)
    columns = samples[:, None] if samples.ndim == 1 else samples
    found = np.concatenate([_landmarks(columns[:, c]) for c in range(columns.shape[1])] or [np.zeros(0, np.int64)])
    values, counts = np.unique(found, return_counts=True)
    kept = values[counts == 1][:SIZE]
    return np.pad(kept, (0, SIZE - len(kept))).astype(np.int64)


def _landmarks(x: np.ndarray) -> np.ndarray:
    """Landmarks of one channel [T], with repetitions: int64 [N]."""
    heights = _extrema(x)
    if len(heights) < EXTREMA:
        return np.zeros(0, np.int64)
    around = np.lib.stride_tricks.sliding_window_view(heights, EXTREMA)
    near = around[:, SPAN - REACH : SPAN + REACH + 1]
    around = around[near[:, REACH] >= near.max(axis=1)]
    first, second = _pairs()
    differences = around[:, first] - around[:, second]
    clear = np.abs(differences).min(axis=1) > MARGIN * around.max(axis=1)
    return _hashed(differences[clear] > 0)


def _extrema(x: np.ndarray) -> np.ndarray:
    """Magnitudes of the extrema of the band-passed signal, in order: float64 [N]."""
    if len(x) < TAPS + 2:
        return np.zeros(0)
    y = scipy.signal.oaconvolve(x - x.mean(), _band_pass(), mode='valid')
    before, after = y[1:-1] - y[:-2], y[2:] - y[1:-1]
    at = np.flatnonzero(before * after < 0) + 1
    left, middle, right = y[at - 1], y[at], y[at + 1]
    return np.abs(middle - (right - left) ** 2 / (8 * (left - 2 * middle + right)))


def _hashed(bits: np.ndarray) -> np.ndarray:
    """Positive hashes of rows of bits [N, COMPARISONS]: int64 [N], the same on every computer."""
    value = np.zeros(len(bits), np.uint64)
    for column in np.packbits(bits, axis=1).T.astype(np.uint64):
        value = (value + column + np.uint64(1)) * _PRIME
        value ^= value >> np.uint64(29)
    # 63 bits, so that the number is positive; 0 stands for no landmark.
    return np.maximum((value >> np.uint64(1)).astype(np.int64), 1)
