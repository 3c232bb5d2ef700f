"""Stretches of a recording in which its sensor says nothing: zeros, a held value, or a flicker of the last bit."""

from __future__ import annotations

import numpy as np

# A working converter hardly ever repeats a value: the longest run in CWRU, MFPT, ADI, HIT, FEMTO and SOON is 4 samples.
HELD_SAMPLES = 16
HELD_S = 0.002
# The level is measured in pieces of PIECE_S. A piece is silent below the share SILENT of the level of the recording's
# loudest pieces. In the real recordings named above this share does not fall below 0.012, even between impacts.
PIECE_S = 0.005
SILENT = 0.0005
LOUD_QUANTILE = 0.99
# A piece with no more distinct values than this is noise of the last bit, at any level (real pieces have 14 and more).
FLICKER_VALUES = 3


def dead_samples(x: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    """Where a recording is held, silent or flickers by its last bits, in any of its channels.

    Args:
      x: real [T, C] as recorded, because a filter would smear the ends of a dead stretch.
      sample_rate_hz: its rate.

    Returns:
      bool [T].
    """
    dead = np.zeros(len(x), bool)
    for c in range(x.shape[1]):
        channel = np.ascontiguousarray(x[:, c])
        dead |= _held(channel, max(HELD_SAMPLES, round(HELD_S * sample_rate_hz)))
        dead |= _silent(channel, dead_unit(sample_rate_hz))
    return dead


def dead_unit(sample_rate_hz: float) -> int:
    """Samples of the pieces, counted from the first sample, that `dead_samples` compares."""
    return max(HELD_SAMPLES, round(PIECE_S * sample_rate_hz))


def _held(x: np.ndarray, shortest: int) -> np.ndarray:
    """Where x [T] repeats one value for at least `shortest` samples: bool [T]."""
    edges = np.flatnonzero(np.diff(x))
    starts, stops = np.concatenate(([0], edges + 1)), np.concatenate((edges + 1, [len(x)]))
    long = stops - starts >= shortest
    return _filled(starts[long], stops[long], len(x))


def _silent(x: np.ndarray, length: int) -> np.ndarray:
    """Where pieces of x [T] of `length` samples are far below the loud ones, or take few values: bool [T]."""
    count = len(x) // length
    if count == 0:
        return np.zeros(len(x), bool)
    pieces = x[: count * length].reshape(count, length).astype(np.float64)
    # Differences of neighbours, because a drift is not a vibration.
    level = np.diff(pieces, axis=1).std(axis=1)
    silent = level < SILENT * np.quantile(level, LOUD_QUANTILE)
    values = 1 + (np.diff(np.sort(pieces, axis=1), axis=1) > 0).sum(axis=1)
    silent |= values <= FLICKER_VALUES
    starts = np.flatnonzero(silent) * length
    # The incomplete piece at the end is treated as the last whole one.
    stops = np.where(starts == (count - 1) * length, len(x), starts + length)
    return _filled(starts, stops, len(x))


def _filled(starts: np.ndarray, stops: np.ndarray, length: int) -> np.ndarray:
    """Bool [length], True inside the given half-open stretches, which do not overlap."""
    change = np.zeros(length + 1, np.int8)
    change[starts] += 1
    np.add.at(change, stops, -1)
    return np.cumsum(change[:-1]).astype(bool)
