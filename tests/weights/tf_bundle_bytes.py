"""Writes TensorFlow checkpoints byte by byte, without TensorFlow: checksums, tables, messages and whole bundles."""

from __future__ import annotations

import pathlib

import numpy as np

MAGIC = 0xDB4775248B80FB57
DTYPES = {'float32': 1, 'float64': 2, 'int32': 3, 'int64': 9}


def crc32c(data: bytes) -> int:
    """Bit by bit, as RFC 3720 defines it."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def masked(crc: int) -> bytes:
    return ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, 'little')


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(*fields: tuple[int, int | bytes], fixed: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """Fields (number, integer or bytes), then `fixed` ones of four bytes."""
    out = b''
    for number, value in fields:
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        else:
            out += varint(number << 3) + varint(value)
    return out + b''.join(varint(number << 3 | 5) + value for number, value in fixed)


def block(entries: list[tuple[bytes, bytes]], restart: int = 16) -> bytes:
    """The contents of a block."""
    out, restarts, previous = b'', [], b''
    for i, (key, value) in enumerate(entries):
        shared = 0
        if i % restart == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(previous)) and key[shared] == previous[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        previous = key
    places = restarts or [0]
    return out + b''.join(n.to_bytes(4, 'little') for n in (*places, len(places)))


def table(blocks: list[list[tuple[bytes, bytes]]], *, kind: int = 0, metaindex=(), gap: bytes = b'') -> bytes:
    """A table of these data blocks; `kind` is the compression byte, `gap` stands behind the first block."""
    out, handles = b'', []

    def add(contents: bytes) -> bytes:
        nonlocal out
        handle = varint(len(out)) + varint(len(contents))
        out += contents + bytes([kind]) + masked(crc32c(contents + bytes([kind])))
        return handle

    for i, entries in enumerate(blocks):
        handles.append((entries[-1][0], add(block(entries))))
        out += gap if i == 0 else b''
    footer = add(block(list(metaindex))) + add(block(handles, restart=1))
    return out + footer.ljust(40, b'\0') + MAGIC.to_bytes(8, 'little')


def header(shards: int = 1, *more: tuple[int, int | bytes]) -> tuple[bytes, bytes]:
    return b'', message((1, shards), (3, message((1, 1))), *more)


def entry(array: np.ndarray, at: int = 0, *, crc: int | None = None, **changes: int | bytes) -> bytes:
    """A BundleEntryProto; `changes` replace dtype, shape, shard, offset or size, or add slices."""
    raw = array.tobytes()
    shape = b''.join(message((2, message((1, n)))) for n in array.shape)
    fields = {'dtype': DTYPES[array.dtype.name], 'shape': shape, 'shard': 0, 'offset': at, 'size': len(raw)}
    numbers = {'dtype': 1, 'shape': 2, 'shard': 3, 'offset': 4, 'size': 5, 'slices': 7}
    stored = masked(crc32c(raw) if crc is None else crc)
    return message(*((numbers[k], v) for k, v in {**fields, **changes}.items()), fixed=((6, stored),))


def write(prefix: str, arrays: dict[str, np.ndarray], *, per_block: int = 1000, **options) -> pathlib.Path:
    """A bundle of one data file; returns the path of its index. `options` go to `table`."""
    entries, data = [header()], b''
    for name in sorted(arrays, key=str.encode):
        array = np.ascontiguousarray(arrays[name]).reshape(np.shape(arrays[name]))
        entries.append((name.encode(), entry(array, len(data))))
        data += array.tobytes()
    return write_raw(prefix, entries, data, per_block=per_block, **options)


def write_raw(prefix: str, entries, data: bytes, *, per_block: int = 1000, **options) -> pathlib.Path:
    index = pathlib.Path(f'{prefix}.index')
    index.write_bytes(table([entries[i : i + per_block] for i in range(0, len(entries), per_block)], **options))
    pathlib.Path(f'{prefix}.data-00000-of-00001').write_bytes(data)
    return index
