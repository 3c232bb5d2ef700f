"""Reads the constant tensors (initialisers) of an ONNX file without the package onnx.

A tensor holds its elements in the file itself or, as "external data", in another file of the same folder at an offset.
What the graph computes is not read. Origin: onnx/onnx.proto; the numbers below are those of its fields.
"""

from __future__ import annotations

import math
import os
import pathlib
from typing import NamedTuple

import numpy as np

from fdx.files import reason_of
from fdx.types import WeightsError
from fdx.weights.files import refuse_pipe
from fdx.weights.readers.protobuf import Message

# ONNX's DataType -> NumPy's type of the little-endian elements.
DTYPES = {
    1: '<f4',
    2: '<u1',
    3: '<i1',
    4: '<u2',
    5: '<i2',
    6: '<i4',
    7: '<i8',
    10: '<f2',
    11: '<f8',
    12: '<u4',
    13: '<u8',
}
MODEL_GRAPH, GRAPH_NODES, GRAPH_INITIALISERS = 7, 1, 5
DIMS, DATA_TYPE, NAME, RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 8, 9, 13, 14
ENTRY_KEY, ENTRY_VALUE = 1, 2
EXTERNAL = 1
# Fields of typed elements: number -> the data type whose elements are read from there. Texts (6) and the unsigned
# numbers of field 11 are not read, nor the 8-bit and 16-bit numbers that field 5 may hold.
TYPED = {4: 1, 5: 6, 6: None, 7: 7, 10: 11, 11: None}
MOST_AXES = 32
MOST_BYTES = 2**31  # A protocol buffer is never larger.
# Tensors may share external data, but a small file that names a large one a thousand times is not one of weights.
MOST_USES = 4
MAX_SHOWN = 80


class External(NamedTuple):
    """Place of elements: `length` bytes (None: as many as the tensor has) at `offset` of the file `location`."""

    location: str
    offset: int
    length: int | None


