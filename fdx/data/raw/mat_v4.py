"""MATLAB files of version 4 (Octave's save -v4, SciPy's format='4'): matrices one after the other, without structs.

Each is five int32 (type, rows, columns, whether complex, length of the name), the name and the numbers by columns. The
type is a decimal number MOPT: M the byte order, O 0, P the type of the numbers, T 0 for numbers, 1 for text, 2 sparse.

Source: The MathWorks, MAT-File Format (R2017b), chapter 2.
"""

from __future__ import annotations

import struct

import numpy as np

from fdx.data.raw.mat_values import Budget, MatArray, MatDamageError, MatValue, plain_name

_HEADER = 20
_NUMBERS = ('f8', 'f4', 'i4', 'i2', 'u2', 'u1')


def is_v4(data: bytes) -> bool:
    """Whether a file is of version 4: later ones begin with text, so without a zero in the first four bytes."""
    return len(data) >= _HEADER and 0 in data[:4]


def read_v4(data: bytes, budget: Budget) -> dict[str, MatValue]:
    """The variables of a file by name; see `fdx.data.raw.mat_v5.read_v5`."""
    variables: dict[str, MatValue] = {}
    at = 0
    while at < len(data):
        budget.element(0)
        if at + _HEADER > len(data):
            raise MatDamageError(f'it ends at byte {len(data)}, within a header')
        order = '<' if 0 <= struct.unpack_from('<i', data, at)[0] < 5000 else '>'
        kind, rows, columns, is_complex, length = struct.unpack_from(f'{order}5i', data, at)
        machine, zero, number, text = (kind // 10**i % 10 for i in (3, 2, 1, 0))
        if not (0 <= kind < 2000 and machine == (order == '>') and zero == 0 and number < len(_NUMBERS) and text < 3):
            raise MatDamageError(f'at byte {at} a variable has the unknown type {kind}')
        if rows < 0 or columns < 0 or is_complex not in (0, 1) or not 0 < length <= 4096:
            raise MatDamageError(f'at byte {at} a header is damaged')
        dtype = np.dtype(order + _NUMBERS[number])
        count, start = rows * columns, at + _HEADER + length
        end = start + count * dtype.itemsize * (1 + is_complex)
        if end > len(data):
            raise MatDamageError(
                f'a variable of {rows}x{columns} needs {end - start} bytes, {len(data) - start} are there'
            )
        name = plain_name(data[at + _HEADER : start])
        parts = np.frombuffer(data, dtype, count * (1 + is_complex), start)
        values = parts[:count] + 1j * parts[count:] if is_complex else parts
        values = values.reshape((rows, columns), order='F')
        if text == 0:
            variables[name] = MatArray(values, is_integer=dtype.kind in 'iu')
        else:
            variables[name] = _text(values) if text == 1 else None
        at = end
    return variables


def _text(values: np.ndarray) -> str:
    with np.errstate(invalid='ignore'):
        codes = values[:1, :4096].astype(np.int64).ravel()
    return ''.join(chr(code) for code in codes if 0 < code < 0x110000)
