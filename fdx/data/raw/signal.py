"""What a reader of one file format hands over: the samples and what the file itself says about them."""

from __future__ import annotations

import dataclasses
import logging
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from fdx.types import UNKNOWN, DataError

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class RawSignal:
    """The content of one file, before a channel is picked and the sampling rate is settled.

    Attributes:
      samples: real numbers [T, C], in the unit of the file.
      channel_names: C names, or () where the file has none.
      file_rate_hz: the sampling rate that the file states or implies, or None.
      rate_origin: where `file_rate_hz` stands in the file, for messages.
      rate_tolerance: relative difference below which another rate counts as the same one.
      speed_rpm: shaft speed, NaN when the file does not tell it.
      load: load in the file's own unit, NaN when the file does not tell it.
      unit: of the samples, '' when the file does not tell it.
      time_breaks: ascending indices of samples before which time is missing.
      notes: what was noticed about the file, one sentence each, for the user.
    """

    samples: np.ndarray
    channel_names: tuple[str, ...] = ()
    file_rate_hz: float | None = None
    rate_origin: str = ''
    rate_tolerance: float = 1e-6
    speed_rpm: float = UNKNOWN
    load: float = UNKNOWN
    unit: str = ''
    time_breaks: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class StoredSignal:
    """A signal that lies in a file, before any sample is picked.

    Attributes:
      facts: what the file says about all of it; its `samples` are not looked at.
      num_samples: T of the whole signal.
      num_channels: C.
      read: (first sample, one behind the last, indices of channels) -> real numbers [n, channels].
      seekable: whether `read` takes time and memory for the piece alone; else the whole file was read already.
    """

    facts: RawSignal
    num_samples: int
    num_channels: int
    read: Callable[[int, int, Sequence[int]], np.ndarray]
    seekable: bool = True

    @classmethod
    def of_whole(cls, raw: RawSignal) -> StoredSignal:
        """A signal of a format that can only be read as a whole."""
        samples = raw.samples

        def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
            piece = samples[start:stop]
            return piece if list(channels) == list(range(samples.shape[1])) else piece[:, list(channels)]

        return cls(raw, samples.shape[0], samples.shape[1], read, seekable=False)


NO_SAMPLES = np.zeros((0, 0))


def time_by_channel(array: np.ndarray, path: pathlib.Path, what: str) -> np.ndarray:
    """Checks a numeric array and lays it out as [T, C].

    Args:
      array: real numbers [T], [T, 1], [1, T], [T, C] or [C, T]; the longer axis is taken for time.
      path: the file, for messages.
      what: the array's name in the file, for messages.

    Returns:
      The same numbers, [T, C].

    Raises:
      DataError: the array is complex, not numeric, empty or has more than two axes.
    """
    if np.iscomplexobj(array):
        raise DataError(f'{path}: {what} holds complex values; save the real signal (a spectrum cannot be read back)')
    if array.dtype.kind not in 'iuf':
        raise DataError(f'{path}: {what} has type {array.dtype}, not real numbers; save it as a numeric array')
    if array.ndim not in (1, 2) or array.size == 0:
        raise DataError(f'{path}: {what} has shape {array.shape}; a signal is [T] or [T, C] with at least one sample')
    if array.ndim == 1:
        return array[:, None]
    if array.shape[1] > array.shape[0]:
        if array.shape[0] > 1:
            _log.warning(
                '%s: %s has shape %s: transposed, as time is taken for the longer axis', path, what, array.shape
            )
        return array.T
    return array
