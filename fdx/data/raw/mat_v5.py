"""MATLAB files of version 5 to 7.2, read with every tag checked against the bytes that are there.

scipy.io.loadmat 1.17.1 takes a damaged tag for a pointer, and the process dies: no except clause helps. Checking all
that it relies on means reading the file; what remains are numbers, which are arrays as they lie there.

A file is a header of 128 bytes and elements: a tag (type and size, uint32 each; small data share the 8 bytes) and the
content, padded to 8 bytes. A variable is an element miMATRIX of elements: flags, dimensions, name, and what its class
has; or miCOMPRESSED, which is zlib around a miMATRIX.

Source: The MathWorks, MAT-File Format (R2017b), chapter 1.
"""

from __future__ import annotations

import dataclasses
import math
import struct
import zlib

import numpy as np

from fdx.data.raw.mat_values import Budget, MatArray, MatCell, MatDamageError, MatStruct, MatValue, plain_name

HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8', 13: 'u8'}
_TEXT = {1: 'utf-8', 2: 'utf-8', 4: 'utf-16', 16: 'utf-8', 17: 'utf-16', 18: 'utf-32'}
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FIRST_NUMBER, _FIRST_INTEGER, _LAST_NUMBER = 1, 2, 3, 4, 5, 6, 8, 15
_COMPLEX, _LOGICAL = 0x0800, 0x0200
MAX_AXES = 32
MAX_TEXT_BYTES = 2**16
_BLOCK_BYTES = 2**20


@dataclasses.dataclass
class _Elements:
    """Reads elements one after the other out of `data[at:end]`."""

    data: memoryview
    at: int
    end: int
    order: str

    def next(self, what: str, pad: bool = True) -> tuple[int, memoryview]:
        """(type, content) of the next element."""
        if self.at + 8 > self.end:
            raise MatDamageError(f'it ends at byte {self.end}, before {what}')
        kind, size = struct.unpack_from(f'{self.order}II', self.data, self.at)
        start = self.at + 8
        if kind >> 16:  # small data: the size in the upper half, the content in the second word
            kind, size, start = kind & 0xFFFF, kind >> 16, self.at + 4
            if size > 4:
                raise MatDamageError(f'at byte {self.at} the tag of {what} claims {size} bytes in 4')
            self.at += 8
        else:
            self.at = start + (size + 7) // 8 * 8 if pad else start + size
        if start + size > self.end:
            raise MatDamageError(f'{what} at byte {start} claims {size} bytes, {self.end - start} are there')
        return kind, self.data[start : start + size]

    def numbers(self, what: str) -> np.ndarray:
        """The next element, as numbers."""
        kind, content = self.next(what)
        if kind not in _NUMBERS:
            raise MatDamageError(f'{what} has the unknown type {kind}')
        dtype = np.dtype(self.order + _NUMBERS[kind])
        if len(content) % dtype.itemsize:
            raise MatDamageError(f'{what} has {len(content)} bytes, which is not a whole number of {dtype}')
        return np.frombuffer(content, dtype)

    def text(self, what: str) -> str:
        """The next element, as text; '' where it is too long to be a fact."""
        kind, content = self.next(what)
        if kind not in _TEXT:
            raise MatDamageError(f'{what} has the unknown type {kind}')
        codec = _TEXT[kind] + ('' if _TEXT[kind] == 'utf-8' else '-le' if self.order == '<' else '-be')
        return bytes(content).decode(codec, 'replace') if len(content) <= MAX_TEXT_BYTES else ''


def read_v5(data: bytes, budget: Budget) -> dict[str, MatValue]:
    """The variables of a file by name.

    Args:
      data: the whole file.
      budget: of the file.

    Raises:
      MatDamageError: the file is of another kind, cut off, or contradicts itself.
    """
    mark = data[126:128]
    if len(data) < HEADER_BYTES or mark not in (b'IM', b'MI'):
        raise MatDamageError(f'it has no header of a MATLAB file (bytes 126 to 128 are {mark!r})')
    order = '<' if mark == b'IM' else '>'
    elements, variables = _Elements(memoryview(data), HEADER_BYTES, len(data), order), {}
    while elements.at < len(data):
        if not any(data[elements.at : elements.at + 8]) and not data[elements.at :].strip(b'\0'):
            break  # zeros up to the end are filling
        kind, content = elements.next('a variable', pad=False)
        if kind == _COMPRESSED:
            content = _unpack(content, order, budget)
            kind, content = _Elements(content, 0, len(content), order).next('a compressed variable')
        if kind != _MATRIX:
            raise MatDamageError(f'a variable has the type {kind}, not {_MATRIX} or {_COMPRESSED}')
        name, value = _matrix(content, order, budget, 0)
        if name:  # without one: MATLAB's own notes on functions and objects
            variables[name] = value
    return variables


