"""Recordings in .npy files: one array of numbers, whose header is checked before memory is reserved for it."""

from __future__ import annotations

import math
import os
import pathlib
from typing import BinaryIO

import numpy as np

from fdx.data.raw.signal import RawSignal, time_by_channel
from fdx.types import DataError

MAGIC = b'\x93NUMPY'
_SAVE_AGAIN = 'save it again with numpy.save as a numeric array'


def read_npy(file: pathlib.Path) -> RawSignal:
    """Reads an array [T] or [T, C]; the longer axis is taken for time. Pickled objects are refused.

    Any byte order, memory order and real dtype is read, float16 and long double among them.

    Args:
      file: the file.

    Returns:
      The samples, unit 'counts' where they are integers.

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
        there = os.fstat(stream.fileno()).st_size - stream.tell()
        if needed > there:
            raise DataError(
                f'{file}: its header announces {_size(shape)} numbers of {dtype} ({needed} bytes), {there} bytes are '
                'there; it is cut off or damaged: copy it again'
            )
        array = np.fromfile(stream, dtype, math.prod(shape))
    array = array.reshape(shape, order='F' if fortran else 'C')
    notes = (f'{there - needed} bytes after its first array were not read',) if there > needed else ()
    unit = 'counts' if dtype.kind in 'iu' else ''
    return RawSignal(time_by_channel(array, file, 'the array'), unit=unit, notes=notes)


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
