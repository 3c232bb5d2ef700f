"""The machines of the benchmark `health`: their healthy recordings, what is tested, and what of them is missing."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fdx.data.published_files import find_file
from fdx.datasets.adi_cbm import files as adi
from fdx.datasets.bearing_rig.simulator import simulate_recording as simulate_rig
from fdx.datasets.cwru.files import FILES as CWRU_FILES
from fdx.datasets.cwru.reader import read_file as read_cwru
from fdx.datasets.femto import files as femto
from fdx.datasets.hit_sm import files as hit
from fdx.datasets.motor_rig.conditions import state_conditions
from fdx.datasets.motor_rig.simulator import simulate_recording as simulate_motor
from fdx.types import DataError, Recording

# Simulated machines: recordings of each operating state that are learned, healthy ones that are judged, faulty ones.
LEARNED, FRESH, FAULTY = 20, 30, 5
RIG_SPEEDS_RPM, RIG_LOADS, RIG_SECONDS = (607.0, 997.0), (1, 3), 2.5
MOTOR, MOTOR_SECONDS, MOTOR_FAULTY = 'motor_a', 4.0, 3
# A life's beginning, that is learned, and the parts of it in which an alarm is false.
BEGINNING, FALSE_UNTIL = 0.1, 1 / 3


@dataclasses.dataclass(frozen=True)
class Material:
    """Recordings of a machine.

    Attributes:
      healthy: what the baseline is learned from, in the order of time.
      tested: faulty recordings; of a life, everything after its beginning in the order of time.
      kinds: what each tested recording is, e.g. 'outer_race, heavy'; '' in a life.
      fresh: healthy recordings that are judged and never learned from.
      ages: float64, of a life: which share of it has passed at each tested recording; else empty.
    """

    healthy: tuple[Recording, ...]
    tested: tuple[Recording, ...]
    kinds: tuple[str, ...]
    fresh: tuple[Recording, ...] = ()
    ages: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))


@dataclasses.dataclass(frozen=True)
class Machine:
    """A machine of the benchmark.

    Attributes:
      name: as rows have it.
      words: for the page.
      read: (folder of raw recordings, seed) -> its recordings; DataError says why they cannot be had.
      piece_s: seconds of the pieces that stand for recordings, where there are few; None: recordings are the units.
      draws: whether the seed decides the recordings.
      life: whether it was run until it failed.
    """

    name: str
    words: str
    read: Callable[[pathlib.Path, int], Material]
    piece_s: float | None = None
    draws: bool = False
    life: bool = False


def _adi(folder: pathlib.Path, seed: int) -> Material:
    grades = {'H': 'heavy', 'L': 'light'}
    loads = {'VLIL': 'very low', 'LImL': 'low', 'HImL': 'high', 'VHIL': 'very high'}
    healthy, tested, kinds = [], [], []
    for entry in adi.entries(folder, axes=len(adi.AXES)):
        if entry.load:
            continue
        recording = adi.PUBLISHED.read(entry)
        if entry.fault_type == 'normal':
            healthy.append(recording)
            continue
        bearing, _, load, _ = entry.bearing_id.split('_')
        grade = grades[bearing[0]] if bearing[0] in grades else loads.get(load, '')
        tested.append(recording)
        kinds.append(f'{entry.fault_type}, {grade}' if grade else entry.fault_type)
    return Material(tuple(healthy), tuple(tested), tuple(kinds))


def _cwru(folder: pathlib.Path, seed: int) -> Material:
    groups = ('normal', 'drive_end_12k', 'drive_end_48k')
    wanted = [f for f in CWRU_FILES.values() if f.group in groups and 'DE' in f.channels]
    there = [(f, path) for f in wanted if (path := find_file(f.name, [folder], 'cwru')) is not None]
    loads = {f.load_hp for f, _ in there if f.fault == 'normal'}
    healthy = [read_cwru(path, f, 'DE') for f, path in there if f.fault == 'normal']
    faulty = [(f, read_cwru(path, f, 'DE')) for f, path in there if f.fault != 'normal' and f.load_hp in loads]
    if not healthy or not faulty:
        raise DataError('no healthy file or no file of a drive-end fault is there')
    sizes = [f'{f.fault}, {1000 * (f.size_in or 0):.0f} mil' for f, _ in faulty]
    return Material(tuple(healthy), tuple(r for _, r in faulty), tuple(sizes))


def _hit(name: str) -> Callable[[pathlib.Path, int], Material]:
    def read(folder: pathlib.Path, seed: int) -> Material:
        for rig, place in hit.rigs_of(folder):
            if rig.name == name:
                found = [rig.published.read(entry) for entry in hit.entries(rig, place)]
                tested = [r for r in found if r.fault_type != 'normal']
                sizes = [r.bearing.rsplit('_', 1)[-1].removesuffix('deg') for r in tested]
                return Material(
                    tuple(r for r in found if r.fault_type == 'normal'),
                    tuple(tested),
                    tuple(f'{r.fault_type}, {size} degrees' for r, size in zip(tested, sizes)),
                )
        raise DataError('no file of this rig is there')

    return read


def _rig(name: str, learned: int | None = None) -> Callable[[pathlib.Path, int], Material]:
    """`learned`: recordings of each operating state that are learned; None: LEARNED."""

    def take(state: str, number: int, seed: int) -> Iterator[Recording]:
        for speed in RIG_SPEEDS_RPM:
            for load in RIG_LOADS:
                made = simulate_rig(name, state, speed, load, duration_s=RIG_SECONDS, seed=1000 * seed + number)
                yield dataclasses.replace(made, recording=f'{made.recording}-take{number}')

    def read(folder: pathlib.Path, seed: int) -> Material:
        healthy = [list(take('normal', i, seed)) for i in range(LEARNED + FRESH)]
        faulty = [r for state in ('inner_race', 'outer_race') for i in range(FAULTY) for r in take(state, i, seed)]
        return Material(
            tuple(r for part in healthy[: learned or LEARNED] for r in part),
            tuple(faulty),
            tuple(r.fault_type for r in faulty),
            tuple(r for part in healthy[LEARNED:] for r in part),
        )

    return read


def _motor(folder: pathlib.Path, seed: int) -> Material:
    def take(conditions: Sequence, number: int) -> list[Recording]:
        settings = {'duration_s': MOTOR_SECONDS, 'seed': seed, 'take': number + 1}
        return [simulate_motor(MOTOR, c, **settings) for c in conditions]

    conditions = state_conditions()
    good = [c for c in conditions if c.state == 'healthy']
    bad = [c for c in conditions if c.state != 'healthy']
    healthy = [take(good, i) for i in range(LEARNED + FRESH)]
    faulty = [r for i in range(MOTOR_FAULTY) for r in take(bad, i)]
    return Material(
        tuple(r for part in healthy[:LEARNED] for r in part),
        tuple(faulty),
        tuple(c.state for _ in range(MOTOR_FAULTY) for c in bad),
        tuple(r for part in healthy[LEARNED:] for r in part),
    )


def _femto(bearing: str) -> Callable[[pathlib.Path, int], Material]:
    def read(folder: pathlib.Path, seed: int) -> Material:
        thirds = [e for e in femto.entries(folder, axes=2) if e.bearing_id == bearing]
        if not thirds:
            raise DataError('no file of it is there')
        files = [(entry, file) for entry in thirds for file in entry.files]
        found, ages = [], []
        for entry, file in files:
            name = f'{bearing}_{file.stem}'
            one = dataclasses.replace(entry, recording=name, files=(file,), run=name, place=f'{bearing}/{file.name}')
            found.append(femto.PUBLISHED.read(one))
            ages.append(int(file.stem.removeprefix('acc_')) / femto.LAST_FILE[bearing])
        age = np.array(ages)
        first = int(np.searchsorted(age, BEGINNING, side='right'))
        return Material(tuple(found[:first]), tuple(found[first:]), ('',) * (len(found) - first), ages=age[first:])

    return read


# What a baseline of one healthy recording per state, as on ADI, HIT and CWRU, makes of other healthy recordings.
CONTROL = 'rig_a_one'
_RIG = 'simulated machine {} of `bearing_rig`, two speeds and two loads, 2.5 s'
MACHINES = (
    Machine('adi_cbm', 'Analog Devices, three axes, 2 s at 20 kHz, five speeds, without load', _adi, 0.1),
    Machine('cwru', 'CWRU, drive end by its own sensor, at the loads of the healthy files that are there', _cwru, 0.05),
    Machine('hit_mfs', 'HIT-SM, first rig, one channel, 5 s at 51.2 kHz, three speeds', _hit('mfs'), 0.15),
    Machine('hit_self_built', "HIT-SM's second rig", _hit('self_built'), 0.15),
    *(Machine(name, _RIG.format(name), _rig(name), draws=True) for name in ('rig_a', 'rig_b', 'rig_c')),
    Machine(
        CONTROL,
        'a control: rig_a, learned from one healthy recording of each speed and load, cut into pieces of 0.1 s',
        _rig('rig_a', 1),
        0.1,
        draws=True,
    ),
    Machine(
        'motor_rig',
        f'simulated {MOTOR} of `motor_rig`, three axes, 4 s at 528 Hz, two loads, with and without a second motor',
        _motor,
        draws=True,
    ),
    *(
        Machine(
            f'femto_{name.removeprefix("Bearing")}',
            f'PRONOSTIA, {name}, two sensors, 0.1 s at 25.6 kHz',
            _femto(name),
            0.02,
            life=True,
        )
        for name in femto.LAST_FILE
    ),
)
