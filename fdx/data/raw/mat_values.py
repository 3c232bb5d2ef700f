"""What a MATLAB file holds, as far as a signal can be in it, and the limits that a file must keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

# A real recording shrinks tenfold at most in a compressed file; a bomb of zeros shrinks a thousandfold.
FREE_BYTES = 256 * 2**20
BYTES_PER_COMPRESSED_BYTE = 64
MAX_ELEMENTS = 200_000
MAX_DEPTH = 64


class MatDamageError(ValueError):
    """The content contradicts itself; the message says where."""


@dataclasses.dataclass(frozen=True)
class MatArray:
    """Numbers.

    Attributes:
      values: with MATLAB's shape, of two axes or more; in the type and byte order of the file.
      is_integer: whether it is an array of integers to MATLAB, which stores whole doubles in small integers, too.
      is_logical: whether it is one of true and false.
    """

    values: np.ndarray
    is_integer: bool
    is_logical: bool = False


@dataclasses.dataclass(frozen=True)
class MatStruct:
    """A struct or array of structs: for each field the values of all elements, in column order."""

    size: int
    fields: dict[str, list[MatValue]]


@dataclasses.dataclass(frozen=True)
class MatCell:
    """A cell array: its elements in column order."""

    elements: list[MatValue]


MatValue = MatArray | MatStruct | MatCell | str | None  # None: sparse matrices, functions, objects of classes


class Budget:
    """Limits of what one file may cost. Everything that grows faster than the file is counted here.

    Args:
      file_bytes: length of the file.
    """

    def __init__(self, file_bytes: int):
        self._elements = MAX_ELEMENTS
        self._total = self._bytes = FREE_BYTES + BYTES_PER_COMPRESSED_BYTE * file_bytes

    def element(self, depth: int) -> None:
        """Counts one array; raises MatDamageError where there are too many, or they are nested too deeply."""
        self._elements -= 1
        if self._elements < 0:
            raise MatDamageError(f'it holds more than {MAX_ELEMENTS} arrays; save the signal alone')
        if depth > MAX_DEPTH:
            raise MatDamageError(f'its structs and cells lie more than {MAX_DEPTH} deep in each other')

    def unpacked(self, num_bytes: int) -> None:
        """Counts bytes before they are unpacked; raises MatDamageError where a file can hardly mean as many."""
        self._bytes -= num_bytes
        if self._bytes < 0:
            raise MatDamageError(
                f'it unpacks to more than {self._total / 2**20:.0f} MiB; if that is right, save it without '
                'compression (save -v6)'
            )


def plain_name(raw: bytes) -> str:
    """A name out of a file, up to its first zero; control characters of a damaged one become '?'."""
    name = raw.split(b'\0')[0].decode('utf-8', 'replace')
    return ''.join(char if char.isprintable() else '?' for char in name)


def leaves(name: str, value: MatValue) -> Iterator[tuple[str, MatArray | str]]:
    """Yields (name, value) of every array of numbers and every text: 'x', 'bearing.gs', 'Y(2).Data'.

    MATLAB counts elements from 1, along columns; the only element of a struct or cell has no number.
    """
    if isinstance(value, (MatArray, str)):
        yield name, value
    elif isinstance(value, MatCell):
        for i, element in enumerate(value.elements, 1):
            yield from leaves(name if len(value.elements) == 1 else f'{name}({i})', element)
    elif isinstance(value, MatStruct):
        for i in range(value.size if value.fields else 0):
            path = name if value.size == 1 else f'{name}({i + 1})'
            for field, values in value.fields.items():
                yield from leaves(f'{path}.{field}', values[i])
