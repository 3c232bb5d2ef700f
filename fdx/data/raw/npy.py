"""Recordings in .npy files: one array of numbers, whose header is checked before memory is reserved for it."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal, time_by_channel
from fdx.types import DataError

MAGIC = b'\x93NUMPY'
_SAVE_AGAIN = 'save it again with numpy.save as a numeric array'


def open_npy(file: pathlib.Path) -> StoredSignal:
    """Opens an array [T] or [T, C]; the longer axis is taken for time. Pickled objects are refused.

    Any byte order, memory order and real dtype is read, float16 and long double among them. Pieces are read through a
    memory map.

    Args:
      file: the file.

    Returns:
      The signal, unit 'counts' where it is of integers.

    Raises:
      DataError: an archive, a pickle, a table of fields, complex or not numeric values, another number of axes, or a
        header that announces more than the file holds.
    """
    with file.open('rb') as stream:
        # numpy.load follows the content, not the suffix: an archive or a pickle would pass for .npy.
        if stream.read(len(MAGIC)) != MAGIC:
            raise DataError(f'{file} is not a .npy array (an archive, a pickle?); save one array with numpy.save')
        stream.seek(0)
        try:
            shape, fortran, dtype = _header(stream)
        # The header is text that is evaluated; a damaged one raises nearly anything (ValueError, SyntaxError, ...).
        except Exception as e:
            reason = ' '.join(str(e).split())[:200]
            raise DataError(f'{file} cannot be read as a .npy array ({reason}); it is cut off or damaged') from e
        _check(file, shape, dtype)
        needed = math.prod(shape) * dtype.itemsize
        offset = stream.tell()
        there = os.fstat(stream.fileno()).st_size - offset
        if needed > there:
            raise DataError(
                f'{file}: its header announces {_size(shape)} numbers of {dtype} ({needed} bytes), {there} bytes are '
                'there; it is cut off or damaged: copy it again'
            )
    notes = (f'{there - needed} bytes after its first array were not read',) if there > needed else ()
    facts = RawSignal(NO_SAMPLES, unit='counts' if dtype.kind in 'iu' else '', notes=notes)
    if math.prod(shape) == 0 or not shape:  # nothing to map; refused by its shape
        time_by_channel(np.zeros(shape, dtype), file, 'the array')

    def mapped() -> np.ndarray:
        return np.memmap(file, dtype, 'r', offset, shape, order='F' if fortran else 'C')

    num_samples, num_channels = time_by_channel(mapped(), file, 'the array').shape

    def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
        array = mapped()
        if array.ndim == 1:
            return np.array(array[start:stop, None])
        lies = array.shape[0] != num_samples or array.shape[1] != num_channels
        piece = array[:, start:stop].T if lies else array[start:stop]
        return np.array(piece if list(channels) == list(range(num_channels)) else piece[:, list(channels)])

    return StoredSignal(facts, num_samples, num_channels, read)


def _header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version in ((2, 0), (3, 0)):  # 3.0 is 2.0 in UTF-8, for names of fields; fields are refused
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f'version {version} of the format is unknown')


def _size(shape: tuple[int, ...]) -> str:
    return ' x '.join(map(str, shape)) or '1'


def _check(file: pathlib.Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Refuses a file whose header describes no signal, before anything else is read."""
    if dtype.hasobject:
        raise DataError(f'{file} holds Python objects, which are not read; {_SAVE_AGAIN}')
    if dtype.names:
        names = ', '.join(map(repr, dtype.names[:20]))
        raise DataError(f'{file} holds a table of the fields {names}; save the one that is the signal as an array')
    if dtype.kind not in 'iufc' or dtype.itemsize == 0:
        raise DataError(f'{file}: the array has type {dtype}, not real numbers; {_SAVE_AGAIN}')
    if any(type(n) is not int or n < 0 for n in shape):
        raise DataError(f'{file}: its header states the shape {shape}; it is damaged: copy it again')
