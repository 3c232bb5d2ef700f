"""The recordings of Analog Devices' machine fault simulator (CbM-Datasets) as a table, and where their files lie.

130 files: 13 conditions at 600, 1200, 1800, 2400 and 3000 rpm, without and with a load of 11 lb. Each lasts 2 s at
20 kHz, with the three axes of one sensor (ADXL356C) in volts. A name says it all:

    SPEED_BEARING_SHAFT_LOAD_ALIGNMENT_EXTRA.Wfm.csv, e.g. 0600_HIR_GS_BaLo_WA_00lb.Wfm.csv

    BEARING    GoB good; HIR, HOR, HBF heavy and LIR, LOR, LBF light damage of inner race, outer race, ball
    SHAFT      GS good, BS bent
    LOAD       BaLo balanced; VLIL, LImL, HImL, VHIL imbalance, from very low to very high
    ALIGNMENT  WA well aligned, MA misaligned
"""

from __future__ import annotations

import dataclasses
import os
import pathlib

from fdx.data.collection.entry import Entry, Shared
from fdx.data.collection.published import Published
from fdx.data.raw.format import TextFormat
from fdx.signal.bearings import BEARINGS

URL = 'https://github.com/analogdevicesinc/CbM-Datasets'
GEOMETRY = 'er_12k'
AXES = ('x', 'y', 'z')
SPEEDS_RPM = (600, 1200, 1800, 2400, 3000)
LOADS_LBS = (0, 11)
# BEARING_SHAFT_LOAD_ALIGNMENT -> class, in the order of the labels.
CONDITIONS = {
    'GoB_GS_BaLo_WA': 'normal',
    'GoB_GS_VLIL_WA': 'imbalance',
    'GoB_GS_LImL_WA': 'imbalance',
    'GoB_GS_HImL_WA': 'imbalance',
    'GoB_GS_VHIL_WA': 'imbalance',
    'GoB_GS_BaLo_MA': 'misalignment',
    'GoB_BS_BaLo_WA': 'bent_shaft',
    'LIR_GS_BaLo_WA': 'inner_race',
    'HIR_GS_BaLo_WA': 'inner_race',
    'LOR_GS_BaLo_WA': 'outer_race',
    'HOR_GS_BaLo_WA': 'outer_race',
    'LBF_GS_BaLo_WA': 'ball',
    'HBF_GS_BaLo_WA': 'ball',
}
CLASSES = tuple(dict.fromkeys(CONDITIONS.values()))

PUBLISHED = Published(
    title='ADI CbM-Datasets',
    url=URL,
    folders=('adi_cbm', '', 'SampleMotorDataLimerick/SpectraQuest_Rig_Data_Voyager_3/Data_ADXL356C'),
    sample_rate_hz=20000.0,
    num_samples=40000,
    channels=len(AXES),
    # The means of the axes stand behind the first sample of every file.
    known_notes=('row 1 has 3 cells more than the others',),
    shared=Shared(text_format=TextFormat(delimiter='semicolon', decimal='.', header='no', time_column='1')),
)


@dataclasses.dataclass(frozen=True)
class AdiFile:
    """One file: one recording.

    Attributes:
      speed_rpm: nominal speed of the shaft.
      condition: key of CONDITIONS.
      load_lbs: 0 or 11.
    """

    speed_rpm: int
    condition: str
    load_lbs: int

    @property
    def stem(self) -> str:
        """Name of the file without its suffixes."""
        return f'{self.speed_rpm:04d}_{self.condition}_{self.load_lbs:02d}lb'

    @property
    def name(self) -> str:
        """Name of the file."""
        return f'{self.stem}.Wfm.csv'

    @property
    def label(self) -> str:
        """One of CLASSES; light and heavy damage are one class."""
        return CONDITIONS[self.condition]


FILES = tuple(AdiFile(rpm, c, load) for load in LOADS_LBS for c in CONDITIONS for rpm in SPEEDS_RPM)


def entries(manual_dir: str | os.PathLike | None, axes: int) -> list[Entry]:
    """The files of the user's folder as entries: all without load, and all with load where any of these is there.

    Args:
      manual_dir: the folder, or the one above it.
      axes: 1 for the x axis alone, or 3.

    Raises:
      DataError: files are missing; the text names them.
    """
    folder = PUBLISHED.folder(manual_dir, (file.name for file in FILES))
    found = set() if folder is None else set(os.listdir(folder))
    loaded = any(file.name in found for file in FILES if file.load_lbs)
    wanted = [file for file in FILES if loaded or not file.load_lbs]
    missing = [file.name for file in wanted if file.name not in found]
    if folder is None or missing:
        raise PUBLISHED.missing(missing, manual_dir)
    return [_entry(file, folder, axes) for file in wanted]


def _entry(file: AdiFile, folder: pathlib.Path, axes: int) -> Entry:
    return Entry(
        recording=f'adi_{file.stem}',
        files=(folder / file.name,),
        label=file.label,
        fault_type=file.label,
        # Nothing says which bearings were exchanged. The condition keeps light and heavy damage apart.
        bearing_id=file.condition,
        domain=f'{file.speed_rpm}rpm',
        speed_rpm=float(file.speed_rpm),
        load=float(file.load_lbs),
        geometry=BEARINGS[GEOMETRY],
        channel=','.join(str(i) for i in range(axes)),
        run=f'adi_{file.stem}',
        place=file.name,
    )
