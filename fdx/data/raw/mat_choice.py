"""Which variable of a MATLAB or HDF5 file is the signal."""

from __future__ import annotations

import pathlib
import re

import numpy as np

from fdx.data.raw.time import is_time_name, is_weak_time_name
from fdx.types import DataError

MIN_SIGNAL_SAMPLES = 1000
MAX_MATRIX_CHANNELS = 32


def signal_name(path: pathlib.Path, arrays: dict[str, np.ndarray], variable: str | None) -> str:
    """The name of the signal.

    Args:
      path: the file, for messages, and for the number of CWRU's files.
      arrays: every array of numbers by its full name; only their shapes and types are looked at.
      variable: the name that the user gives, or None: see fdx.data.raw.mat.open_mat.

    Raises:
      DataError: there is no such variable, none that looks like a signal, or several.
    """
    if variable is not None:
        if variable not in arrays:
            raise DataError(
                f'{path} has no numeric variable {variable!r}; pass `variable` with one of: {_table(arrays)}'
            )
        return variable
    candidates = {name: array for name, array in arrays.items() if _is_vector(array)}
    if all(map(_is_time, candidates)):  # the times of a matrix
        candidates = {name: array for name, array in arrays.items() if _is_matrix(array)} or candidates
    if not candidates:
        candidates = {name: array for name, array in arrays.items() if _is_matrix(array)}
    if not candidates:
        raise DataError(
            f'{path} holds no signal (a numeric variable of {MIN_SIGNAL_SAMPLES} samples or more); '
            f'found: {_table(arrays)}; export the signal, or name a shorter one with `variable`'
        )
    candidates = {name: array for name, array in candidates.items() if not _is_time(name)} or candidates
    if len(candidates) == 1:  # of a matrix and a vector as long as it, one is the signal and one perhaps a speed
        length = max(next(iter(candidates.values())).shape)
        candidates |= {
            n: a for n, a in arrays.items() if _is_matrix(a) and not _is_vector(a) and max(a.shape) == length
        }
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


def x_number(name: str) -> str | None:
    """'X097_DE_time' -> '097': the number in CWRU's names, with its zeros."""
    match = re.fullmatch(r'X(\d+)_\w+', name)
    return match and match.group(1)


def _is_own_number(path: pathlib.Path, name: str) -> bool:
    number, own = x_number(name), re.match(r'X?(\d+)', path.stem)
    return number is not None and own is not None and int(number) == int(own.group(1))


def _is_time(name: str) -> bool:
    """Whether a variable holds times by its name ('time', 'run_1/time_s'); t alone may be anything."""
    last = re.split('[./]', name)[-1]
    return is_time_name(last) and not is_weak_time_name(last)


def _table(arrays: dict[str, np.ndarray]) -> str:
    shown = [f'{name} {"x".join(map(str, array.shape))}' for name, array in list(arrays.items())[:30]]
    more = [f'and {len(arrays) - 30} more'] if len(arrays) > 30 else []
    return ', '.join(shown + more) or 'nothing numeric'
