"""Rolling bearings: their geometry, the fault orders that follow from it, and the bearings of our datasets by name.

BEARINGS['skf_6205']                              an entry of the table
parse_bearing('skf_6205')                         the same entry
parse_bearing('pitch_diameter_mm=39.04,ball_diameter_mm=7.94,num_balls=9,contact_angle_deg=0')
parse_bearing('plant.json:pump_3')                entry pump_3 of a JSON file {name: {pitch_diameter_mm: ...}}
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fdx.types import BearingGeometry, ConfigError

INCH_MM = 25.4
# name -> geometry. Dimensions in inches where the source gives inches.
BEARINGS: Mapping[str, BearingGeometry] = MappingProxyType(
    {
        # CWRU's drive end, 6205-2RS JEM: the data center's table of dimensions. It gives BPFI 5.415, BPFO 3.585 and
        # BSF 2.357, as in Smith and Randall, MSSP 64-65:100-131, 2015, table 2. The faults of 0.028 in are in
        # equivalent bearings by NTN.
        'skf_6205': BearingGeometry(1.537 * INCH_MM, 0.3126 * INCH_MM, 9),
        # CWRU's fan end, 6203-2RS JEM, from the same table: BPFI 4.947, BPFO 3.053, BSF 1.994.
        'skf_6203': BearingGeometry(1.122 * INCH_MM, 0.2656 * INCH_MM, 8),
        # MFPT's test rig, NICE: "Condition Based Maintenance Fault Database for Testing of Diagnostic and Prognostics
        # Algorithms" (MFPT society), roller diameter 0.235 in, pitch diameter 1.245 in, 8 elements, contact angle 0.
        'nice_mfpt': BearingGeometry(1.245 * INCH_MM, 0.235 * INCH_MM, 8),
        # The machine fault simulator of adi_cbm. ADI does not state the bearing; the ER-12K that these simulators
        # commonly have (8 balls of 0.3125 in, pitch diameter 1.318 in) fits the lines of the recordings: 3.05 per turn
        # with outer-race, 4.95 with inner-race faults.
        'er_12k': BearingGeometry(33.48, 7.94, 8),
        # PRONOSTIA's bearing under test: Nectoux et al., "PRONOSTIA: An Experimental Platform for Bearings
        # Accelerated Life Test" (IEEE PHM, 2012): 13 balls of 3.5 mm on a pitch diameter of 25.6 mm.
        'pronostia': BearingGeometry(25.6, 3.5, 13),
        # The study's rig (Di Maggio, Sensors 23(1):211, 2023): the catalogue (200 x 360 x 98 mm) does not describe
        # the rolling elements. Pitch diameter, roller diameter and number are approximations that fit between the
        # rings, for one of the two rows. The contact angle follows from the catalogue's e = 0.26 = 1.5 tan(a). The
        # simulated rig_b has this bearing.
        'skf_22240': BearingGeometry(283.0, 37.0, 19, 10.0),
        # An angular contact bearing of the size 7210 B (50 x 90 mm, 40 degrees); its balls are approximated. The
        # simulated rig_c has this bearing.
        'skf_7210b': BearingGeometry(70.0, 12.7, 14, 40.0),
    }
)
_FIELDS = tuple(f.name for f in dataclasses.fields(BearingGeometry))
_REQUIRED = _FIELDS[:3]


def parse_bearing(text: str) -> BearingGeometry:
    """The bearing that a text names: an entry of BEARINGS, NAME=NUMBER pairs, or FILE.json:ENTRY.

    Raises:
      ConfigError: an unknown name (the known ones are listed), a missing, unknown or unreadable number, or a geometry
        that cannot exist.
    """
    if text in BEARINGS:
        return BEARINGS[text]
    if '=' in text:
        return _geometry(dict(_pair(part, text) for part in text.split(',')), text)
    path, _, entry = text.rpartition(':')
    if path.endswith('.json'):
        return _entry_of_file(pathlib.Path(path), entry)
    raise ConfigError(
        f'bearing {text!r} is unknown; fdx knows {", ".join(BEARINGS)}. Describe others as '
        f'{",".join(f"{f}=NUMBER" for f in _FIELDS)}, or as FILE.json:ENTRY'
    )


def _pair(part: str, text: str) -> tuple[str, Any]:
    name, _, value = part.partition('=')
    try:
        return name.strip(), float(value)
    except ValueError as e:
        raise ConfigError(f'bearing {text!r}: {part!r} is not NAME=NUMBER') from e


def _entry_of_file(path: pathlib.Path, entry: str) -> BearingGeometry:
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as e:
        raise ConfigError(f'bearing file {path} cannot be read: {e}') from e
    if not isinstance(entries, dict) or not isinstance(entries.get(entry), dict):
        held = ', '.join(entries) if isinstance(entries, dict) else type(entries).__name__
        raise ConfigError(f'bearing file {path} has no entry {entry!r} of the form {{...}}; it holds {held}')
    return _geometry(entries[entry], f'{path}:{entry}')


def _geometry(fields: Mapping[str, Any], source: str) -> BearingGeometry:
    unknown = sorted(set(fields) - set(_FIELDS))
    missing = [name for name in _REQUIRED if name not in fields]
    if unknown or missing:
        raise ConfigError(
            f'bearing {source!r}: missing: {", ".join(missing) or "nothing"}; unknown: '
            f'{", ".join(unknown) or "nothing"}; the fields are {", ".join(_FIELDS)}'
        )
    bad = [n for n, v in fields.items() if isinstance(v, bool) or not isinstance(v, int | float)]
    if bad:
        raise ConfigError(f'bearing {source!r}: {bad[0]} is {fields[bad[0]]!r}, not a number')
    return BearingGeometry(**fields)
