"""The columns of a manifest, and how the text of a cell becomes the value of an entry."""

from __future__ import annotations

import math
import re

from fdx.types import DataError

NUMBERS = ('speed_rpm', 'load', 'sample_rate_hz', 'start_s', 'stop_s')
# Column -> what it says, for the help of programs and the documentation.
FIELDS = {
    'file': 'path of the file, relative to the manifest',
    'label': 'class name',
    'fault_type': 'coarse class: normal, inner_race, outer_race, ball, ...',
    'speed_rpm': 'speed of the shaft in turns per minute',
    'bearing': 'kind of bearing: a name, pitch_diameter_mm=..,ball_diameter_mm=..,num_balls=.., or FILE.json:ENTRY',
    'bearing_id': 'the physical bearing that was recorded',
    'machine': 'the machine that was recorded',
    'domain': 'what transfer moves between; by default the machine, or else the operating condition',
    'load': 'a number in a unit of your own',
    'channel': 'which channel of the file, by number from 0 or by name',
    'variable': 'which signal of a .mat, HDF5 or TDMS file that holds several',
    'sample_rate_hz': 'rate of the samples in Hz',
    'start_s': 'where the recording begins in its file, in seconds',
    'stop_s': 'where it ends',
    'group': 'files of one group are one recording, in the order of their names',
    'split': 'train, validation or test, for the protocol given_split',
}
# What users call them.
ALIASES = {
    'path': 'file',
    'filename': 'file',
    'file_name': 'file',
    'class': 'label',
    'rpm': 'speed_rpm',
    'speed': 'speed_rpm',
    'rate': 'sample_rate_hz',
    'sample_rate': 'sample_rate_hz',
    'sampling_rate': 'sample_rate_hz',
    'fs': 'sample_rate_hz',
    'fold': 'split',
}
# A number with an optional unit behind it, as names of files hold it: 11lb, 1800rpm, 0,5.
_NUMBER = re.compile(r'\s*([-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%][A-Za-z0-9/%^-]*|)\s*')
# Field -> unit -> factor. A load is in a unit of the user's own, so that any unit is dropped there.
_UNITS = {
    'speed_rpm': {'': 1.0, 'rpm': 1.0, 'rev/min': 1.0, 'u/min': 1.0, 'krpm': 1e3, 'hz': 60.0},
    'sample_rate_hz': {'': 1.0, 'hz': 1.0, 'khz': 1e3, 'k': 1e3, 'mhz': 1e6, 'ksps': 1e3, 'sps': 1.0},
    'start_s': {'': 1.0, 's': 1.0, 'sec': 1.0, 'ms': 1e-3, 'min': 60.0, 'h': 3600.0},
}
_UNITS['stop_s'] = _UNITS['start_s']


def field_of_column(name: str) -> str | None:
    """The field that a column's title means, None for a column that fdx does not use."""
    key = re.sub(r'[^a-z0-9]+', '_', name.strip().lower()).strip('_')
    key = ALIASES.get(key, key)
    return key if key in FIELDS else None


def number_of(text: str, field: str, place: str) -> float | None:
    """The number in a cell, in the field's unit; None where the cell is empty.

    Args:
      text: the cell: a number, with a unit behind it if there is one (12 kHz, 30 Hz for 1800 rpm, 11lb); a comma may
        stand for the decimal point.
      field: one of NUMBERS.
      place: where the cell stands, for messages.

    Raises:
      DataError: no number, an unknown unit, or a number that the field cannot have.
    """
    if not text.strip():
        return None
    match = _NUMBER.fullmatch(text)
    units = _UNITS.get(field)
    factor = 1.0 if units is None else units.get(match[2].lower()) if match else None
    value = float(match[1].replace(',', '.')) * factor if match and factor is not None else math.nan
    positive = field in ('sample_rate_hz', 'stop_s')
    # A standing shaft (0 rpm) has no fault orders, but its recording may serve as healthy background.
    if not math.isfinite(value) or (positive and value <= 0) or (field in ('start_s', 'speed_rpm') and value < 0):
        needed = 'a number' if field == 'load' else 'a number above 0' if positive else 'a number of at least 0'
        of_unit = f' in {", ".join(u for u in units if u)}' if units else ''
        raise DataError(
            f'{place}: {field} is {text.strip()!r}; it must be {needed}{of_unit}, or empty where it is not known'
        )
    return value
