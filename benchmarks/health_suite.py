"""What the benchmark `health` asks: every method on every machine of which healthy recordings are there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fdx.types import ConfigError

from .grid import Cell
from .health_data import MACHINES, Machine
from .health_methods import Method

NAME = 'health'
INPUT = 'healthy_only'  # the input of every cell, as `Cell` wants one


@dataclasses.dataclass(frozen=True)
class Task:
    """A machine whose faults are to be found.

    Attributes:
      machine: whose recordings are learned and tested.
    """

    machine: Machine

    @property
    def name(self) -> str:
        """As rows have it."""
        return self.machine.name


def tasks() -> tuple[Task, ...]:
    """Every machine."""
    return tuple(Task(machine) for machine in MACHINES)


def get_tasks(names: Sequence[str]) -> tuple[Task, ...]:
    """Tasks of the given names; ConfigError lists the known ones."""
    known = {task.name: task for task in tasks()}
    if not names or not set(names) <= set(known):
        raise ConfigError(f'`tasks`={",".join(names)}: `suite`={NAME} has {", ".join(known)}')
    return tuple(task for name, task in known.items() if name in names)


def cells(asked: Sequence[Task], methods: Sequence[Method], seeds: int) -> list[Cell]:
    """All runs, seed by seed; seed 0 alone where neither the recordings nor the method are drawn."""
    return [
        Cell(NAME, task, INPUT, method.name, seed)
        for seed in range(seeds)
        for task in asked
        for method in methods
        if seed == 0 or task.machine.draws or method.draws
    ]
