"""What the benchmark `unseen` asks: every machine left out, and bearings left out of CWRU; and its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import fdx
from fdx.data.protocols.groups import by_bearing, num_parts
from fdx.datasets.bearing_rig.simulator import simulate_recording
from fdx.types import ConfigError, Recording

from .grid import Cell
from .unseen_adapted import AdaptedMel
from .unseen_linear import FrozenMusicnn, LinearMel
from .unseen_machines import MACHINES, STATES, Found, Machine, others_of
from .unseen_methods import EVIDENCE_CODE, ControlOrders, Judge, WhiteNoise
from .unseen_verdicts import Method, code_digest
from .unseen_with_machines import JudgeWithMachines

NAME = 'unseen'
RECORDINGS = 'recordings'  # the input of every cell, as `Cell` wants one
BY_BEARING = 'cwru_drive_end by_bearing'
# What a name plate may be off by: relative, to either side.
SPEED_ERROR = 0.04
SPEED_OFF = ('adi_cbm', 'hit_mfs')
# Two questions to every machine: which race, and with the ball.
QUESTIONS = (STATES[:3], STATES)
JUDGE_CODE = (
    *EVIDENCE_CODE,
    'predict/*zero_shot*.py',
    'predict/*evidence*.py',
    'predict/universal/**/*',
    'predict/speed_doubt.py',
    'signal/*evidence*.py',
    'signal/other_lines.py',
    'models/*evidence*.py',
)


@dataclasses.dataclass(frozen=True)
class Task:
    """A machine to be diagnosed.

    Attributes:
      name: as rows have it.
      machine: whose recordings are tested.
      by_bearing: whether methods learn from other bearings of this very machine, in place of other machines.
      speed_error: every recording is tested twice, its stated speed too high and too low by this share.
    """

    name: str
    machine: Machine
    by_bearing: bool = False
    speed_error: float = 0.0

    @property
    def words(self) -> str:
        """For the page."""
        if self.speed_error:
            error = f'{100 * self.speed_error:g} %'
            return f'{self.machine.words}; every recording twice, its stated speed {error} too high and {error} too low'
        return self.machine.words

    def suits(self, method: Method) -> bool:
        """Whether the method could give other verdicts here than on the machine's own task."""
        return method.reads_speed or not self.speed_error

    def folds(
        self, found: Mapping[str, Found], seed: int, learns: bool
    ) -> Iterator[tuple[tuple[Recording, ...], tuple[Recording, ...]]]:
        """Pairs (what is learned from, what is tested); every tested recording is in one pair.

        Args:
          found: of `read_machines`.
          seed: deals bearings.
          learns: whether the method learns; if not, there is one pair with nothing to learn from.
        """
        mine = found[self.machine.name].recordings
        tested = tuple(r for r in mine if r.fault_type != 'normal') if self.by_bearing else mine
        if self.speed_error:
            tested = with_wrong_speed(tested, self.speed_error)
        if not learns:
            yield (), tested
        elif self.by_bearing:
            yield from bearing_folds(mine, seed)
        else:
            yield others_of(self.machine, MACHINES, found), tested


def bearing_folds(
    recordings: Sequence[Recording], seed: int
) -> Iterator[tuple[tuple[Recording, ...], tuple[Recording, ...]]]:
    """Folds of the protocol `by_bearing` over the faults; the healthy recordings, of one bearing, are always learned.

    Raises:
      SplitError: a fault has one bearing.
    """
    healthy = [r for r in recordings if r.fault_type == 'normal']
    faulty = [r for r in recordings if r.fault_type != 'normal']
    table: Any = {
        'fault_type': np.array([STATES.index(r.fault_type) for r in faulty]),
        'bearing': np.array([r.bearing for r in faulty]),
        'recording': np.array([r.recording for r in faulty]),
        'block': np.zeros(len(faulty), np.int32),
    }
    for fold in range(num_parts(table, 'bearing', 'fault_type')):
        rows = by_bearing(table, fold, seed, 'fault_type')
        learned = [faulty[i] for name in ('train', 'validation') for i in rows[name]]
        yield (*healthy, *learned), tuple(faulty[i] for i in rows['test'])


def with_wrong_speed(recordings: Sequence[Recording], error: float) -> tuple[Recording, ...]:
    """Each recording twice, its stated speed too high and too low by a share."""
    return tuple(
        dataclasses.replace(r, recording=f'{r.recording} {sign:+d}', speed_rpm=r.speed_rpm * (1 + sign * error))
        for r in recordings
        for sign in (1, -1)
    )


def _no_judge() -> str:
    """Why `fdx.zero_shot` cannot be a row; '' where its results have probabilities."""
    recording = simulate_recording('rig_a', 'inner_race', 997.0, 1, duration_s=3.0, seed=0)
    result = fdx.zero_shot(recording)
    lacks = [name for name in ('probabilities', 'abstained') if not hasattr(result, name)]
    return f'results of fdx.zero_shot have no {" and no ".join(lacks)}' if lacks else ''


UNIVERSAL = Judge(
    name='universal',
    words='`fdx.zero_shot`: a network that has seen simulated machines and no real one, on the evidence of '
    '`control_orders`',
    judge_of=lambda others, seed: fdx.zero_shot,
    settings=lambda: {'code': code_digest(JUDGE_CODE)},
    why_missing=_no_judge,
)
METHODS: tuple[Method, ...] = (
    WhiteNoise(),
    ControlOrders(),
    UNIVERSAL,
    JudgeWithMachines(),
    AdaptedMel(),
    FrozenMusicnn(),
    LinearMel(),
)


def tasks() -> tuple[Task, ...]:
    """Every machine left out, some with a wrong speed, and CWRU's drive end by bearing."""
    left_out = tuple(Task(machine.name, machine) for machine in MACHINES)
    named = {machine.name: machine for machine in MACHINES}
    wrong = (Task(f'{n} speed_off', named[n], speed_error=SPEED_ERROR) for n in SPEED_OFF if n in named)
    return (*left_out, *wrong, Task(BY_BEARING, named['cwru_drive_end'], by_bearing=True))


def get_tasks(names: Sequence[str]) -> tuple[Task, ...]:
    """Tasks of the given names; ConfigError lists the known ones."""
    known = {task.name: task for task in tasks()}
    if not names or not set(names) <= set(known):
        raise ConfigError(f'`tasks`={",".join(names)}: `suite`={NAME} has {", ".join(known)}')
    return tuple(task for name, task in known.items() if name in names)


def get_methods(names: Sequence[str]) -> tuple[Method, ...]:
    """Methods of the given names; ConfigError lists the known ones."""
    known = [method.name for method in METHODS]
    if not names or not set(names) <= set(known):
        raise ConfigError(f'`methods`={",".join(names)}: `suite`={NAME} has {", ".join(known)}')
    return tuple(method for method in METHODS if method.name in names)


def seeds_of(method: Method, task: Task, seeds: int) -> int:
    """How many seeds make a difference: 1 where neither the method nor the split draws anything."""
    return seeds if method.draws or (task.by_bearing and method.learns) else 1


def cells(asked: Sequence[Task], methods: Sequence[Method], seeds: int) -> list[Cell]:
    """All runs, seed by seed, so that a stopped suite holds whole tables of fewer seeds."""
    return [
        Cell(NAME, task, RECORDINGS, method.name, seed)
        for seed in range(seeds)
        for method in methods
        for task in asked
        if seed < seeds_of(method, task, seeds) and task.suits(method)
    ]
