"""The HIT-SM recordings (Harbin Institute of Technology) as a table, and where the files of its two rigs lie.

Either rig has 21 files of the same names: STATE_SPEED.mat, e.g. IR5_900.mat: healthy (Normal), or a fault of the inner
(IR) or outer race (OR) over 2, 5 or 8 degrees of the race, at 600, 900 and 1200 rpm. One channel at 51.2 kHz. No file
says its rate, speed or unit, and its variable has another name in each.

    mfs         a SpectraQuest machine fault simulator, bearings of type 6205
    self_built  a bench of HIT's own with a stronger motor and more load; its bearing is not stated
"""

from __future__ import annotations

import dataclasses
import os
import pathlib

from fdx.data.collection.entry import Entry
from fdx.data.collection.published import Published
from fdx.signal.bearings import BEARINGS

URL = 'https://github.com/hitwzc/Bearing-datasets'
RATE_HZ = 51200.0
SPEEDS_RPM = (600, 900, 1200)
# State in a file's name -> class, in the order of the labels.
STATES = {
    'Normal': 'normal',
    **{f'IR{degrees}': 'inner_race' for degrees in (2, 5, 8)},
    **{f'OR{degrees}': 'outer_race' for degrees in (2, 5, 8)},
}
CLASSES = tuple(dict.fromkeys(STATES.values()))
NAMES = tuple(f'{state}_{rpm}.mat' for state in STATES for rpm in SPEEDS_RPM)


def _published(rig: str, *folders: str, num_samples: int | None) -> Published:
    return Published(
        title=f'HIT-SM, rig {rig}',
        url=URL,
        folders=folders,
        sample_rate_hz=RATE_HZ,
        num_samples=num_samples,
        channels=1,
    )


@dataclasses.dataclass(frozen=True)
class Rig:
    """A test rig.

    Attributes:
      name: part of the ids of its recordings.
      published: its files.
      geometry: key of fdx.signal.bearings.BEARINGS, '' where the bearing is not known.
    """

    name: str
    published: Published
    geometry: str


# The rigs' files have the same names, so that only a folder tells which rig they are of; a folder that is named itself
# is taken for the first rig unless its name is the second's.
MFS = Rig(
    'mfs',
    _published('mfs', 'hit_mfs', 'hit_sm/hit_mfs', 'SpectraQuest MFS dataset', '', num_samples=262144),
    'skf_6205',
)
SELF_BUILT_FOLDERS = ('hit_self_built', 'hit_sm/hit_self_built', 'Self-built dataset')
SELF_BUILT = Rig('self_built', _published('self_built', *SELF_BUILT_FOLDERS, num_samples=None), '')
SELF_BUILT_ITSELF = Rig('self_built', _published('self_built', '', num_samples=None), '')


def rigs_of(manual_dir: str | os.PathLike | None) -> list[tuple[Rig, pathlib.Path]]:
    """The rigs whose files are below a folder, all complete.

    Raises:
      DataError: there is no rig, or files of one are missing; the text names them.
    """
    named = pathlib.Path(manual_dir).resolve().name if manual_dir is not None else ''
    itself = named in [pathlib.PurePosixPath(folder).name for folder in SELF_BUILT_FOLDERS]
    rigs = (SELF_BUILT_ITSELF,) if itself else (MFS, SELF_BUILT)
    folders = [(rig, rig.published.folder(manual_dir, NAMES)) for rig in rigs]
    found = [(rig, folder) for rig, folder in folders if folder is not None]
    if not found:
        raise rigs[0].published.missing(NAMES, manual_dir)
    for rig, folder in found:
        there = set(os.listdir(folder))
        missing = [name for name in NAMES if name not in there]
        if missing:
            raise rig.published.missing(missing, folder)
    return found


def entries(rig: Rig, folder: pathlib.Path) -> list[Entry]:
    """The recordings of a rig."""
    return [_entry(rig, folder, state, rpm) for state in STATES for rpm in SPEEDS_RPM]


def _entry(rig: Rig, folder: pathlib.Path, state: str, rpm: int) -> Entry:
    label = STATES[state]
    degrees = '' if label == 'normal' else f'_{state[2:]}deg'
    recording = f'hit_{rig.name}_{state}_{rpm}'
    return Entry(
        recording=recording,
        files=(folder / f'{state}_{rpm}.mat',),
        label=label,
        fault_type=label,
        bearing_id=f'{rig.name}_{label}{degrees}',
        domain=f'{rig.name}_{rpm}rpm',
        speed_rpm=float(rpm),
        geometry=BEARINGS[rig.geometry] if rig.geometry else None,
        sample_rate_hz=RATE_HZ,
        run=recording,
        place=f'{state}_{rpm}.mat of {rig.name}',
    )
