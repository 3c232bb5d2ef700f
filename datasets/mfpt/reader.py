"""Reads an MFPT file: turns a .mat file with a struct `bearing` into a Recording with true rate, speed and load."""

from __future__ import annotations

import math
import os
import pathlib
import re
from typing import Any

import numpy as np

from fdx.data.published_files import refuse_other_than_mat_v5
from fdx.data.raw.mat_v5 import read_v5
from fdx.data.raw.mat_values import Budget, MatArray, MatCell, MatDamageError, MatStruct, MatValue
from fdx.signal.bearings import BEARINGS
from fdx.types import DataError, Recording

from .files import ARCHIVE_URL, GEOMETRY, MIRROR_URL, SHAFT_HZ, MfptFile

STRUCT, SIGNAL, RATE, LOAD, SHAFT = 'bearing', 'gs', 'sr', 'load', 'rate'
# `sr` is a rounded number of Hz. A rate that differs from the table's would break the config's common band (law 3).
RATE_TOLERANCE_HZ = 1.0
# A file that lost its end can still be read, but a recording that is only a few samples short is complete.
DURATION_TOLERANCE = 0.01


def read_file(path: str | os.PathLike, file: MfptFile) -> Recording:
    """Reads one file.

    The fields of the struct are read by their names, because their order differs between files: the second field is the
    signal in some files, and the rate or the load in others.

    Args:
      path: the .mat file (MATLAB 5 format).
      file: its row in the table.

    Returns:
      The recording: samples float32 [T, 1] in g, with the sensor's offset of about -0.2 g, at `file.rate_hz`; the speed
      in rpm is 60 times the file's `rate`, or the nominal 1500 if it states none; the load is in lbs.

    Raises:
      DataError: the file is not a MATLAB file or damaged, the struct or a field is missing, rate, load or duration
        differ from the table's, or values are not finite numbers.
    """
    path = pathlib.Path(path)
    try:
        samples, speed_rpm = load(path, file)
    except DataError as error:
        raise DataError(
            f'{path}: {error}. Replace it by a fresh copy of {file.name} from {ARCHIVE_URL} or {MIRROR_URL}'
        ) from error
    return Recording(
        samples=samples,
        sample_rate_hz=float(file.rate_hz),
        recording=file.recording,
        label=file.fault,
        fault_type=file.fault,
        bearing=file.bearing,
        domain=file.domain,
        speed_rpm=speed_rpm,
        load=float(file.load_lbs),
        source=path.name,
        geometry=BEARINGS[GEOMETRY],
    )


def load(path: pathlib.Path, file: MfptFile) -> tuple[np.ndarray, float]:
    """Reads (samples float32 [T, 1], speed in rpm); raises what `read_file` does, without the name of the file."""
    refuse_other_than_mat_v5(path)
    fields = _fields(path)
    rate_hz = _number(fields[RATE])
    if not abs(rate_hz - file.rate_hz) <= RATE_TOLERANCE_HZ:
        raise DataError(f'{STRUCT}.{RATE} is {_shown(fields[RATE])}, and it was taken at {file.rate_hz} Hz')
    load_lbs = _number(fields[LOAD]) if LOAD in fields else math.nan
    # If the load cannot be read, the table's is used; if it contradicts the table, this is another recording.
    if math.isfinite(load_lbs) and load_lbs != file.load_lbs:
        raise DataError(f'{STRUCT}.{LOAD} is {load_lbs:g}, and {file.stem} was taken at {file.load_lbs} lbs')
    shaft_hz = _number(fields[SHAFT]) if SHAFT in fields else math.nan
    if not (math.isfinite(shaft_hz) and shaft_hz > 0):
        shaft_hz = SHAFT_HZ
    return _samples(fields[SIGNAL], file), 60.0 * shaft_hz


def _samples(signal: Any, file: MfptFile) -> np.ndarray:
    signal, name = np.asarray(signal), f'{STRUCT}.{SIGNAL}'
    if signal.dtype.kind not in 'fiu':
        raise DataError(f'{name} holds {signal.dtype}, not real numbers')
    if signal.size != max(signal.shape, default=0):
        raise DataError(f'{name} has shape {signal.shape}, not that of one column or row')
    if abs(signal.size - file.length) > DURATION_TOLERANCE * file.length:
        raise DataError(
            f'{name} has {signal.size} samples, {signal.size / file.rate_hz:.2f} s at {file.rate_hz} Hz, and '
            f'{file.duration_s:g} s were recorded'
        )
    bad = np.flatnonzero(~np.isfinite(signal))
    if bad.size:
        raise DataError(f'{name} has {bad.size} values that are NaN or infinite, the first at sample {bad[0]}')
    return signal.astype(np.float32).reshape(-1, 1)


def _fields(path: pathlib.Path) -> dict[str, Any]:
    """The fields of the struct by name, without the 1x1 arrays around them; `gs` and `sr` are guaranteed."""
    data = path.read_bytes()
    try:
        contents = read_v5(data, Budget(len(data)))
    except MatDamageError as error:
        raise DataError(f'the MATLAB file is damaged or cut short ({error})') from error
    if STRUCT not in contents:
        raise DataError(f'the variable {STRUCT} is missing; the file holds {", ".join(sorted(contents)) or "nothing"}')
    struct = _unwrap(contents[STRUCT])
    if not isinstance(struct, MatStruct) or struct.size != 1:
        found = f'one with {struct.size}' if isinstance(struct, MatStruct) else _shown(_plain(struct))
        raise DataError(f'the variable {STRUCT} is not a struct with one element but {found}')
    names = tuple(struct.fields)
    missing = [name for name in (SIGNAL, RATE) if name not in names]
    if missing:
        raise DataError(f'{STRUCT} has no field {" and ".join(missing)}; its fields are {", ".join(names)}')
    return {name: _plain(_unwrap(values[0])) for name, values in struct.fields.items()}


def _unwrap(value: MatValue) -> MatValue:
    """The content of cells with one element, at any depth."""
    while isinstance(value, MatCell) and len(value.elements) == 1:
        value = value.elements[0]
    return value


def _plain(value: MatValue) -> Any:
    """Numbers and text become arrays; anything else stays as it is."""
    if isinstance(value, MatArray):
        return value.values
    return np.array(value) if isinstance(value, str) else value


def _number(value: Any) -> float:
    """A number, or text that begins with one ('250', ' 250 lbs'); NaN for anything else."""
    if not isinstance(value, np.ndarray) or value.size != 1:
        return math.nan
    if value.dtype.kind in 'fiu':
        return float(value.item())
    match = re.match(r'\s*(\d+(?:\.\d*)?)', value.item()) if value.dtype.kind == 'U' else None
    return float(match[1]) if match else math.nan


def _shown(value: Any) -> str:
    """A value for a message: a single value itself, otherwise type and shape."""
    if np.size(value) == 1 and getattr(value, 'dtype', np.dtype(object)).kind in 'fiuU':
        return repr(value.item())
    return f'{getattr(value, "dtype", type(value).__name__)} {np.shape(value)}'
