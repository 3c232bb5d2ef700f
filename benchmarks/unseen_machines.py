"""The machines of the benchmark `unseen`: what each is, where its recordings come from, and what is missing of it."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Mapping, Sequence

from fdx.data.published_files import find_file
from fdx.datasets.adi_cbm import files as adi
from fdx.datasets.bearing_rig.simulator import recordings as simulated
from fdx.datasets.cwru.files import FILES as CWRU_FILES
from fdx.datasets.cwru.files import CwruFile
from fdx.datasets.cwru.grades import grade
from fdx.datasets.cwru.reader import read_file as read_cwru
from fdx.datasets.hit_sm import files as hit
from fdx.datasets.mfpt.files import SUBSETS as MFPT_SUBSETS
from fdx.datasets.mfpt.reader import read_file as read_mfpt
from fdx.datasets.mfpt.sources import FOLDER as MFPT_FOLDER
from fdx.types import ConfigError, DataError, Recording

STATES = ('normal', 'inner_race', 'outer_race', 'ball')
# Another trouble of the machine than its bearing's: the bearing is healthy, and that is what is asked.
HEALTHY_BEARINGS = ('normal', 'imbalance', 'misalignment', 'bent_shaft')
# 36 recordings of each simulated machine: six of the ten speeds and two of the four load cases of `bearing_rig`.
RIG_SPEEDS_RPM, RIG_LOADS, RIG_SECONDS, RIG_SEED = (227.0, 353.0, 523.0, 607.0, 877.0, 997.0), (1, 3), 12.0, 2023
NAMED = 6


@dataclasses.dataclass(frozen=True)
class Found:
    """What is there of a machine.

    Attributes:
      recordings: samples [T, 1], their `fault_type` among STATES.
      absent: names of files of the machine that are not there.
      strata: id of a recording -> how diagnosable it is known to be; {} where nobody has graded the machine.
    """

    recordings: tuple[Recording, ...]
    absent: tuple[str, ...] = ()
    strata: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Machine:
    """A machine that can be left out.

    Attributes:
      name: as rows have it.
      rig: machines of one rig are never trained on for each other.
      words: for the page.
      read: folder of raw recordings -> what is there; DataError says why nothing can be had.
    """

    name: str
    rig: str
    words: str
    read: Callable[[pathlib.Path], Found]


def _as_state(recording: Recording) -> Recording:
    state = 'normal' if recording.fault_type in HEALTHY_BEARINGS else recording.fault_type
    return dataclasses.replace(recording, fault_type=state)


def _cwru(groups: Sequence[str], channel: str) -> Callable[[pathlib.Path], Found]:
    def read(folder: pathlib.Path) -> Found:
        wanted = [f for f in CWRU_FILES.values() if f.group in ('normal', *groups) and channel in f.channels]
        paths = {f.number: find_file(f.name, [folder], 'cwru') for f in wanted}
        there = [f for f in wanted if paths[f.number] is not None]
        absent = tuple(f.name for f in wanted if paths[f.number] is None)
        if not any(f.group in groups for f in there):
            raise DataError(f'no file of its faults is there ({_some(absent)})')
        return Found(
            tuple(_read_cwru(paths[f.number], f, channel) for f in there),
            absent,
            {_read_id(f, channel): grade(f.number, channel) for f in there},
        )

    return read


def _read_id(file: CwruFile, channel: str) -> str:
    return f'cwru_{file.number:03d}_{channel.lower()}'


def _read_cwru(path: pathlib.Path | None, file: CwruFile, channel: str) -> Recording:
    if path is None:
        raise DataError(f'{file.name} is not there')
    return read_cwru(path, file, channel)


def _mfpt(folder: pathlib.Path) -> Found:
    wanted = MFPT_SUBSETS['all'].files
    paths = {f.stem: find_file(f.name, [folder], MFPT_FOLDER) for f in wanted}
    recordings = [read_mfpt(path, f) for f in wanted if (path := paths[f.stem]) is not None]
    absent = tuple(f.name for f in wanted if paths[f.stem] is None)
    if not recordings:
        raise DataError(f'no file of it is there ({_some(absent)})')
    return Found(tuple(recordings), absent)


def _adi(folder: pathlib.Path) -> Found:
    there = adi.entries(folder, axes=1)
    absent = tuple(f.name for f in adi.FILES if f'adi_{f.stem}' not in {e.recording for e in there})
    return Found(tuple(_as_state(adi.PUBLISHED.read(entry)) for entry in there), absent)


def _hit(name: str) -> Callable[[pathlib.Path], Found]:
    def read(folder: pathlib.Path) -> Found:
        for rig, place in hit.rigs_of(folder):
            if rig.name == name:
                return Found(tuple(rig.published.read(entry) for entry in hit.entries(rig, place)))
        raise DataError('no file of this rig is there')

    return read


def _rig(name: str) -> Callable[[pathlib.Path], Found]:
    def read(folder: pathlib.Path) -> Found:
        del folder
        settings = {'speeds': RIG_SPEEDS_RPM, 'load_cases': RIG_LOADS, 'duration_s': RIG_SECONDS, 'seed': RIG_SEED}
        return Found(tuple(simulated([name], **settings)))

    return read


MACHINES = (
    Machine('adi_cbm', 'adi', "Analog Devices' machine fault simulator, axis x, 2 s at 20 kHz, five speeds", _adi),
    Machine('hit_mfs', 'hit_mfs', "HIT-SM's SpectraQuest rig, 5 s at 51.2 kHz, three speeds", _hit('mfs')),
    Machine('hit_self_built', 'hit_self_built', "HIT-SM's second rig", _hit('self_built')),
    Machine('mfpt', 'mfpt', "MFPT's rig, 3 and 6 s at 49 and 98 kHz, one speed, loads", _mfpt),
    Machine(
        'cwru_drive_end',
        'cwru',
        'CWRU, faults of the drive end by its own sensor, 12 and 48 kHz, four loads',
        _cwru(('drive_end_12k', 'drive_end_48k'), 'DE'),
    ),
    Machine('cwru_fan_end', 'cwru', 'CWRU, faults of the fan end by its own sensor', _cwru(('fan_end_12k',), 'FE')),
    *(
        Machine(name, name, f'simulated machine {name} of `bearing_rig`: 3 states, 6 speeds, 2 loads, 12 s', _rig(name))
        for name in ('rig_a', 'rig_b', 'rig_c')
    ),
)


def _some(names: Sequence[str]) -> str:
    more = f' and {len(names) - NAMED} more' if len(names) > NAMED else ''
    return ', '.join(names[:NAMED]) + more


def read_machines(machines: Sequence[Machine], folder: str) -> tuple[dict[str, Found], dict[str, str]]:
    """What is there of every machine, and what is not.

    Args:
      machines: some of MACHINES.
      folder: of raw recordings.

    Returns:
      (machine -> its recordings, machine -> why it is skipped or which of its files are absent).

    Raises:
      DataError: two recordings have one id, or a state that this benchmark does not know.
    """
    found: dict[str, Found] = {}
    missing: dict[str, str] = {}
    for machine in machines:
        try:
            found[machine.name] = machine.read(pathlib.Path(folder))
        except DataError as e:
            missing[machine.name] = f'skipped: {str(e).replace(folder, "the folder")}'
            continue
        if absent := found[machine.name].absent:
            missing[machine.name] = f'{len(absent)} of its files are not here: {_some(absent)}'
    ids = [r.recording for f in found.values() for r in f.recordings]
    if len(set(ids)) < len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        raise DataError(f'recordings with one id on two machines: {_some(twice)}')
    for recording in itertools.chain.from_iterable(f.recordings for f in found.values()):
        if recording.fault_type not in STATES:
            raise DataError(f'{recording.recording}: state {recording.fault_type!r} is not among {", ".join(STATES)}')
    return found, missing


def others_of(machine: Machine, machines: Sequence[Machine], found: Mapping[str, Found]) -> tuple[Recording, ...]:
    """Labelled recordings of all machines that are there and are not of the tested machine's rig."""
    return tuple(r for m in machines if m.name in found and m.rig != machine.rig for r in found[m.name].recordings)


def get_machines(names: Sequence[str]) -> tuple[Machine, ...]:
    """Machines of the given names; ConfigError lists the known ones."""
    known = [machine.name for machine in MACHINES]
    if not names or not set(names) <= set(known):
        raise ConfigError(f'`tasks`={",".join(names)}: the machines are {", ".join(known)}')
    return tuple(machine for machine in MACHINES if machine.name in names)
