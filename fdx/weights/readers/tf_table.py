"""Reads the sorted table of strings in the .index file of a TensorFlow checkpoint, in LevelDB's table format.

    data blocks | metaindex block (empty) | index block | footer of 48 bytes

A block consists of its entries, the uint32 offsets of restart points, their uint32 count, and a trailer: one byte of
compression and the masked CRC-32C of everything before. An entry consists of three varints (bytes shared with the
previous key, other bytes of the key, bytes of the value), the other bytes of the key, and the value. The index block
maps a key to the handle (offset, size) of each data block; the footer holds the handles of the metaindex and the index,
zeros, and a magic number. Origin: LevelDB's doc/table_format.md and tensorflow/core/lib/io.
"""

from __future__ import annotations

from collections.abc import Iterator

from fdx.types import WeightsError
from fdx.weights.readers.crc32c import masked_crc32c
from fdx.weights.readers.protobuf import read_varint

MAGIC = 0xDB4775248B80FB57
FOOTER_SIZE = 48
TRAILER_SIZE = 5
UNCOMPRESSED, SNAPPY = 0, 1

Handle = tuple[int, int]


def read_table(data: bytes) -> dict[bytes, bytes]:
    """All entries of a table file, every block checked.

    The blocks must follow each other without a gap up to the footer, as TensorFlow writes them. The footer has no
    checksum, and this rule detects a changed handle.

    Raises:
      ValueError: the file is truncated or damaged; the text says how, and the caller adds the file's name.
      WeightsError: a block is compressed by Snappy.
    """
    metaindex, index = _footer(data)
    handles = [_whole_handle(value) for value in _entries(_block(data, index)).values()]
    at = 0
    for offset, size in (*handles, metaindex, index):
        if offset != at:
            raise ValueError(f'a block is expected at byte {at}, not at {offset}')
        at += size + TRAILER_SIZE
    if at != len(data) - FOOTER_SIZE:
        raise ValueError(f'the blocks end at byte {at}, the footer begins at {len(data) - FOOTER_SIZE}')
    if _entries(_block(data, metaindex)):
        raise ValueError('the metaindex is not empty')
    table: dict[bytes, bytes] = {}
    for handle in handles:
        part = _entries(_block(data, handle))
        if table and part and min(part) <= max(table):
            raise ValueError('the blocks are not in order')
        table.update(part)
    return table


def _footer(data: bytes) -> tuple[Handle, Handle]:
    """The handles of the metaindex and the index."""
    if len(data) < FOOTER_SIZE:
        raise ValueError(f'{len(data)} bytes are not a table')
    footer = data[-FOOTER_SIZE:]
    if int.from_bytes(footer[-8:], 'little') != MAGIC:
        raise ValueError('it does not end in the magic number of a table')
    metaindex, at = _handle(footer[:-8], 0)
    index, at = _handle(footer[:-8], at)
    if any(footer[at:-8]):
        raise ValueError('the padding of the footer is not zero')
    return metaindex, index


def _handle(data: bytes, at: int) -> tuple[Handle, int]:
    offset, at = read_varint(data, at)
    size, at = read_varint(data, at)
    return (offset, size), at


def _whole_handle(data: bytes) -> Handle:
    handle, at = _handle(data, 0)
    if at != len(data):
        raise ValueError('an entry of the index is not the handle of a block')
    return handle


def _block(data: bytes, handle: Handle) -> bytes:
    """The contents of a block, without its trailer."""
    offset, size = handle
    end = offset + size
    if end + TRAILER_SIZE > len(data) - FOOTER_SIZE:
        raise ValueError(f'the block at byte {offset} of {size} bytes reaches beyond the end')
    stored = int.from_bytes(data[end + 1 : end + TRAILER_SIZE], 'little')
    if masked_crc32c(data[offset : end + 1]) != stored:
        raise ValueError(f'the checksum of the block at byte {offset} is wrong')
    if data[end] == SNAPPY:
        raise WeightsError(
            f'the block at byte {offset} is compressed by Snappy, which fdx does not read; restore the checkpoint in '
            'TensorFlow and save it again'
        )
    if data[end] != UNCOMPRESSED:
        raise ValueError(f'the block at byte {offset} has the unknown compression {data[end]}')
    return data[offset:end]


def _entries(block: bytes) -> dict[bytes, bytes]:
    """Keys and values of one block; the keys must be ascending."""
    restarts = int.from_bytes(block[-4:], 'little')
    end = len(block) - 4 * (restarts + 1)
    if end < 0 or not restarts:
        raise ValueError(f'a block of {len(block)} bytes has {restarts} restart points')
    found: dict[bytes, bytes] = {}
    for key, value in _walk(block[:end]):
        if found and key <= next(reversed(found)):
            raise ValueError(f'the key {key!r:.80} is not in order')
        found[key] = value
    return found


def _walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, key = 0, b''
    while at < len(data):
        shared, at = read_varint(data, at)
        fresh, at = read_varint(data, at)
        size, at = read_varint(data, at)
        if shared > len(key) or at + fresh + size > len(data):
            raise ValueError(f'an entry reaches beyond its block of {len(data)} bytes')
        key = key[:shared] + data[at : at + fresh]
        yield key, data[at + fresh : at + fresh + size]
        at += fresh + size