def read_onnx(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads every initialiser of an ONNX file.

    Args:
      path: the .onnx file; files of external data lie in its folder.

    Returns:
      Arrays by their names in the graph, in its order, in native byte order.

    Raises:
      WeightsError: a file that is missing, truncated, damaged or no ONNX file; external data outside the folder or
        beyond the end of its file; two tensors of one name; contents that fdx does not read (texts, sparse tensors,
        4-bit and bfloat16 numbers); or no initialiser at all.
    """
    path = pathlib.Path(path)
    content = _content(path)
    try:
        graph = Message(content).message(MODEL_GRAPH)
        tensors = graph.messages(GRAPH_INITIALISERS)
        if GRAPH_NODES not in graph:
            raise ValueError('it has no graph of operations')
        arrays: dict[str, np.ndarray] = {}
        others: dict[str, bytes] = {}
        for tensor in tensors:
            name = tensor.text(NAME)
            if name in arrays:
                raise ValueError(f'two tensors have the name {_shown(name)}')
            arrays[name] = _array(name, tensor, path, others)
            _check_total(arrays, len(content) + sum(map(len, others.values())))
    except WeightsError:
        raise
    except (ValueError, OverflowError) as e:  # UnicodeDecodeError is a ValueError
        raise WeightsError(f'{path}: not a whole ONNX file ({e}); it is cut off, damaged or of another kind') from e
    if not arrays:
        raise WeightsError(f'{path}: the graph has no initialisers, so there are no weights in it')
    return arrays


def _content(path: pathlib.Path) -> bytes:
    refuse_pipe(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise WeightsError(f'{path}: {size} bytes; a file of this kind has at most {MOST_BYTES}')
        return path.read_bytes()
    except OSError as e:
        raise WeightsError(f'{path}: cannot be read ({reason_of(e)})') from e


def _check_total(arrays: dict[str, np.ndarray], read: int) -> None:
    total = sum(array.nbytes for array in arrays.values())
    if total > MOST_USES * read:
        raise ValueError(f'{len(arrays)} tensors claim {total} bytes of the {read} bytes that there are')


def _shown(name: str) -> str:
    return repr(name[:MAX_SHOWN])


def _array(name: str, tensor: Message, path: pathlib.Path, others: dict[str, bytes]) -> np.ndarray:
    """The array of a tensor; `others` keeps the contents of files of external data by their name."""
    code = tensor.number(DATA_TYPE)
    if code not in DTYPES:
        known = ', '.join(np.dtype(d).name for d in DTYPES.values())
        raise WeightsError(
            f"{path}: the tensor {_shown(name)} has ONNX's data type {code}; fdx reads {known}: save it in one of them"
        )
    dtype, shape = np.dtype(DTYPES[code]), tuple(tensor.numbers(DIMS))
    if len(shape) > MOST_AXES:
        raise ValueError(f'the tensor {_shown(name)} has {len(shape)} axes')
    size = math.prod(shape) * dtype.itemsize
    raw = _elements(name, tensor, size, path, others)
    if len(raw) != size:
        raise ValueError(f'the tensor {_shown(name)} of shape {list(shape)} needs {size} bytes and has {len(raw)}')
    # A copy, because the bytes may be a small part of a large file.
    return np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder('='))


def _elements(name: str, tensor: Message, size: int, path: pathlib.Path, others: dict[str, bytes]) -> bytes:
    """The little-endian elements of a tensor: raw, external, or in the field of its type."""
    if tensor.number(DATA_LOCATION) == EXTERNAL:
        return _external_bytes(name, _external(name, tensor), size, path, others)
    if RAW_DATA in tensor:
        return tensor.data(RAW_DATA)
    for number, code in TYPED.items():
        if number not in tensor:
            continue
        if code != tensor.number(DATA_TYPE):
            raise WeightsError(
                f'{path}: the tensor {_shown(name)} holds its elements in a form that fdx does not read; save the '
                'file with raw data, as exporters do'
            )
        width = np.dtype(DTYPES[code]).itemsize
        if np.dtype(DTYPES[code]).kind == 'f':
            return tensor.fixed(number, width)
        # A negative number is a varint of 64 bits, also where 32 suffice.
        return b''.join((n % 2 ** (8 * width)).to_bytes(width, 'little') for n in tensor.numbers(number))
    return b''


def _external(name: str, tensor: Message) -> External:
    """Where the elements lie."""
    entries = {e.text(ENTRY_KEY): e.text(ENTRY_VALUE) for e in tensor.messages(EXTERNAL_DATA)}
    numbers = {}
    for key in ('offset', 'length'):
        text = entries.get(key, '0' if key == 'offset' else '')
        if text and not (text.isascii() and text.isdecimal() and len(text) <= 19):
            raise ValueError(f'the {key} of the external data of {_shown(name)} is {text[:MAX_SHOWN]!r}')
        numbers[key] = int(text) if text else None
    return External(entries.get('location', ''), numbers['offset'] or 0, numbers['length'])


def _external_bytes(name: str, place: External, size: int, path: pathlib.Path, others: dict[str, bytes]) -> bytes:
    location = place.location
    plain = location and location not in ('.', '..') and not set(location) & set('/\\:\0')
    other = path.with_name(location) if plain else path
    # A link could lead anywhere; the file of an export is a plain one.
    if not plain or other.is_symlink():
        raise WeightsError(
            f'{path}: the elements of {_shown(name)} lie in {location[:MAX_SHOWN]!r}; fdx reads plain files of the '
            'same folder only'
        )
    if place.length not in (None, size):
        raise ValueError(f'the tensor {_shown(name)} needs {size} bytes and its external data have {place.length}')
    if location not in others:
        others[location] = _content(other)
    end = place.offset + size
    if end > len(others[location]):
        raise WeightsError(
            f'{other}: the tensor {_shown(name)} of {path.name} ends at byte {end}, the file at '
            f'{len(others[location])}; it is cut off or belongs to another file, fetch both again'
        )
    return others[location][place.offset : end]