def _unpack(content: memoryview, order: str, budget: Budget) -> memoryview:
    """The one element inside zlib; its tag says how long it is, so that no more is unpacked than that."""
    unpacker, out, at, most = zlib.decompressobj(), bytearray(), 0, 8
    pending: bytes | memoryview = b''
    try:
        while not unpacker.eof:
            if not pending:
                pending, at = content[at : at + _BLOCK_BYTES], at + _BLOCK_BYTES
            had = bool(pending)
            piece = unpacker.decompress(pending, min(most + 1 - len(out), _BLOCK_BYTES))
            out += piece
            pending = unpacker.unconsumed_tail
            if not piece and not had:
                raise MatDamageError('its compressed data have no end')
            if most == 8 and len(out) >= 8:
                kind, size = struct.unpack_from(f'{order}II', out)
                most = 16 if kind >> 16 else 8 + (size + 7) // 8 * 8
                budget.unpacked(most)
            if len(out) > most:
                raise MatDamageError(f'its compressed data are longer than the {most} bytes that they claim')
    except zlib.error as e:
        raise MatDamageError(f'its compressed data are damaged: {e}') from e
    return memoryview(out)  # at the end of the stream its checksum has been verified


def _matrix(content: memoryview, order: str, budget: Budget, depth: int) -> tuple[str, MatValue]:
    """(name, value) of the content of one miMATRIX."""
    budget.element(depth)
    if not content:
        return '', MatArray(np.zeros((0, 0)), is_integer=False)
    elements = _Elements(content, 0, len(content), order)
    words = elements.numbers('the flags of a variable')
    if words.size < 1 or words.dtype.itemsize != 4:
        raise MatDamageError('the flags of a variable are damaged')
    mx_class, flags = int(words[0]) & 0xFF, int(words[0])
    if mx_class > _LAST_NUMBER:  # functions and objects have no dimensions
        return _name(elements) if mx_class == 16 else '', None
    shape = tuple(int(n) for n in elements.numbers('dimensions')[: MAX_AXES + 1])
    if not 2 <= len(shape) <= MAX_AXES or min(shape) < 0:
        raise MatDamageError(f'a variable has the dimensions {shape}')
    name = _name(elements)
    if mx_class == _SPARSE:
        return name, None
    if mx_class == _CHAR:
        return name, elements.text(f'text {name}')
    if mx_class == _CELL:
        return name, MatCell(_children(elements, math.prod(shape), name, budget, depth))
    if mx_class in (_STRUCT, _OBJECT):
        if mx_class == _OBJECT:
            elements.text('the name of a class')
        return name, _struct(elements, math.prod(shape), name, budget, depth)
    if mx_class < _FIRST_NUMBER:
        raise MatDamageError(f'variable {name} has the unknown class {mx_class}')
    values = _shaped(elements.numbers(f'variable {name}'), shape, name)
    if flags & _COMPLEX:
        values = values + 1j * _shaped(elements.numbers(f'the imaginary part of {name}'), shape, name)
    return name, MatArray(values, mx_class >= _FIRST_INTEGER, bool(flags & _LOGICAL))


def _name(elements: _Elements) -> str:
    return plain_name(elements.text('the name of a variable').encode())


def _shaped(values: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    if math.prod(shape) != values.size:
        raise MatDamageError(
            f'variable {name} has the dimensions {"x".join(map(str, shape))}, but {values.size} numbers'
        )
    return values.reshape(shape, order='F')


def _struct(elements: _Elements, size: int, name: str, budget: Budget, depth: int) -> MatStruct:
    length = elements.numbers(f'the fields of {name}')
    _, text = elements.next(f'the names of the fields of {name}')
    if length.size != 1 or not 0 < int(length[0]) <= 1024 or len(text) % int(length[0]):
        raise MatDamageError(f'the names of the fields of {name} are damaged')
    step = int(length[0])
    names = [plain_name(bytes(text[i : i + step])) for i in range(0, len(text), step)]
    values = _children(elements, size * len(names), name, budget, depth)
    return MatStruct(size, {field: values[i :: len(names)] for i, field in enumerate(names)})


def _children(elements: _Elements, count: int, name: str, budget: Budget, depth: int) -> list[MatValue]:
    if 8 * count > elements.end - elements.at:  # before a list as long as a damaged dimension is made
        raise MatDamageError(f'{name} claims {count} elements, {elements.end - elements.at} bytes are there')
    children = []
    for _ in range(count):
        kind, content = elements.next(f'an element of {name}')
        if kind != _MATRIX:
            raise MatDamageError(f'an element of {name} has the type {kind}, not {_MATRIX}')
        children.append(_matrix(content, elements.order, budget, depth + 1)[1])
    return children
