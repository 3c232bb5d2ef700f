"""What the imbalance benchmark compares: datasets whose rare classes are thinned, ratios, and remedies."""

from __future__ import annotations

import dataclasses

from fdx.train.config import BALANCES
from fdx.types import ConfigError

NAME = 'imbalance'
# Readings are no images: smote has no part here.
REMEDIES = tuple(balance for balance in BALANCES if balance != 'smote')
RATIOS = (1, 5, 20, 50)
# Of every run: the network, and its updates, the same number whatever a remedy makes of the rows.
MODEL, OPTIONS = 'cnn_small', {'width_multiplier': 0.5}
STEPS, BATCH_SIZE, LEARNING_RATE = 60, 32, 1e-3
# Of every generator, in place of the defaults of launch.synthesize: one for each dataset, ratio and seed.
GENERATOR = {'steps': 600, 'width': 8, 'log_every': 50, 'save_every': 4}


@dataclasses.dataclass(frozen=True)
class Task:
    """A dataset and its rare classes.

    Attributes:
      name: of the rows, before the ratio.
      dataset: builder/config as launch.train takes it.
      rare: patterns of the classes that are thinned.
      words: for the page.
      protocol: key of fdx.data.protocols.splits; seed K is scored on fold K.
    """

    name: str
    dataset: str
    rare: tuple[str, ...]
    words: str
    protocol: str = 'time_blocks'

    def imbalance(self, ratio: int) -> str:
        """--imbalance of a ratio."""
        return ','.join(f'{pattern}=1:{ratio}' for pattern in self.rare)


TASKS = (
    Task(
        'cwru/load0_12k',
        'cwru/load0_12k-vggish',
        ('*_007', '*_014'),
        'CWRU at load 0, ten classes: defects of 0.007 and 0.014 inches are rare beside those of 0.021',
    ),
    Task(
        'bearing_rig',
        'bearing_rig/small',
        ('inner_race', 'outer_race'),
        'simulated bearing (rig_b), three states at ten speeds and four loads: both faults are rare',
    ),
)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run: everything that decides it."""

    task: Task
    ratio: int
    remedy: str
    seed: int

    @property
    def name(self) -> str:
        """The task with its ratio, as rows have it."""
        return f'{self.task.name} 1:{self.ratio}'


def get_tasks(names: list[str]) -> tuple[Task, ...]:
    """Tasks of the given names; ConfigError lists the known ones."""
    known = [task.name for task in TASKS]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ConfigError(f'--tasks={",".join(names)}: --suite={NAME} has {", ".join(known)}')
    return tuple(task for task in TASKS if task.name in names)


def get_remedies(names: list[str]) -> tuple[str, ...]:
    """Remedies of the given names; ConfigError lists the known ones."""
    if not names or not set(names) <= set(REMEDIES):
        raise ConfigError(f'--methods={",".join(names)}: --suite={NAME} has {", ".join(REMEDIES)}')
    return tuple(name for name in REMEDIES if name in names)


def cells(tasks: tuple[Task, ...], remedies: tuple[str, ...], seeds: int) -> list[Cell]:
    """All runs, seed by seed, so that a stopped suite holds whole tables of fewer seeds."""
    return [
        Cell(task, ratio, remedy, seed)
        for seed in range(seeds)
        for task in tasks
        for ratio in RATIOS
        for remedy in remedies
    ]
