"""MATLAB files: which of their variables is the signal, and what the others say about it."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from fdx.data.raw.mat_choice import signal_name, x_number
from fdx.data.raw.mat_facts import MatFacts, facts_beside, is_speed, number
from fdx.data.raw.mat_v4 import is_v4, read_v4
from fdx.data.raw.mat_v5 import read_v5
from fdx.data.raw.mat_values import Budget, MatArray, MatDamageError, leaves
from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal, time_by_channel
from fdx.types import UNKNOWN, DataError

_HDF5_MAGIC = b'\x89HDF\r\n\x1a\n'


def open_mat(path: pathlib.Path, variable: str | None, *, need_rate: bool = False) -> StoredSignal:
    """Opens the signal of a MATLAB file.

    The signal is `variable` by its exact name (a field of a struct as 'bearing.gs', an element of a struct array or
    cell as 'Y(7).Data'), else the only variable that looks like one: real, one column or row, 1,000 samples or more.
    Among several, CWRU's 'X097_DE_time' is taken from a file 97.mat: its number must be the file's own, because some
    CWRU files also hold the signals of others. Facts are read by name (see fdx.data.raw.mat_facts): MFPT's struct (gs,
    sr, rate, load) has another order of fields in every file.

    Files of version 7.3, which are HDF5, are read in pieces where they lie; older ones are read as a whole.

    Args:
      path: the file.
      variable: name of the signal, or None to find it.
      need_rate: whether the file alone must tell the sampling rate, so that a doubtful one is an error.

    Returns:
      The signal; its rate where a scalar beside it states one (Fs, sr, SamplingRate, ...); the shaft speed from CWRU's
      'X097RPM', a scalar `rpm` or MFPT's `rate` (Hz); unit 'counts' where MATLAB knows it as integers.

    Raises:
      DataError: the file cannot be read, or does not settle which variable is the signal.
    """
    if _is_hdf5(path):
        # Imported here, as it loads a library that most files do not need.
        from fdx.data.raw.hdf5 import read_mat73  # noqa: PLC0415
        from fdx.data.raw.hdf5_array import stored_array  # noqa: PLC0415

        content = read_mat73(path)
        name, raw, array = _choose(path, content.values, variable, need_rate=need_rate)
        return dataclasses.replace(stored_array(path, name, array, content.places[name]), facts=raw)
    name, raw, array = _choose(path, _load(path), variable, need_rate=need_rate)
    samples = time_by_channel(array, path, f'variable {name}')
    return StoredSignal.of_whole(dataclasses.replace(raw, samples=samples))


def _choose(
    path: pathlib.Path, values: dict[str, MatArray | str], variable: str | None, *, need_rate: bool
) -> tuple[str, RawSignal, np.ndarray]:
    """(name of the signal, what is known of it, its array)."""
    numeric = {name: value for name, value in values.items() if isinstance(value, MatArray)}
    arrays = {name: value.values for name, value in numeric.items()}
    name = signal_name(path, arrays, variable)
    facts = _cwru_speed(name, values, facts_beside(path, name, values, need_rate=need_rate))
    raw = RawSignal(
        samples=NO_SAMPLES,
        file_rate_hz=facts.rate_hz,
        rate_origin=facts.rate_origin,
        speed_rpm=facts.speed_rpm,
        load=facts.load,
        unit='counts' if numeric[name].is_integer else '',
        notes=facts.notes,
    )
    return name, raw, arrays[name]


def _is_hdf5(file: pathlib.Path) -> bool:
    """Whether a file is HDF5, possibly behind the 512 bytes of MATLAB's header."""
    with file.open('rb') as stream:
        head = stream.read(520)
    return head.startswith((_HDF5_MAGIC, b'MATLAB 7.3')) or head[512:] == _HDF5_MAGIC


def _load(path: pathlib.Path) -> dict[str, MatArray | str]:
    """Every array and text of the file by its full name."""
    data = path.read_bytes()
    try:
        variables = (read_v4 if is_v4(data) else read_v5)(data, Budget(len(data)))
    except MatDamageError as e:
        raise DataError(
            f'{path} cannot be read as a MATLAB file: {e}; it is damaged, cut off or of another kind: fetch it again, '
            'or save it again with save -v7'
        ) from e
    return dict(leaf for name, value in variables.items() for leaf in leaves(name, value))


def _cwru_speed(name: str, values: dict[str, MatArray | str], facts: MatFacts) -> MatFacts:
    """CWRU numbers the speed as it does the signal; another number's is another recording's."""
    found = x_number(name)
    if found is None:
        return facts
    speed_rpm = number(values.get(f'X{found}RPM'))
    return dataclasses.replace(facts, speed_rpm=speed_rpm if is_speed(speed_rpm) else UNKNOWN)
