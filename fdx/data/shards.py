"""TFDS's writer with bounded memory, and without TensorFlow.

TFDS sorts the records of a split by their keys before it writes them: up to 1 GB of them in memory, more in files that
it writes with TensorFlow, which fdx does not have. fdx's records come in their order already. Here they wait in one
file beside the dataset, until TFDS knows their number and with it the number of shards.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import struct
import tempfile
from collections.abc import Iterator

from tensorflow_datasets.core import shuffle

# What waits is in memory up to this size.
MEMORY_BYTES = 64 * 2**20
_LENGTH = struct.Struct('<Q')


class InOrder:
    """Takes the place of TFDS's Shuffler for records that are written in the order in which they come."""

    def __init__(
        self,
        dirpath: str | os.PathLike,
        hash_salt: str | bytes = '',
        disable_shuffling: bool = True,
        ignore_duplicates: bool = False,
    ):
        """The arguments of TFDS's Shuffler; the records wait in a file of the folder that the system removes."""
        if not disable_shuffling or ignore_duplicates:
            raise ValueError('fdx writes records in their order')
        del hash_salt
        folder = pathlib.Path(dirpath)
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115  (closed once it is read)
            MEMORY_BYTES, dir=os.fspath(folder) if folder.is_dir() else None
        )
        self.size = self.num_examples = 0

    @property
    def bucket_lengths(self) -> list[int]:
        """Numbers of records of each bucket: there is one."""
        return [self.num_examples]

    def add(self, key: int, data: bytes) -> None:
        """Takes the next record; keys count from 0."""
        if key != self.num_examples:
            raise ValueError(f'record {self.num_examples} has the key {key}')
        self._file.write(_LENGTH.pack(len(data)))
        self._file.write(data)
        self.size += len(data)
        self.num_examples += 1

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """(key, record) in their order; once."""
        self._file.seek(0)
        with self._file:
            for key in range(self.num_examples):
                (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
                yield key, self._file.read(length)


@contextlib.contextmanager
def written_in_order() -> Iterator[None]:
    """TFDS's writer takes records in their order, with bounded memory; for builders that do not shuffle."""
    before = shuffle.Shuffler
    shuffle.Shuffler = InOrder
    try:
        yield
    finally:
        shuffle.Shuffler = before
