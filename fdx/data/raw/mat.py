"""MATLAB files: which of their variables is the signal, and what the others say about it."""

from __future__ import annotations

import dataclasses
import pathlib
import re

import numpy as np

from fdx.data.raw.mat_facts import MatFacts, facts_beside, is_speed, number
from fdx.data.raw.mat_v4 import is_v4, read_v4
from fdx.data.raw.mat_v5 import read_v5
from fdx.data.raw.mat_values import Budget, MatArray, MatDamageError, leaves
from fdx.data.raw.signal import RawSignal, time_by_channel
from fdx.types import UNKNOWN, DataError

MIN_SIGNAL_SAMPLES = 1000
MAX_MATRIX_CHANNELS = 32
_HDF5_MAGIC = b'\x89HDF\r\n\x1a\n'


def read_mat(path: pathlib.Path, variable: str | None, *, need_rate: bool = False) -> RawSignal:
    """Reads the signal of a MATLAB file of version 4 to 7.2.

    The signal is `variable` by its exact name (a field of a struct as 'bearing.gs', an element of a struct array or
    cell as 'Y(7).Data'), else the only variable that looks like one: real, one column or row, 1,000 samples or more.
    Among several, CWRU's 'X097_DE_time' is taken from a file 97.mat: its number must be the file's own, because some
    CWRU files also hold the signals of others. Facts are read by name (see fdx.data.raw.mat_facts): MFPT's struct (gs,
    sr, rate, load) has another order of fields in every file.

    Args:
      path: the file.
      variable: name of the signal, or None to find it.
      need_rate: whether the file alone must tell the sampling rate, so that a doubtful one is an error.

    Returns:
      The signal; its rate where a scalar beside it states one (Fs, sr, SamplingRate, ...); the shaft speed from CWRU's
      'X097RPM', a scalar `rpm` or MFPT's `rate` (Hz); unit 'counts' where MATLAB knows it as integers.

    Raises:
      DataError: the file cannot be read, is of version 7.3, or does not settle which variable is the signal.
    """
    values = _load(path)
    numeric = {name: value for name, value in values.items() if isinstance(value, MatArray)}
    arrays = {name: value.values for name, value in numeric.items()}
    name = _signal_name(path, arrays, variable)
    facts = _cwru_speed(name, values, facts_beside(path, name, values, need_rate=need_rate))
    return RawSignal(
        samples=time_by_channel(arrays[name], path, f'variable {name}'),
        file_rate_hz=facts.rate_hz,
        rate_origin=facts.rate_origin,
        speed_rpm=facts.speed_rpm,
        load=facts.load,
        unit='counts' if numeric[name].is_integer else '',
        notes=facts.notes,
    )


def _load(path: pathlib.Path) -> dict[str, MatArray | str]:
    """Every array and text of the file by its full name."""
    data = path.read_bytes()
    if data.startswith((b'MATLAB 7.3', _HDF5_MAGIC)) or data[512:520] == _HDF5_MAGIC:
        raise DataError(
            f'{path} is a MATLAB 7.3 (HDF5) file, which is not read; open it in MATLAB and save it again '
            "with save('-v7', ...) (Octave: save -v7)"
        )
    try:
        variables = (read_v4 if is_v4(data) else read_v5)(data, Budget(len(data)))
    except MatDamageError as e:
        raise DataError(
            f'{path} cannot be read as a MATLAB file: {e}; it is damaged, cut off or of another kind: fetch it again, '
            'or save it again with save -v7'
        ) from e
    return dict(leaf for name, value in variables.items() for leaf in leaves(name, value))


def _signal_name(path: pathlib.Path, arrays: dict[str, np.ndarray], variable: str | None) -> str:
    if variable is not None:
        if variable not in arrays:
            raise DataError(
                f'{path} has no numeric variable {variable!r}; pass `variable` with one of: {_table(arrays)}'
            )
        return variable
    candidates = {name: array for name, array in arrays.items() if _is_vector(array)}
    if not candidates:
        candidates = {name: array for name, array in arrays.items() if _is_matrix(array)}
    if not candidates:
        raise DataError(
            f'{path} holds no signal (a numeric variable of {MIN_SIGNAL_SAMPLES} samples or more); '
            f'found: {_table(arrays)}; export the signal, or name a shorter one with `variable`'
        )
    own = [name for name in candidates if name.endswith('_DE_time') and _is_own_number(path, name)]
    for found in (list(candidates), own):
        if len(found) == 1:
            return found[0]
    raise DataError(
        f'{path} holds {len(candidates)} variables that could be the signal; '
        f'pass `variable` with one of: {_table(candidates)}'
    )


def _is_vector(array: np.ndarray) -> bool:
    return array.size >= MIN_SIGNAL_SAMPLES and max(array.shape) == array.size


def _is_matrix(array: np.ndarray) -> bool:
    if array.ndim != 2:
        return False
    return max(array.shape) >= MIN_SIGNAL_SAMPLES and min(array.shape) <= MAX_MATRIX_CHANNELS


def _x_number(name: str) -> str | None:
    """'X097_DE_time' -> '097': the number in CWRU's names, with its zeros."""
    match = re.fullmatch(r'X(\d+)_\w+', name)
    return match and match.group(1)


def _is_own_number(path: pathlib.Path, name: str) -> bool:
    number, own = _x_number(name), re.match(r'X?(\d+)', path.stem)
    return number is not None and own is not None and int(number) == int(own.group(1))


def _cwru_speed(name: str, values: dict[str, MatArray | str], facts: MatFacts) -> MatFacts:
    """CWRU numbers the speed as it does the signal; another number's is another recording's."""
    found = _x_number(name)
    if found is None:
        return facts
    speed_rpm = number(values.get(f'X{found}RPM'))
    return dataclasses.replace(facts, speed_rpm=speed_rpm if is_speed(speed_rpm) else UNKNOWN)


def _table(arrays: dict[str, np.ndarray]) -> str:
    shown = [f'{name} {"x".join(map(str, array.shape))}' for name, array in list(arrays.items())[:30]]
    more = [f'and {len(arrays) - 30} more'] if len(arrays) > 30 else []
    return ', '.join(shown + more) or 'nothing numeric'
