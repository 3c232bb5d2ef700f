"""The 20 recordings of MFPT's test rig as a table, and the subsets that the builder offers.

E. Bechhoefer, "Condition Based Maintenance Fault Database for Testing of Diagnostic and Prognostics Algorithms", MFPT
Society, 2013. One bearing type (NICE), one shaft speed (25 Hz), three states. What the files hold:

    baseline_1 .. 3           healthy, 6 s at 97,656 Hz, 270 lbs
    OuterRaceFault_1 .. 3     the same rate, length and load
    OuterRaceFault_vload_1 .. 7   3 s at 48,828 Hz, 25, 50, 100, 150, 200, 250 and 300 lbs
    InnerRaceFault_vload_1 .. 7   the same rate and length, 0, 50, 100, 150, 200, 250 and 300 lbs

The archive also holds recordings of real machines without such facts; they are left out.
"""

from __future__ import annotations

import dataclasses

ARCHIVE_URL = 'https://mfpt.org/wp-content/uploads/2020/02/MFPT-Fault-Data-Sets-20200227T131140Z-001.zip'
MIRROR_URL = 'https://github.com/mathworks/RollingElementBearingFaultDiagnosis-Data'
FAULTS = ('normal', 'inner_race', 'outer_race')
LOW_RATE_HZ = 48828
HIGH_RATE_HZ = 97656
SHAFT_HZ = 25.0
GEOMETRY = 'nice_mfpt'

_STEADY_LOAD_LBS = 270
_INNER_LOADS_LBS = (0, 50, 100, 150, 200, 250, 300)
_OUTER_LOADS_LBS = (25, 50, 100, 150, 200, 250, 300)


@dataclasses.dataclass(frozen=True)
class MfptFile:
    """One file: one recording of the rig.

    Attributes:
      stem: name of the file without '.mat'.
      recording: id of the recording, e.g. 'mfpt_inner_race_3'.
      fault: one of FAULTS.
      load_lbs: radial load in lbs.
      rate_hz: the rate at which the samples were taken.
      duration_s: length in seconds.
    """

    stem: str
    recording: str
    fault: str
    load_lbs: int
    rate_hz: int
    duration_s: float

    @property
    def name(self) -> str:
        """Name of the file, e.g. 'baseline_1.mat'."""
        return f'{self.stem}.mat'

    @property
    def bearing(self) -> str:
        """The fault, since nothing else is documented about which physical bearing was recorded."""
        return self.fault

    @property
    def domain(self) -> str:
        """Operating condition, e.g. 'load250' (lbs)."""
        return f'load{self.load_lbs}'

    @property
    def length(self) -> int:
        """Samples of the signal."""
        return round(self.duration_s * self.rate_hz)


def _steady(stem: str, fault: str, name: str) -> list[MfptFile]:
    """The three recordings of a state at 97,656 Hz; `name` is part of their ids."""
    return [
        MfptFile(f'{stem}_{i}', f'mfpt_{name}_{i}', fault, _STEADY_LOAD_LBS, HIGH_RATE_HZ, 6.0) for i in range(1, 4)
    ]


def _by_load(stem: str, fault: str, loads_lbs: tuple[int, ...]) -> list[MfptFile]:
    """The recordings of a fault at 48,828 Hz, one per load."""
    return [
        MfptFile(f'{stem}_vload_{i}', f'mfpt_{fault}_{i}', fault, load, LOW_RATE_HZ, 3.0)
        for i, load in enumerate(loads_lbs, 1)
    ]


_ALL = (
    *_steady('baseline', 'normal', 'normal'),
    *_by_load('InnerRaceFault', 'inner_race', _INNER_LOADS_LBS),
    *_by_load('OuterRaceFault', 'outer_race', _OUTER_LOADS_LBS),
    *_steady('OuterRaceFault', 'outer_race', 'outer_race_270lbs'),
)
FILES: dict[str, MfptFile] = {file.stem: file for file in _ALL}


@dataclasses.dataclass(frozen=True)
class Subset:
    """A task: some of the files.

    Attributes:
      name: first part of the names of the builder's configs.
      description: one sentence for the dataset's page.
      files: the recordings, by class and then by load.
    """

    name: str
    description: str
    files: tuple[MfptFile, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in their fixed order: 'normal' (where it occurs), 'inner_race', 'outer_race'."""
        return tuple(fault for fault in FAULTS if any(file.fault == fault for file in self.files))

    @property
    def lowest_rate_hz(self) -> int:
        """The lowest sampling rate among the files: all are brought to its bandwidth (law 3)."""
        return min(file.rate_hz for file in self.files)


SUBSETS: dict[str, Subset] = {
    subset.name: subset
    for subset in (
        Subset(
            'faults',
            'Inner-race and outer-race faults at seven loads each, 14 recordings of 3 s, all at 48,828 Hz.',
            tuple(file for file in _ALL if file.rate_hz == LOW_RATE_HZ),
        ),
        Subset(
            'all',
            'The healthy bearing (taken at 97,656 Hz), inner-race faults (48,828 Hz) and outer-race faults (both '
            'rates), 20 recordings brought to 48,828 Hz and one band.',
            _ALL,
        ),
    )
}
