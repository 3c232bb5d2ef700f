"""Reads tensors from a TensorFlow checkpoint of version 2 (a "tensor bundle"), without TensorFlow.

PREFIX.index is a table (fdx.weights.readers.tf_table). It has a BundleHeaderProto under the empty key, and under each
tensor's name a BundleEntryProto with its dtype, shape, shard, offset and checksum. PREFIX.data-00000-of-00001 and the
shards after it hold the raw elements. Origin: tensorflow/core/protobuf/tensor_bundle.proto and util/tensor_bundle; the
numbers below are those of the fields.
"""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fdx.types import WeightsError
from fdx.weights.readers.crc32c import masked_crc32c
from fdx.weights.readers.protobuf import Message
from fdx.weights.readers.tf_table import read_table

# TensorFlow's DataType -> NumPy's type of the little-endian elements.
DTYPES = {1: '<f4', 2: '<f8', 3: '<i4', 9: '<i8'}
HEADER_SHARDS, HEADER_ENDIANNESS, HEADER_VERSION = 1, 2, 3
VERSION_MIN_CONSUMER = 2
ENTRY_DTYPE, ENTRY_SHAPE, ENTRY_SHARD, ENTRY_OFFSET, ENTRY_SIZE, ENTRY_CRC, ENTRY_SLICES = range(1, 8)
SHAPE_DIM, SHAPE_UNKNOWN_RANK, DIM_SIZE = 2, 3, 1
OUR_VERSION = 1
MOST_SHARDS = 99999  # The names of the data files have five digits.


class BundleEntry(NamedTuple):
    """Place of a tensor: `size` bytes at `offset` of data file `shard`."""

    dtype: np.dtype
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int


def bundle_prefix(path: str | os.PathLike) -> str:
    """'m/vgg.index' or 'm/vgg' -> 'm/vgg'; 'm/.index' or the folder 'm' -> 'm/', where the files have no stem."""
    text = os.fspath(path)
    if text.endswith('.index'):
        return text.removesuffix('.index')
    return os.path.join(text, '') if os.path.isdir(text) else text


def shard_paths(prefix: str, shards: int = 1) -> list[pathlib.Path]:
    """The data files of a bundle."""
    return [pathlib.Path(f'{prefix}.data-{i:05d}-of-{shards:05d}') for i in range(shards)]


def read_tf_bundle(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads every tensor of a checkpoint.

    Args:
      path: the .index file, or the prefix that TensorFlow calls the checkpoint's path. The prefix is a folder if the
        files have no stem ('m/.index').

    Returns:
      Arrays by the names of their variables, sorted, of dtype float32, float64, int32 or int64.

    Raises:
      WeightsError: a file that cannot be read, is truncated or damaged (the CRC-32C of every block of the index and of
        every tensor is checked), or has contents that fdx does not read: other dtypes, partitioned variables, blocks
        compressed by Snappy, big-endian elements.
    """
    prefix = bundle_prefix(path)
    index = pathlib.Path(f'{prefix}.index')
    data = _read(index)
    try:
        table = read_table(data)
        shards = _shards(table.pop(b'', None))
        entries = _entries(table, shards)
    except WeightsError as e:
        raise WeightsError(f'{index}: {e}') from e
    except ValueError as e:
        raise WeightsError(f'{index}: {e}; the file is truncated or damaged, fetch it again') from e
    files = shard_paths(prefix, shards)
    contents = {shard: _read(files[shard]) for shard in sorted({entry.shard for entry in entries.values()})}
    return {name: _tensor(name, entry, contents[entry.shard], files[entry.shard]) for name, entry in entries.items()}


def _read(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise WeightsError(f'{path}: cannot be read ({e.strerror or e})') from e


def _shards(header: bytes | None) -> int:
    """Number of data files."""
    if header is None:
        raise ValueError('the table is not the index of a checkpoint (it has no header)')
    fields = Message(header)
    if fields.number(HEADER_ENDIANNESS):
        raise WeightsError('its elements are big-endian, fdx reads little-endian ones; save the checkpoint again')
    wanted = fields.message(HEADER_VERSION).number(VERSION_MIN_CONSUMER)
    if wanted > OUR_VERSION:
        raise WeightsError(f'the checkpoint asks for a reader of version {wanted}, fdx knows version {OUR_VERSION}')
    shards = fields.number(HEADER_SHARDS)
    if not 1 <= shards <= MOST_SHARDS:
        raise ValueError(f'it names {shards} data files')
    return shards


def _entries(table: Mapping[bytes, bytes], shards: int) -> dict[str, BundleEntry]:
    """The places of all tensors by name, in the order of the table."""
    messages = {key: Message(value) for key, value in table.items()}
    for key, fields in messages.items():
        # Checked first, because the keys of the parts, which come before all names, are not text.
        if ENTRY_SLICES in fields:
            raise WeightsError(
                f'the variable {key.decode(errors="replace")!r} is stored in parts (partitioned), which fdx does not '
                'read; save the checkpoint with whole variables'
            )
    return {key.decode(): _entry(key.decode(), fields, shards) for key, fields in messages.items()}


def _entry(name: str, fields: Message, shards: int) -> BundleEntry:
    number, shape = fields.number(ENTRY_DTYPE), fields.message(ENTRY_SHAPE)
    if number not in DTYPES:
        known = ', '.join(np.dtype(code).name for code in DTYPES.values())
        raise WeightsError(f"the tensor {name!r} is of TensorFlow's dtype {number}; fdx reads {known}")
    if shape.number(SHAPE_UNKNOWN_RANK):
        raise ValueError(f'the tensor {name!r} has no shape')
    sizes = tuple(dim.number(DIM_SIZE) for dim in shape.messages(SHAPE_DIM))
    places = (fields.number(i) for i in (ENTRY_SHARD, ENTRY_OFFSET, ENTRY_SIZE, ENTRY_CRC))
    entry = BundleEntry(np.dtype(DTYPES[number]), sizes, *places)
    if entry.size != math.prod(sizes) * entry.dtype.itemsize:
        raise ValueError(f'the tensor {name!r} of shape {list(sizes)} has {entry.size} bytes')
    if entry.shard >= shards:
        raise ValueError(f'the tensor {name!r} lies in data file {entry.shard} of {shards}')
    return entry


def _tensor(name: str, entry: BundleEntry, data: bytes, path: pathlib.Path) -> np.ndarray:
    """The array of an entry, from the contents of its data file."""
    raw = data[entry.offset : entry.offset + entry.size]
    if len(raw) != entry.size:
        raise WeightsError(
            f'{path}: the tensor {name!r} ends at byte {entry.offset + entry.size}, the file at {len(data)}; it is '
            'truncated or of another checkpoint, fetch it again'
        )
    if masked_crc32c(raw) != entry.crc:
        raise WeightsError(
            f'{path}: the checksum of the tensor {name!r} is wrong; the file is damaged or of another checkpoint, '
            'fetch it again'
        )
    try:
        return np.frombuffer(raw, entry.dtype).reshape(entry.shape).astype(entry.dtype.newbyteorder('='))
    except (ValueError, OverflowError) as e:  # more axes than NumPy has, or an empty array of impossible sizes
        raise WeightsError(f'{path}: the tensor {name!r} of shape {list(entry.shape)} cannot be built ({e})') from e
