"""A piece of a stored signal: which samples it has, and their reading in single precision."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Sequence

import numpy as np

from fdx.data.raw.signal import StoredSignal
from fdx.types import DataError

# Samples at the beginning of a file that give the level of its pieces.
_HEAD_SAMPLES = 2**16


@dataclasses.dataclass(frozen=True)
class RawLength:
    """How much a file holds.

    Attributes:
      num_samples: of every channel.
      sample_rate_hz: the rate that was given or that the file tells, None where neither does.
      num_channels: of the wanted channels.
      channel_names: their names, or ().
      unit: of the samples, '' when the file does not tell it.
      seekable: whether a piece costs the time and memory of the piece alone. Text and MATLAB files before 7.3 are read
        as a whole for every piece: read them once.
    """

    num_samples: int
    sample_rate_hz: float | None
    num_channels: int
    channel_names: tuple[str, ...]
    unit: str
    seekable: bool

    @property
    def duration_s(self) -> float | None:
        """Seconds, None without a rate."""
        return None if self.sample_rate_hz is None else self.num_samples / self.sample_rate_hz


def piece_of(
    file: pathlib.Path, num_samples: int, rate_hz: float, start_s: float | None, stop_s: float | None
) -> tuple[int, int]:
    """(first sample, one behind the last) of a piece.

    Raises:
      DataError: it is empty, or the file does not reach to it.
    """
    for name, value in (('start_s', start_s), ('stop_s', stop_s)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise DataError(f'{file}: `{name}` is {value}; it must be a number of seconds from 0')
    start = 0 if start_s is None else round(start_s * rate_hz)
    stop = num_samples if stop_s is None else round(stop_s * rate_hz)
    length = f'the file has {num_samples} samples ({num_samples / rate_hz:.6g} s at {rate_hz:g} Hz)'
    for name, value, most, at in (('start_s', start_s, num_samples - 1, start), ('stop_s', stop_s, num_samples, stop)):
        if value is not None and at > most:
            raise DataError(f'{file}: `{name}` is {value:g}, but {length}; choose a piece inside it')
    if start >= stop and num_samples:
        raise DataError(
            f'{file}: no sample lies between `start_s` {start_s or 0:g} and `stop_s` {stop / rate_hz:g}: {length}'
        )
    return start, stop


def read_piece(
    file: pathlib.Path, stored: StoredSignal, start: int, stop: int, indices: Sequence[int]
) -> tuple[np.ndarray, list[str]]:
    """Reads a piece in single precision.

    A level too high for 24 bits of mantissa (a vibration of 1 around 10 million) is subtracted: the mean of the whole,
    or, from a piece, that of the file's first samples.

    Returns:
      (float32 [n, C], notes).

    Raises:
      DataError: no sample could be read.
    """
    samples, notes = stored.read(start, stop, indices), []
    if len(samples) < stop - start:
        notes.append(f'only {len(samples)} of its {stop - start} samples could be read')
    if len(samples) == 0:
        raise DataError(
            f'{file}: none of its {stop - start} samples could be read; it is cut off or damaged: copy it again'
        )
    with np.errstate(over='ignore', invalid='ignore'):
        if samples.dtype.itemsize > 2 and samples.dtype != np.float32:
            mean, spread = (f(samples, axis=0, dtype=np.float64) for f in (np.mean, np.std))
            lost = np.abs(mean) * 2.0**-24 > 1e-3 * spread
            if lost.any() and stop - start < stored.num_samples:
                # Pieces of a file get the same level, also one in which nothing moves.
                head = stored.read(0, min(stored.num_samples, _HEAD_SAMPLES), indices)
                mean, head_spread = (f(head, axis=0, dtype=np.float64) for f in (np.mean, np.std))
                spread = np.maximum(spread, head_spread)
                lost &= np.abs(mean) * 2.0**-24 > 1e-3 * spread
            lost &= spread > 0
            if lost.any():
                samples = samples - np.where(lost, mean, 0.0)
                level = np.asarray(mean)[lost][0]
                notes.append(f'its level of {level:.6g} is too far from 0 for single precision; it was subtracted')
        return np.ascontiguousarray(samples, np.float32), notes
