"""Writes ONNX files byte by byte, without the package onnx."""

from __future__ import annotations

import numpy as np

CODES = {'float32': 1, 'uint8': 2, 'int8': 3, 'uint16': 4, 'int16': 5, 'int32': 6, 'int64': 7}
CODES |= {'float16': 10, 'float64': 11, 'uint32': 12, 'uint64': 13}


def varint(value: int) -> bytes:
    """A negative number has 64 bits."""
    value, out = value % 2**64, bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """Fields (number, integer or bytes)."""
    out = b''
    for number, value in fields:
        payload = varint(len(value)) + value if isinstance(value, bytes) else varint(value)
        out += varint(number << 3 | (2 if isinstance(value, bytes) else 0)) + payload
    return out


def tensor(name: str, dims: tuple[int, ...], code: int, *fields: tuple[int, int | bytes]) -> bytes:
    """A TensorProto with the fields that hold its elements."""
    return message(*((1, d) for d in dims), (2, code), (8, name.encode()), *fields)


def raw(name: str, array: np.ndarray) -> bytes:
    """A tensor with its elements inside."""
    return tensor(name, array.shape, CODES[array.dtype.name], (9, array.tobytes()))


def external(name: str, dims: tuple[int, ...], code: int = 1, **entries: str) -> bytes:
    """A tensor whose elements lie in another file; entries are location, offset and length."""
    pairs = ((13, message((1, key.encode()), (2, value.encode()))) for key, value in entries.items())
    return tensor(name, dims, code, *pairs, (14, 1))


def model(*tensors: bytes) -> bytes:
    """A ModelProto whose graph has one node."""
    return message((1, 11), (7, message((1, message((4, b'Relu'))), (2, b'graph'), *((5, t) for t in tensors))))
