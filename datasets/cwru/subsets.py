"""Named subsets of the CWRU recordings: the classification tasks that the builder offers as configs."""

from __future__ import annotations

import dataclasses

from .files import FAULTS, CwruFile, get_file, select_files

_LOAD_0_NUMBERS = (97, 118, 185, 222, 105, 169, 209, 130, 197, 234)
# The drive end's 0.028 inch faults are left out: no outer-race fault of that diameter exists, and the other two kinds
# were seeded into bearings of another maker (NTN, not SKF).
_MAX_SIZE_IN = 0.021


@dataclasses.dataclass(frozen=True)
class Subset:
    """A task: some files, read through one accelerometer.

    Attributes:
      name: name of the builder's config.
      description: one sentence for the dataset's page.
      files: the recordings, by class and then by load.
      channel: the accelerometer: 'DE' or 'FE'.
    """

    name: str
    description: str
    files: tuple[CwruFile, ...]
    channel: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in their fixed order: 'normal', ball, inner race, outer race; by diameter, then by position."""
        return tuple(dict.fromkeys(file.label for file in self.files))

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the operating conditions that occur, among 'load0' to 'load3'."""
        return tuple(f'load{load}' for load in sorted({file.load_hp for file in self.files}))

    @property
    def lowest_rate_hz(self) -> int:
        """The lowest sampling rate among the files: all are brought to its bandwidth (law 3)."""
        return min(file.rate_hz for file in self.files)


def class_order(file: CwruFile) -> tuple[int, float, int, int]:
    """Key that sorts files by fault, diameter, position (3, 6, 12 o'clock) and load."""
    return (FAULTS.index(file.fault), file.size_in or 0.0, int(file.position.lstrip('@') or 0), file.load_hp)


def _subset(name: str, description: str, files: tuple[CwruFile, ...], channel: str = 'DE') -> Subset:
    return Subset(name, description, tuple(sorted(files, key=class_order)), channel)


def _all_subsets() -> tuple[Subset, ...]:
    normal = select_files('normal')
    faults_12k = select_files('drive_end_12k', positions=('@6',), max_size_in=_MAX_SIZE_IN)
    faults_48k = select_files('drive_end_48k', positions=('@6',), max_size_in=_MAX_SIZE_IN)
    return (
        _subset(
            'load0_12k',
            'Ten classes at motor load 0, one recording each: healthy (taken at 48 kHz) and three diameters of ball, '
            'inner-race and outer-race fault of the drive-end bearing, taken at 12 kHz.',
            tuple(get_file(number) for number in _LOAD_0_NUMBERS),
        ),
        _subset(
            'faults_12k',
            'Nine faults of the drive-end bearing at the motor loads 0 to 3, all at 12 kHz: transfer between loads.',
            faults_12k,
        ),
        _subset(
            'drive_end_12k',
            'Nine faults of the drive-end bearing, taken at 12 kHz, and the healthy bearing, taken at 48 kHz, at the '
            'motor loads 0 to 3.',
            normal + faults_12k,
        ),
        _subset(
            'drive_end_48k',
            'Nine faults of the drive-end bearing and the healthy bearing at the motor loads 0 to 3, all at 48 kHz; in '
            '189, 201, 213, 226 and 238 (load 0) the drive-end and fan-end channels are one signal.',
            normal + faults_48k,
        ),
        _subset(
            'fan_end_12k',
            'Faults of the fan-end bearing, outer-race faults by position, taken at 12 kHz, and the healthy bearing, '
            'taken at 48 kHz, measured at the fan end; not every class exists at every load.',
            normal + select_files('fan_end_12k'),
            channel='FE',
        ),
    )


SUBSETS: dict[str, Subset] = {subset.name: subset for subset in _all_subsets()}
