"""What the scalars beside a signal in a MATLAB file say about it: sampling rate, shaft speed and load."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import re
from collections.abc import Mapping

import numpy as np

from fdx.data.raw.mat_values import MatArray
from fdx.types import UNKNOWN, DataError

# Letters of a name without its unit, in lower case: 'Sampling_Rate', 'sampleRate_Hz', 'Fs_kHz'.
_RATE_NAMES = frozenset(
    (
        *('fs', 'sr', 'fsamp', 'fsample', 'fsampling', 'srate', 'sfreq', 'samprate', 'sampfreq'),
        *('samplerate', 'samplingrate', 'samplefrequency', 'samplingfrequency', 'samplefreq', 'samplingfreq'),
        *('acquisitionrate', 'acquisitionfrequency', 'frequencysampling', 'samplespersecond'),
    )
)
_STEP_NAMES = frozenset(
    (
        *('dt', 'deltat', 'timestep', 'samplinginterval', 'sampleinterval', 'samplingperiod', 'sampleperiod'),
        *('wfincrement', 'xincrement'),
    )
)
_SPEED_NAMES = frozenset(
    (
        *('rpm', 'speedrpm', 'shaftspeedrpm', 'shaftrpm', 'motorspeedrpm', 'motorrpm', 'rotationspeedrpm'),
        'rotationalspeedrpm',
    )
)
# A lower sampling rate is in kHz (48, 51.2, 102.4); a higher one is not that of an accelerometer.
MIN_RATE_HZ, MAX_RATE_HZ = 200.0, 1e8
MIN_SPEED_RPM, MAX_SPEED_RPM = 1.0, 100_000.0


@dataclasses.dataclass(frozen=True)
class MatFacts:
    """What is known of a signal; None or NaN where the file does not tell it.

    Attributes:
      rate_hz: the sampling rate.
      rate_origin: the name that states it.
      speed_rpm: of the shaft.
      load: in the file's own unit.
      notes: about facts that are there but were not taken.
    """

    rate_hz: float | None = None
    rate_origin: str = ''
    speed_rpm: float = UNKNOWN
    load: float = UNKNOWN
    notes: tuple[str, ...] = ()


def facts_beside(path: pathlib.Path, signal: str, values: Mapping[str, MatArray | str], *, need_rate: bool) -> MatFacts:
    """Finds the facts in the signal's own struct, else in the structs around it, else among the variables.

    MFPT's `rate` is a shaft speed in Hz only beside a sampling rate, and only if it can be one.

    Args:
      path: the file, for messages.
      signal: full name of the signal, 'bearing.gs'.
      values: every array and text of the file by its full name.
      need_rate: whether no rate is given otherwise, so that a doubtful one is an error.

    Raises:
      DataError: with `need_rate`, several rates or one that no recording has.
    """
    notes: list[str] = []
    rate_hz, origin = _rate(path, signal, values, need_rate, notes)
    speed_rpm = _first(signal, values, _SPEED_NAMES)
    if not math.isnan(speed_rpm) and not is_speed(speed_rpm):
        notes.append(f'its {speed_rpm:g} rpm are not the speed of a running shaft and were left out')
        speed_rpm = UNKNOWN
    scope = _parent(signal)
    if scope and origin and _parent(origin) == scope:
        turns_hz = number(values.get(f'{scope}.rate'))
        if is_speed(60 * turns_hz) and turns_hz != rate_hz:
            speed_rpm = 60 * turns_hz
        elif not math.isnan(turns_hz) and origin != f'{scope}.rate':
            notes.append(f'{scope}.rate is {turns_hz:g}, which is not a shaft speed in Hz, and was left out')
    load = number(values.get(f'{scope}.load')) if scope else UNKNOWN
    return MatFacts(rate_hz, origin, speed_rpm, load, tuple(notes))


def is_speed(speed_rpm: float) -> bool:
    """Whether a shaft can turn at this speed."""
    return MIN_SPEED_RPM <= speed_rpm <= MAX_SPEED_RPM


def number(value: MatArray | str | None) -> float:
    """A real scalar, also one written as text (MFPT's loads), as a float; else NaN."""
    if isinstance(value, str):
        try:
            return float(value.strip())
        except ValueError:
            return UNKNOWN
    if value is None or value.is_logical or value.values.size != 1 or np.iscomplexobj(value.values):
        return UNKNOWN
    return float(value.values.item())


def _rate(
    path: pathlib.Path, signal: str, values: Mapping[str, MatArray | str], need_rate: bool, notes: list[str]
) -> tuple[float | None, str]:
    """(rate in Hz or None, the name that states it); what is doubtful becomes an error or a note."""
    for scope in _scopes(signal):
        beside = [(n, number(v)) for n, v in values.items() if _parent(n) == scope and n != signal]
        stated = {n: v * _unit(n)[1] for n, v in beside if _unit(n)[0] in _RATE_NAMES and not math.isnan(v)}
        steps = {n: 1 / v for n, v in beside if _unit(n)[0] in _STEP_NAMES and v > 0}
        stated = stated or {n: r for n, r in steps.items() if MIN_RATE_HZ <= r <= MAX_RATE_HZ}
        if not stated:
            continue
        names = ', '.join(f'{n} = {v:g} Hz' for n, v in stated.items())
        name, rate_hz = next(iter(stated.items()))
        problem = ''
        if not all(math.isclose(rate_hz, other, rel_tol=1e-6) for other in stated.values()):
            problem = f'it states several sampling rates ({names})'
        elif rate_hz > 0 and not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            problem = f'it states a sampling rate that no vibration recording has ({names}; kHz?)'
        if not problem:
            return rate_hz, name
        if need_rate:
            raise DataError(f'{path}: {problem}; pass `sample_rate_hz` in Hz')
        notes.append(f'{problem}: `sample_rate_hz` was taken')
        break
    return None, ''


def _first(signal: str, values: Mapping[str, MatArray | str], names: frozenset[str]) -> float:
    """The scalar of one of these names in the innermost struct that has one, or NaN; NaN, too, where two differ."""
    for scope in _scopes(signal):
        found = {number(v) for n, v in values.items() if _parent(n) == scope and _letters(n) in names}
        found = {v for v in found if not math.isnan(v)}
        if found:
            return found.pop() if len(found) == 1 else UNKNOWN
    return UNKNOWN


def _parent(name: str) -> str:
    return name.rpartition('.')[0]


def _scopes(name: str) -> list[str]:
    """'a.b(2).c' -> ['a.b(2)', 'a', '']."""
    scopes = []
    while name:
        name = _parent(name)
        scopes.append(name)
    return scopes


def _letters(name: str) -> str:
    return re.sub('[^a-z]', '', name.rpartition('.')[2].lower())


def _unit(name: str) -> tuple[str, float]:
    """('fs', 1000.0) of 'Fs_kHz': the letters without a unit, and what makes the value one in Hz."""
    letters = _letters(name)
    for unit, factor in (('khz', 1e3), ('hz', 1.0)):
        if letters.endswith(unit) and len(letters) > len(unit):
            return letters.removesuffix(unit), factor
    return letters, 1.0
