"""MATLAB files: which of their variables is the signal, and what the others say about it."""

from __future__ import annotations

import pathlib
import re
import struct
import zlib

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from fdx.data.raw_signal import RawSignal, time_by_channel
from fdx.types import UNKNOWN, DataError

MIN_SIGNAL_SAMPLES = 1000
MAX_MATRIX_CHANNELS = 32
_HDF5_MAGIC = b'\x89HDF\r\n\x1a\n'
_READ_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OSError,
    MemoryError,
    OverflowError,
    zlib.error,
    struct.error,
    MatReadError,
)


def read_mat(path: pathlib.Path, variable: str | None) -> RawSignal:
    """Reads the signal of a MATLAB file of version 4 to 7.2.

    The signal is `variable` by its exact name (a field of a struct as 'bearing.gs', an element of a struct array or
    cell as 'Y(7).Data'), else the only variable that looks like one: real, one column or row, 1,000 samples or more.
    Among several, CWRU's 'X097_DE_time' is taken from a file 97.mat: its number must be the file's own, because some
    CWRU files also hold the signals of others. Fields of MFPT's struct (gs, sr, rate, load) are read by name, because
    their order differs between its files.

    Args:
      path: the file.
      variable: name of the signal, or None to find it.

    Returns:
      The signal; its rate where a struct states it, the shaft speed from CWRU's 'X097RPM' or MFPT's `rate` (Hz).

    Raises:
      DataError: the file cannot be read, is of version 7.3, or does not settle which variable is the signal.
    """
    content = _load(path)
    arrays = dict(_numeric_leaves('', content))
    name = _signal_name(path, arrays, variable)
    rate_hz, speed_rpm, load = _struct_facts(name, arrays, content)
    number = _x_number(name)
    if number is not None:
        speed_rpm = _scalar(arrays.get(f'X{number}RPM'))
    return RawSignal(
        samples=time_by_channel(arrays[name], path, f'variable {name}'),
        file_rate_hz=rate_hz,
        rate_origin=f'{_parent(name)}.sr' if rate_hz is not None else '',
        speed_rpm=speed_rpm,
        load=load,
    )


def _load(path: pathlib.Path) -> dict:
    with path.open('rb') as file:
        head = file.read(520)
    if head.startswith((b'MATLAB 7.3', _HDF5_MAGIC)) or head[512:].startswith(_HDF5_MAGIC):
        raise DataError(
            f'{path} is a MATLAB 7.3 (HDF5) file, which is not read; open it in MATLAB and save it again '
            "with save('-v7', ...) (Octave: save -v7)"
        )
    try:
        content = scipy.io.loadmat(path)
    except _READ_ERRORS as e:
        raise DataError(
            f'{path} cannot be read as a MATLAB file ({type(e).__name__}: {e}); it is damaged, cut off or of another '
            'kind: fetch it again, or save it again with save -v7'
        ) from e
    return {name: value for name, value in content.items() if not name.startswith('__')}


def _numeric_leaves(name: str, value):
    """Yields (dotted name, array) of every numeric array inside nested structs and cells."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numeric_leaves(key, item)
    elif not isinstance(value, np.ndarray):
        return
    elif value.dtype.names or value.dtype == object:
        # MATLAB counts elements from 1, along columns.
        for i, element in enumerate(value.ravel(order='F'), 1):
            path = name if value.size == 1 else f'{name}({i})'
            if value.dtype.names:
                for field in value.dtype.names:
                    yield from _numeric_leaves(f'{path}.{field}', element[field])
            else:
                yield from _numeric_leaves(path, element)
    elif value.dtype.kind in 'iufcb':
        yield name, value


def _signal_name(path: pathlib.Path, arrays: dict[str, np.ndarray], variable: str | None) -> str:
    if variable is not None:
        if variable not in arrays:
            raise DataError(
                f'{path} has no numeric variable {variable!r}; pass --variable with one of: {_table(arrays)}'
            )
        return variable
    candidates = {name: array for name, array in arrays.items() if _is_vector(array)}
    if not candidates:
        candidates = {name: array for name, array in arrays.items() if _is_matrix(array)}
    if not candidates:
        raise DataError(
            f'{path} holds no signal (a numeric variable of {MIN_SIGNAL_SAMPLES} samples or more); '
            f'found: {_table(arrays)}; export the signal, or name a shorter one with --variable'
        )
    own = [name for name in candidates if name.endswith('_DE_time') and _is_own_number(path, name)]
    for found in (list(candidates), own):
        if len(found) == 1:
            return found[0]
    raise DataError(
        f'{path} holds {len(candidates)} variables that could be the signal; '
        f'pass --variable with one of: {_table(candidates)}'
    )


def _is_vector(array: np.ndarray) -> bool:
    return array.dtype.kind != 'b' and array.size >= MIN_SIGNAL_SAMPLES and max(array.shape) == array.size


def _is_matrix(array: np.ndarray) -> bool:
    if array.ndim != 2 or array.dtype.kind == 'b':
        return False
    return max(array.shape) >= MIN_SIGNAL_SAMPLES and min(array.shape) <= MAX_MATRIX_CHANNELS


def _x_number(name: str) -> str | None:
    """'X097_DE_time' -> '097': the number in CWRU's names, with its zeros."""
    match = re.fullmatch(r'X(\d+)_\w+', name)
    return match and match.group(1)


def _is_own_number(path: pathlib.Path, name: str) -> bool:
    number, own = _x_number(name), re.match(r'X?(\d+)', path.stem)
    return number is not None and own is not None and int(number) == int(own.group(1))


def _parent(name: str) -> str:
    return name.rpartition('.')[0]


def _struct_facts(
    name: str, arrays: dict[str, np.ndarray], content: dict[str, np.ndarray]
) -> tuple[float | None, float, float]:
    """(rate_hz, speed_rpm, load) from the fields beside the signal; without `sr`, `rate` could mean either rate."""
    parent = _parent(name)
    if not parent or f'{parent}.sr' not in arrays:
        return None, UNKNOWN, UNKNOWN
    speed_rpm = 60.0 * _scalar(arrays.get(f'{parent}.rate'))
    load = _scalar(arrays.get(f'{parent}.load'))
    struct_array = content.get(parent)
    if np.isnan(load) and struct_array is not None and 'load' in struct_array.dtype.names:
        load = _number_in_text(struct_array.flat[0]['load'])  # MFPT writes its loads as text
    return _scalar(arrays[f'{parent}.sr']), speed_rpm, load


def _scalar(array: np.ndarray | None) -> float:
    if array is None or array.size != 1 or np.iscomplexobj(array):
        return UNKNOWN
    return float(array.item())


def _number_in_text(value: np.ndarray) -> float:
    try:
        return float(str(value.item()).strip())
    except ValueError:
        return UNKNOWN


def _table(arrays: dict[str, np.ndarray]) -> str:
    shown = [f'{name} {"x".join(map(str, array.shape))}' for name, array in list(arrays.items())[:30]]
    more = [f'and {len(arrays) - 30} more'] if len(arrays) > 30 else []
    return ', '.join(shown + more) or 'nothing numeric'
