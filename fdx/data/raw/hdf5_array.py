"""One array of an HDF5 file as a signal that is read where it lies."""

from __future__ import annotations

import contextlib
import math
import pathlib
from collections.abc import Iterator, Sequence

import h5py
import numpy as np

from fdx.data.raw.hdf5_values import Place
from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal, time_by_channel
from fdx.types import DataError

# See fdx.data.raw.mat_values: compressed silence is allowed, a few bytes that claim gigabytes are not.
FREE_BYTES = 512 * 2**20
BYTES_PER_BYTE = 64


@contextlib.contextmanager
def opened(file: pathlib.Path) -> Iterator[h5py.File]:
    """Opens the file for reading.

    Raises:
      DataError: it is no HDF5 file, or damaged.
    """
    try:
        stream = h5py.File(file, 'r', locking=False)
    except OSError as e:
        reason = ' '.join(str(e).split())[:200]
        raise DataError(
            f'{file} cannot be read as an HDF5 file ({reason}); it is cut off, damaged or of another kind: copy or '
            'export it again'
        ) from e
    with stream:
        yield stream


def stored_array(file: pathlib.Path, name: str, array: np.ndarray, place: Place) -> StoredSignal:
    """A data set as a signal, read where it lies; its facts are still empty.

    Args:
      file: the file.
      name: for messages.
      array: of the data set's shape and type.
      place: where it lies.

    Raises:
      DataError: its shape or type is none of a signal, or its samples were never written.
    """
    num_samples, num_channels = time_by_channel(array, file, f'variable {name}').shape
    along = 1 if array.ndim == 2 and array.shape[1] > array.shape[0] else 0
    axis = array.ndim - 1 - along if place.reverse else along
    most = FREE_BYTES + BYTES_PER_BYTE * file.stat().st_size
    with opened(file) as stream:
        found = stream[place.path]
        if found.id.get_storage_size() == 0:
            raise DataError(f'{file}: {name} claims {num_samples} samples, but none was ever written; record it again')
        if math.prod(found.chunks or ()) * found.dtype.itemsize > most:
            raise DataError(
                f'{file}: {name} is stored in pieces of {"x".join(map(str, found.chunks))}, more than its file can '
                'mean; save it with smaller chunks'
            )

    def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
        needed = (stop - start) * num_channels * array.dtype.itemsize
        if needed > most:
            raise DataError(
                f'{file}: {name} unpacks to {needed / 2**20:.0f} MiB from few bytes, which is hardly a recording; read '
                'it in pieces (`start_s`, `stop_s`) if that is right'
            )
        with opened(file) as stream:
            found = stream[place.path].fields(place.field) if place.field else stream[place.path]
            piece = found[start:stop] if axis == 0 else found[:, start:stop].T
        piece = piece.reshape(stop - start, num_channels)
        return piece if list(channels) == list(range(num_channels)) else piece[:, list(channels)]

    return StoredSignal(RawSignal(NO_SAMPLES), num_samples, num_channels, read)
