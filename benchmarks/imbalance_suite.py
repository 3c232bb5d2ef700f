"""What the imbalance benchmark compares: datasets whose rare classes are thinned, ratios, and remedies."""

from __future__ import annotations

import dataclasses
import fnmatch

from fdx.train.config import BALANCES
from fdx.types import ConfigError

from .grid import Cell

NAME = 'imbalance'
# smote makes readings of tables; these datasets hold images.
REMEDIES = tuple(balance for balance in BALANCES if balance != 'smote')
RATIOS = (1, 5, 20, 50)
# The network of every run, and its updates: as many for each remedy, however many rows a remedy makes.
MODEL, OPTIONS = 'cnn_small', {'width_multiplier': 0.5}
STEPS, BATCH_SIZE, LEARNING_RATE = 60, 32, 1e-3
# Settings of the generators, in place of the defaults of launch.synthesize. Each dataset, ratio and seed has its own.
GENERATOR = {'steps': 600, 'width': 8, 'log_every': 50, 'save_every': 4}


@dataclasses.dataclass(frozen=True)
class Task:
    """A dataset, its rare classes and how rare they are.

    Attributes:
      dataset_name: of the rows, before the ratio.
      dataset: builder/config as launch.train takes it.
      rare: patterns of the classes that are thinned.
      words: for the page.
      protocol: key of fdx.data.protocols.splits; seed K is scored on fold K.
      ratio: one training window of so many stays of a rare class.
    """

    dataset_name: str
    dataset: str
    rare: tuple[str, ...]
    words: str
    protocol: str = 'time_blocks'
    ratio: int = 1

    @property
    def name(self) -> str:
        """The dataset's name with the ratio, as rows have it."""
        return f'{self.dataset_name} 1:{self.ratio}'

    @property
    def imbalance(self) -> str:
        """`imbalance` of TrainConfig."""
        return ','.join(f'{pattern}=1:{self.ratio}' for pattern in self.rare)

    def is_rare(self, class_name: str) -> bool:
        """Whether a class is thinned."""
        return any(fnmatch.fnmatchcase(class_name, pattern) for pattern in self.rare)


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


def get_tasks(names: list[str]) -> tuple[Task, ...]:
    """Tasks of the given names; ConfigError lists the known ones."""
    known = [task.dataset_name for task in TASKS]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ConfigError(f'`tasks`={",".join(names)}: `suite`={NAME} has {", ".join(known)}')
    return tuple(task for task in TASKS if task.dataset_name in names)


def get_remedies(names: list[str]) -> tuple[str, ...]:
    """Remedies of the given names; ConfigError lists the known ones."""
    if not names or not set(names) <= set(REMEDIES):
        raise ConfigError(f'`methods`={",".join(names)}: `suite`={NAME} has {", ".join(REMEDIES)}')
    return tuple(name for name in REMEDIES if name in names)


def cells(tasks: tuple[Task, ...], remedies: tuple[str, ...], seeds: int) -> list[Cell]:
    """All runs, seed by seed, so that a stopped suite holds whole tables of fewer seeds."""
    return [
        Cell(NAME, dataclasses.replace(task, ratio=ratio), MODEL, remedy, seed)
        for seed in range(seeds)
        for task in tasks
        for ratio in RATIOS
        for remedy in remedies
    ]
