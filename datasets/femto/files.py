"""The lives of PRONOSTIA's bearings (FEMTO-ST, IEEE PHM 2012 data challenge), and where their files lie.

P. Nectoux et al., "PRONOSTIA: An Experimental Platform for Bearings Accelerated Life Test", IEEE International
Conference on Prognostics and Health Management, Denver, 2012. 17 bearings were run until their vibration passed 20 g.
Every 10 s a file acc_NNNNN.csv of 0.1 s was written (25.6 kHz; hour, minute, second, microsecond, horizontal and
vertical acceleration in g). Bearing1_4 is separated by semicolons, the others by commas.

Nobody states what failed: only the life is known. The classes are therefore thirds of the life, which is made up by
fdx and names no fault.
"""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Mapping
from types import MappingProxyType

from fdx.data.collection.entry import Entry, Shared
from fdx.data.collection.published import Published
from fdx.data.raw.format import TextFormat
from fdx.signal.bearings import BEARINGS
from fdx.types import DataError

URL = 'https://github.com/Lucky-Loek/ieee-phm-2012-data-challenge-dataset'
RATE_HZ = 25600.0
SAMPLES = 2560
GEOMETRY = 'pronostia'
CLASSES = ('first_third', 'second_third', 'last_third')
# Bearing -> number of its last file, which decides the third that a file belongs to. `Test_set` has the lives of eleven
# of them cut short and is not used.
LAST_FILE: Mapping[str, int] = MappingProxyType(
    {
        **{'Bearing1_1': 2803, 'Bearing1_2': 871, 'Bearing2_1': 911, 'Bearing2_2': 797},
        **{'Bearing3_1': 515, 'Bearing3_2': 1637},
        **{'Bearing1_3': 2375, 'Bearing1_4': 1428, 'Bearing1_5': 2463, 'Bearing1_6': 2448, 'Bearing1_7': 2259},
        **{'Bearing2_3': 1955, 'Bearing2_4': 751, 'Bearing2_5': 2311, 'Bearing2_6': 701, 'Bearing2_7': 230},
        'Bearing3_3': 434,
    }
)
# First figure of a bearing's name -> speed and radial force.
CONDITIONS = {1: (1800, 4000), 2: (1650, 4200), 3: (1500, 5000)}
PLACES = ('', 'Learning_set', 'Full_Test_Set')
_FILE = re.compile(r'acc_(\d{5})\.csv')

PUBLISHED = Published(
    title='FEMTO (PRONOSTIA)',
    url=URL,
    folders=('femto', ''),
    sample_rate_hz=RATE_HZ,
    num_samples=SAMPLES,
    channels=2,
    # The times are clock times with microseconds such as 3.7816e+05, whose last figures are lost.
    shared=Shared(text_format=TextFormat(header='no', time_column='none', columns=('5', '6'))),
)


def third_of(bearing: str, number: int) -> int:
    """The third of a bearing's life that file `number` lies in: 0, 1 or 2."""
    return min(2, 3 * (number - 1) // LAST_FILE[bearing])


def entries(manual_dir: str | os.PathLike | None, axes: int) -> list[Entry]:
    """One entry per bearing and third of its life, with the files that are there, in the order of their numbers.

    Args:
      manual_dir: the folder that holds Learning_set/ and Full_Test_Set/ or the bearings' own folders, or the one above.
      axes: 1 for the horizontal sensor alone, or 2.

    Raises:
      DataError: there is no bearing, a folder holds a file past the end of its life, or none of some third.
    """
    found: list[Entry] = []
    for bearing, folder in _folders(manual_dir).items():
        parts: dict[int, list[pathlib.Path]] = {0: [], 1: [], 2: []}
        for name in sorted(os.listdir(folder)):
            match = _FILE.fullmatch(name)
            if match is None:
                continue
            number = int(match[1])
            if not 1 <= number <= LAST_FILE[bearing]:
                raise DataError(
                    f'{folder / name}: the life of {bearing} ends with file {LAST_FILE[bearing]}; remove this file, or '
                    f'fetch the folder anew from {URL}'
                )
            parts[third_of(bearing, number)].append(folder / name)
        empty = [CLASSES[third] for third, files in parts.items() if not files]
        if empty:
            raise DataError(
                f'{folder} holds no file acc_NNNNN.csv of the {empty[0]} of the life; fetch more from {URL}'
            )
        found += [_entry(bearing, third, files, axes) for third, files in parts.items()]
    return found


def _folders(manual_dir: str | os.PathLike | None) -> dict[str, pathlib.Path]:
    if manual_dir is None:
        raise PUBLISHED.missing(list(LAST_FILE), manual_dir)
    tops = [pathlib.Path(manual_dir) / folder / place for folder in PUBLISHED.folders for place in PLACES]
    found = {b: next((top / b for top in tops if (top / b).is_dir()), None) for b in LAST_FILE}
    folders = {bearing: folder for bearing, folder in found.items() if folder is not None}
    if not folders:
        raise PUBLISHED.missing(list(LAST_FILE), manual_dir)
    return folders


def _entry(bearing: str, third: int, files: list[pathlib.Path], axes: int) -> Entry:
    speed_rpm, force_n = CONDITIONS[int(bearing[len('Bearing')])]
    recording = f'{bearing.lower()}_{CLASSES[third]}'
    return Entry(
        recording=recording,
        files=tuple(files),
        label=CLASSES[third],
        fault_type=CLASSES[third],
        bearing_id=bearing,
        # All classes are of one bearing, so that a domain must be left out to test on another bearing.
        domain=f'{bearing}_{speed_rpm}rpm_{force_n}N',
        speed_rpm=float(speed_rpm),
        load=float(force_n),
        geometry=BEARINGS[GEOMETRY],
        channel=','.join(str(i) for i in range(axes)),
        sample_rate_hz=RATE_HZ,
        run=recording,
        place=f'{bearing}, {CLASSES[third]}',
    )
