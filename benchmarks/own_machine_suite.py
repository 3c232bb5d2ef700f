"""What the own_machine benchmark asks: test benches as a new user has them, and ways to learn from forty files."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

from fdx.data.collection.entry import Shared
from fdx.data.collection.own import BUILDER, OwnRecordings
from fdx.data.collection.spec import CollectionSpec
from fdx.types import ConfigError

from .grid import Cell

if TYPE_CHECKING:
    from .own_dataset import OwnBench

NAME = 'own_machine'
# The settings of `fdx train` on own recordings.
LINEAR: dict[str, Any] = {
    'dropout_rate': 0.0,
    'batch_size': 256,
    'learning_rate': 0.03,
    'halve_every': 0,
    'patience': 40,
    'epochs': 120,
    'save_every': 12,
    'balance': 'class_weight',
}
NETWORK: dict[str, Any] = {
    'dropout_rate': 0.0,
    'batch_size': 32,
    'learning_rate': 1e-3,
    'halve_every': 0,
    'l2': 0.0,
    'patience': 12,
    'epochs': 60,
    'save_every': 6,
    'balance': 'class_weight',
}
# ADI's 13 conditions as seven classes: all four imbalances, and heavy and light defects, are one class each.
ADI_LABELS = (
    ('GoB_GS_BaLo_WA', 'normal'),
    ('GoB_GS_*Im*', 'imbalance'),
    ('GoB_GS_V*', 'imbalance'),
    ('*_MA', 'misalignment'),
    ('*_BS_*', 'bent_shaft'),
    ('?IR*', 'inner_race'),
    ('?OR*', 'outer_race'),
    ('?BF*', 'ball'),
)
ER_12K = 'pitch_diameter_mm=33.48,ball_diameter_mm=7.94,num_balls=8'
HIT_LABELS = (('Normal', 'normal'), ('IR*', 'inner_race'), ('OR*', 'outer_race'))


@dataclasses.dataclass(frozen=True)
class Bench:
    """A folder of recordings, described as its owner would.

    Attributes:
      folder: below the folder of raw recordings.
      pattern, labels, rate_hz, bearing: see CollectionSpec.
      axes: how many channels its files have.
    """

    folder: str
    pattern: str
    labels: tuple[tuple[str, str], ...]
    rate_hz: float
    bearing: str
    axes: int = 1

    def recordings(self, manual_dir: str, kind: Input) -> OwnRecordings:
        """What `fdx.prepare` takes for an input."""
        shared = Shared(sample_rate_hz=self.rate_hz, bearing=self.bearing, channel=kind.channel(self))
        source = pathlib.Path(manual_dir) / self.folder
        return OwnRecordings(CollectionSpec(str(source), self.pattern, self.labels, shared), kind.window_s)

    def dataset(self, kind: Input) -> str:
        """Name of the dataset of an input, one for each way of reading the files."""
        return dataset_name(f'{BUILDER}/{self.folder}', kind, self.axes)


def dataset_name(stem: str, kind: Input, axes: int) -> str:
    """'recordings/adi_cbm_axes-band_mel': how the files are read, behind the name of the recordings."""
    parts = [stem, 'axes' if kind.axes and axes > 1 else 'first']
    if kind.window_s:
        parts.append(f'{round(1000 * kind.window_s)}ms')
    return f'{"_".join(parts)}-{kind.front_end}'


ADI = Bench('adi_cbm', '{speed_rpm}_{label}_{load}.Wfm.csv', ADI_LABELS, 20000.0, ER_12K, axes=3)
HIT = Bench('hit_mfs', '{label}_{speed_rpm}.mat', HIT_LABELS, 51200.0, 'skf_6205')


@dataclasses.dataclass(frozen=True)
class Task:
    """A question to a bench.

    Attributes:
      name: as rows have it.
      bench: whose recordings.
      protocol: key of fdx.data.protocols.splits; all folds are scored together.
      words: for the page.
    """

    name: str
    bench: Bench | OwnBench
    protocol: str
    words: str


TASKS = (
    Task('adi by speed', ADI, 'by_domain', 'ADI, seven classes, 65 recordings of 2 s: each of five speeds is left out'),
    Task('adi time blocks', ADI, 'time_blocks', 'ADI, the same recordings: a block of time of each is left out'),
    Task(
        'hit by speed', HIT, 'by_domain', 'HIT, three classes, 21 recordings of 5 s: each of three speeds is left out'
    ),
)


@dataclasses.dataclass(frozen=True)
class Input:
    """A front end and the network behind it.

    Attributes:
      name: as rows have it.
      front_end: its name.
      model: the network.
      axes: whether it sees all axes of the bench, or the first alone.
      window_s: seconds of a window; None: what the front end needs.
      settings: of the training.
      by_size: whether the rest of the settings follows from the number of windows, as in `fdx train`.
      words: for the page.
    """

    name: str
    front_end: str
    model: str
    words: str
    axes: bool = False
    window_s: float | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=lambda: dict(NETWORK))
    by_size: bool = False

    def channel(self, bench: Bench) -> str:
        """Which channel is read; '' for all."""
        return '' if self.axes or bench.axes == 1 else '0'

    def suits(self, task: Task) -> bool:
        """Whether its windows leave five blocks in recordings of 2 s, where blocks are asked for."""
        short = self.front_end in ('band_mel', 'waveform')
        return (short or task.protocol != 'time_blocks') and not (self.axes and task.bench.axes == 1)


INPUTS = (
    Input(
        'linear, 0.25 s, all axes',
        'band_mel',
        'band_linear',
        'what `fdx train` chooses: log-mel over the whole band in 0.25 s, mean over time, logistic regression',
        axes=True,
        settings=dict(LINEAR),
    ),
    Input('linear, 0.25 s', 'band_mel', 'band_linear', 'the same on the first axis alone', settings=dict(LINEAR)),
    Input(
        'linear, 1 s',
        'musicnn',
        'band_linear',
        'log-mel up to 8 kHz in windows of 0.975 s, with logistic regression: the plain baseline',
        settings=dict(LINEAR),
    ),
    Input(
        'fault orders',
        'fault_orders',
        'cnn_small',
        'envelope spectra at the fault orders of the bearing in windows of 1 s, and a small network',
        window_s=1.0,
    ),
    Input(
        'cnn_small, 0.25 s, all axes',
        'band_mel',
        'cnn_small',
        'a small network on the images of the first row',
        axes=True,
    ),
    Input('cnn_small, 0.25 s', 'band_mel', 'cnn_small', 'the same on the first axis alone'),
)


def get_tasks(names: list[str]) -> tuple[Task, ...]:
    """Tasks of the given names; ConfigError lists the known ones."""
    known = [task.name for task in TASKS]
    if not names or not set(names) <= set(known):
        raise ConfigError(f'`tasks`={",".join(names)}: `suite`={NAME} has {", ".join(known)}')
    return tuple(task for task in TASKS if task.name in names)


def get_inputs(names: list[str]) -> tuple[Input, ...]:
    """Inputs whose names contain one of the given texts; ConfigError lists the known ones."""
    found = tuple(i for i in INPUTS if any(name.strip() in i.name for name in names))
    if not found:
        raise ConfigError(f'`inputs`={",".join(names)}: `suite`={NAME} has {"; ".join(i.name for i in INPUTS)}')
    return found


def cells(tasks: tuple[Task, ...], inputs: tuple[Input, ...], seeds: int) -> list[Cell]:
    """All runs, seed by seed, so that a stopped suite holds whole tables of fewer seeds."""
    return [
        Cell(NAME, task, kind, kind.model, seed)
        for seed in range(seeds)
        for task in tasks
        for kind in inputs
        if kind.suits(task)
    ]
