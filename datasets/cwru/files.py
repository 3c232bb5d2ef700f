"""The 161 recordings of the CWRU bearing data center, as a table that says what each file really holds.

The table (files.csv) merges four public listings with tables A1 to A4 of Smith and Randall, "Rolling element bearing
diagnostics using the Case Western Reserve University data: A benchmark study", Mechanical Systems and Signal Processing
64-65, 2015. Where the download site and the data disagree, the table says what the data are:

    97-100      were taken at 48 kHz, though many users read them as 12 kHz
    174         stores its variables as X173_*; its recording is a quarter as long as its neighbours'
    99, 175, 217  hold a second recording (X098_*, X217_*, X215_*): variables are picked by the file's own number
    277, 278    hold a stray variable 'i'
    309, 310    are swapped on the site: 310 is load 0, 309 is load 1
    3001-3008   have the drive-end channel only, no speed, and variables X056_* to X059_* and X048_* to X051_*
    189, 201, 213, 226, 238   hold one signal twice: drive end = 1.0154 x fan end, up to rounding
"""

from __future__ import annotations

import csv
import dataclasses
import math
import pathlib

from fdx import types

GROUPS = ('normal', 'drive_end_12k', 'drive_end_48k', 'fan_end_12k')
FAULTS = ('normal', 'ball', 'inner_race', 'outer_race')
URL_TEMPLATE = 'https://engineering.case.edu/sites/default/files/{N}.mat'

_ODD_KEY_NUMBERS = {174: 173, 3001: 56, 3002: 57, 3003: 58, 3004: 59, 3005: 48, 3006: 49, 3007: 50, 3008: 51}
_TABLE = pathlib.Path(__file__).with_name('files.csv')


@dataclasses.dataclass(frozen=True)
class CwruFile:
    """One file of the data center: one recording of one bearing at one load.

    Attributes:
      number: the file is called f'{number}.mat'.
      group: one of GROUPS: where the seeded fault sits and the rate it was recorded at.
      fault: one of FAULTS.
      size_in: diameter of the seeded fault in inches, None for a healthy bearing.
      position: '@3', '@6' or '@12', the outer-race fault's place (the load zone is centred at six o'clock); else ''.
      load_hp: motor load, 0 to 3 hp.
      nominal_rpm: the shaft speed that the site states for this load; the file's own value lies within 10 rpm of it.
      rate_hz: the rate at which the samples were really taken.
      channels: which of 'DE' (drive end), 'FE' (fan end), 'BA' (base plate) the file holds.
      length: samples of each channel.
    """

    number: int
    group: str
    fault: str
    size_in: float | None
    position: str
    load_hp: int
    nominal_rpm: int
    rate_hz: int
    channels: tuple[str, ...]
    length: int

    @property
    def name(self) -> str:
        """Name of the file, e.g. '97.mat'."""
        return f'{self.number}.mat'

    @property
    def key_number(self) -> int:
        """The number in the names of the file's variables, which is not always the number of the file."""
        return _ODD_KEY_NUMBERS.get(self.number, self.number)

    @property
    def label(self) -> str:
        """Class name: 'normal', 'ball_014', 'inner_race_007', 'outer_race_021', 'outer_race_007@3'.

        The name of an outer-race fault ends with its position, except for drive-end faults at six o'clock. The
        literature uses the bare name for these, and only these exist for all three diameters.
        """
        if self.group.startswith('drive_end') and self.position == '@6':
            return self._fault_and_size
        return self._fault_and_size + self.position

    @property
    def bearing(self) -> str:
        """The physical bearing: 'normal', 'de_inner_race_007', 'fe_outer_race_014@3'.

        The recordings at 12 kHz and at 48 kHz of a drive-end fault are of the same bearing.
        """
        if self.fault == 'normal':
            return 'normal'
        end = 'fe' if self.group == 'fan_end_12k' else 'de'
        return f'{end}_{self._fault_and_size}{self.position}'

    @property
    def url(self) -> str:
        """Where the data center offers the file."""
        return URL_TEMPLATE.replace('{N}', str(self.number))

    @property
    def _fault_and_size(self) -> str:
        return self.fault if self.size_in is None else f'{self.fault}_{round(self.size_in * 1000):03d}'

    def variable(self, channel: str) -> str:
        """Name of a channel's variable in the file, e.g. 'X097_DE_time'."""
        return f'X{self.key_number:03d}_{channel}_time'

    @property
    def rpm_variable(self) -> str:
        """Name of the variable with the measured shaft speed, e.g. 'X097RPM'; not every file has it."""
        return f'X{self.key_number:03d}RPM'


def _read_table(path: pathlib.Path) -> dict[int, CwruFile]:
    """Reads files.csv into {number: file}, in the order of the table (by group, then by number)."""
    with path.open(newline='', encoding='utf-8') as lines:
        rows = [
            CwruFile(
                number=int(row['number']),
                group=row['group'],
                fault=row['fault'],
                size_in=float(row['size_in']) if row['size_in'] else None,
                position=row['position'],
                load_hp=int(row['load_hp']),
                nominal_rpm=int(row['nominal_rpm']),
                rate_hz=int(row['rate_hz']),
                channels=tuple(row['channels'].split()),
                length=int(row['length']),
            )
            for row in csv.DictReader(lines)
        ]
    return {row.number: row for row in rows}


FILES = _read_table(_TABLE)


def get_file(number: int) -> CwruFile:
    """The table's row for a file number.

    Raises:
      DataError: the data center has no file of this number.
    """
    if number not in FILES:
        raise types.DataError(
            f'CWRU has no file {number}.mat: the {len(FILES)} numbers that exist lie between {min(FILES)} and '
            f'{max(FILES)}, with gaps; see datasets/cwru/files.csv'
        )
    return FILES[number]


def select_files(
    group: str, *, positions: tuple[str, ...] | None = None, max_size_in: float = math.inf
) -> tuple[CwruFile, ...]:
    """The files of one group, in the order of the table.

    Args:
      group: one of GROUPS.
      positions: keep only outer-race faults at these positions; None keeps all.
      max_size_in: keep only faults of at most this diameter in inches.

    Returns:
      The files; none if the table does not have the group.
    """
    return tuple(
        file
        for file in FILES.values()
        if file.group == group
        and (positions is None or file.fault != 'outer_race' or file.position in positions)
        and (file.size_in or 0.0) <= max_size_in
    )
