"""Reads every array of an HDF5 file, the format of Keras's files of weights, by its path in the file.

Keras 2 writes 'block1_conv1/block1_conv1/kernel:0', Keras 3 'block1/layers/conv2d/vars/0'. A file of weights has no
reason to refer to other files, to nest deeply, or to claim far more numbers than it has bytes for, so such files are
refused before anything large is read.
"""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Iterator

import h5py
import numpy as np

from fdx.files import reason_of
from fdx.types import WeightsError
from fdx.weights.files import refuse_pipe

MAX_OBJECTS = 100_000
MAX_DEPTH = 32
# Compressed zeros are allowed; a few bytes that claim gigabytes are not.
FREE_BYTES = 64 * 2**20
BYTES_PER_BYTE = 64
MAX_SHOWN = 80


def read_hdf5(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the numeric arrays of an HDF5 file.

    Args:
      path: an .h5, .hdf5 or .keras-weights file.

    Returns:
      Arrays by their path in the file without the leading '/', in the order of h5py (by name), in native byte order,
      with the shapes and number types of the file. Texts and attributes are left out.

    Raises:
      WeightsError: the file is missing, not an HDF5 file, truncated or damaged; an array lies in another file, was
        never written, or is larger than the file can mean; there are too many objects; or there is no array at all.
    """
    path = pathlib.Path(path)
    refuse_pipe(path)
    if not path.is_file():
        raise WeightsError(f'{path}: cannot be read (no such file)')
    try:
        with h5py.File(path, 'r', locking=False) as file:
            left = FREE_BYTES + BYTES_PER_BYTE * path.stat().st_size
            arrays = {}
            for name, found in _arrays(file, str(path)):
                left -= _size_in_memory(name, found, left, str(path))
                values = np.asarray(found[()])
                arrays[name] = values.astype(values.dtype.newbyteorder('='), copy=False)
    except WeightsError:
        raise
    except Exception as e:  # h5py raises OSError, RuntimeError, KeyError, ValueError and others for damaged files.
        raise WeightsError(
            f'{path}: not a whole HDF5 file ({reason_of(e)}); it is cut off, damaged or of another kind: fetch it again'
        ) from e
    if not arrays:
        raise WeightsError(f'{path}: holds no array of numbers')
    return arrays


def _arrays(file: h5py.File, source: str) -> Iterator[tuple[str, h5py.Dataset]]:
    """Names and data sets of numbers in depth-first order."""
    open_groups, seen = [('', file, 0)], 0
    while open_groups:
        prefix, group, depth = open_groups.pop()
        inner = []
        for key in group:
            seen += 1
            if seen > MAX_OBJECTS or depth >= MAX_DEPTH:
                raise WeightsError(
                    f'{source}: more than {MAX_OBJECTS} objects, or groups nested more than {MAX_DEPTH} deep, which no '
                    'file of weights has'
                )
            name = f'{prefix}{key}'
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise WeightsError(
                    f'{source}: {name[:MAX_SHOWN]!r} is a link and not an array; save the weights as one plain file'
                )
            found = group[key]
            if isinstance(found, h5py.Group):
                inner.append((f'{name}/', found, depth + 1))
            elif isinstance(found, h5py.Dataset) and found.shape is not None and found.dtype.kind in 'fiub':
                yield name, found
        open_groups += reversed(inner)


def _size_in_memory(name: str, found: h5py.Dataset, left: int, source: str) -> int:
    """Bytes of an array that may be read when `left` bytes are allowed."""
    shown = repr(name[:MAX_SHOWN])
    if found.is_virtual or found.external:
        raise WeightsError(f'{source}: the numbers of {shown} lie in other files; save the weights as one plain file')
    size = math.prod(found.shape) * found.dtype.itemsize
    if size and not found.id.get_storage_size():
        raise WeightsError(f'{source}: {shown} claims {math.prod(found.shape)} numbers, but none was ever written')
    if max(size, math.prod(found.chunks or ()) * found.dtype.itemsize) > left:
        shape = ' x '.join(map(str, found.shape))
        raise WeightsError(f'{source}: {shown} claims {shape} numbers, more than the size of the file can mean')
    return size
