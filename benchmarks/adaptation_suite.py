"""What the adaptation benchmarks compare: pairs of domains, inputs with their networks, and methods."""

from __future__ import annotations

import dataclasses
import itertools

from fdx.adapt.methods import METHODS
from fdx.types import ConfigError

from .grid import Cell


@dataclasses.dataclass(frozen=True)
class Input:
    """An input with the network that takes it. Settings are the same for all methods.

    Attributes:
      name: of the rows.
      front_end: of both datasets.
      model: name in fdx.models.
      options: of the model.
      words: for the page.
    """

    name: str
    front_end: str
    model: str
    options: dict
    words: str


@dataclasses.dataclass(frozen=True)
class Pair:
    """One task: a source and a target.

    Attributes:
      name: of the rows.
      source: dataset and domains as launch.adapt takes them, {} in place of the front end's suffix.
      target: likewise.
      protocols: of source and target.
      rotates: whether the folds of both follow the seed. Where recordings are few, each seed holds out another part.
    """

    name: str
    source: str
    target: str
    protocols: tuple[str, str] = ('time_blocks', 'time_blocks')
    rotates: bool = False


@dataclasses.dataclass(frozen=True)
class Suite:
    """A benchmark.

    Attributes:
      name: of --suite.
      words: heading of the page.
      label_key: what is classified.
      pairs: tasks.
      inputs: names in INPUTS.
      adapted: names of the inputs that are adapted; the others are learned from the source alone.
      few: input -> its methods where the caller names none: a slow input does not need all of them.
      labels_per_class: source windows of each class that are learned from, 0 for all.
      epochs: of training at most; a run stops earlier once source and term have settled for PATIENCE epochs.
      generalises: whether no method sees a window of the target, so that all of them are scored for every input.
    """

    name: str
    words: str
    label_key: str
    pairs: tuple[Pair, ...]
    inputs: tuple[str, ...]
    adapted: tuple[str, ...]
    few: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    labels_per_class: int = 0
    epochs: int = 60
    generalises: bool = False


PATIENCE = 10
BATCH_SIZE, LEARNING_RATE = 32, 1e-3
DEFAULT_METHODS = (
    'source_only',
    'adabn',
    'mk_mmd',
    'jmmd',
    'coral',
    'dann',
    'cdan',
    'cdan_e',
    'mcc',
    'entropy',
    'dirt_t',
)

# Of several labelled domains for one that nobody has recorded yet.
GENERALISING = ('source_only', 'domain_mixup', 'group_dro', 'mix_style')

INPUTS = {
    i.name: i
    for i in (
        Input('time', 'waveform', 'cnn1d', {}, '1024 samples, mean 0, standard deviation 1'),
        Input('mel', 'musicnn', 'band_mlp', {}, 'log-mel of 0.975 s, averaged over time'),
        Input('envelope', 'envelope_spectrum', 'cnn1d', {}, 'envelope spectrum in shaft orders'),
        Input('fault_orders', 'fault_orders', 'cnn_small', {}, "envelope spectra at the bearing's fault orders"),
    )
}

_LOADS = [f'load{i}' for i in range(4)]
_RIGS = ('rig_a', 'rig_b', 'rig_c')


def _from_others(load: str) -> Pair:
    """The task of one load from all others."""
    others = '+'.join(other for other in _LOADS if other != load)
    return Pair(f'{others} -> {load}', f'cwru/faults_12k{{}}:{others}', f'cwru/faults_12k{{}}:{load}', rotates=True)


SUITES = {
    s.name: s
    for s in (
        Suite(
            'loads',
            'CWRU, nine faults of the drive end, from every motor load to every other (12 pairs)',
            'label',
            tuple(
                # The test part of a load holds one window per class, so each seed scores another one.
                Pair(f'{a} -> {b}', f'cwru/faults_12k{{}}:{a}', f'cwru/faults_12k{{}}:{b}', rotates=True)
                for a, b in itertools.permutations(_LOADS, 2)
            ),
            ('mel', 'time'),
            ('mel', 'time'),
            # A run takes minutes: 11 methods would take two days.
            few={'time': ('source_only', 'jmmd', 'dann', 'cdan', 'mk_mmd')},
        ),
        Suite(
            'machines',
            'CWRU drive end and MFPT: inner against outer race on a machine whose labels nobody has',
            'fault_type',
            (
                Pair('cwru -> mfpt', 'cwru/faults_12k{}', 'mfpt/faults{}', ('time_blocks', 'by_recording'), True),
                Pair('mfpt -> cwru', 'mfpt/faults{}', 'cwru/faults_12k{}', ('by_recording', 'time_blocks'), True),
            ),
            ('fault_orders', 'envelope', 'mel', 'time'),
            ('mel',),
            labels_per_class=200,
        ),
        Suite(
            'rigs',
            'Three simulated machines, three states, from every machine to every other (6 pairs)',
            'label',
            tuple(
                Pair(f'{a} -> {b}', f'bearing_rig/machines_long{{}}:{a}', f'bearing_rig/machines_long{{}}:{b}')
                for a, b in itertools.permutations(_RIGS, 2)
            ),
            ('fault_orders', 'mel'),
            ('fault_orders', 'mel'),
        ),
        Suite(
            'generalise',
            'CWRU, nine faults of the drive end, from three motor loads to the fourth, of which training sees nothing',
            'label',
            tuple(_from_others(load) for load in _LOADS),
            ('mel', 'time'),
            ('mel', 'time'),
            # Three loads are three times the windows of one, and a run of raw windows takes minutes.
            few={'time': ('source_only', 'domain_mixup', 'mix_style')},
            generalises=True,
        ),
    )
}


def get_suite(name: str) -> Suite:
    """The suite of a name; ConfigError lists the known ones."""
    if name not in SUITES:
        raise ConfigError(f'`suite`={name}: there are {", ".join(SUITES)}')
    return SUITES[name]


def default_methods(suite: Suite) -> tuple[str, ...]:
    """The methods that a suite compares where the caller names none; a slow input has some of them."""
    return GENERALISING if suite.generalises else DEFAULT_METHODS


def sees_target(method: str) -> bool:
    """Whether training, or the network that it leaves, depends on windows of the target."""
    return METHODS[method].sees_target or METHODS[method].target_statistics


def scores_all(cell: Cell) -> bool:
    """Whether every window of the target is scored: training sees none, and no method of this input does.

    Where others adapt, source_only is scored on the same test part, or their rows could not be compared.
    """
    unadapted = cell.suite.generalises or cell.input.name not in cell.suite.adapted
    return unadapted and not sees_target(cell.method)


def fold_of(cell: Cell) -> int:
    """The fold of both protocols."""
    return cell.seed if cell.task.rotates else 0


def protocol_of(cell: Cell) -> str:
    """How windows were split, in words; without the fold."""
    source, target = cell.task.protocols
    return f'source {source}, {"all target windows" if scores_all(cell) else f"test part of {target}"}'


def cells(suite: Suite, inputs: tuple[str, ...], methods: tuple[str, ...] | None, seeds: int) -> list[Cell]:
    """All runs, seed by seed and the cheap inputs first, so that a stopped suite holds whole tables of fewer seeds.

    Where the caller names no methods, an input has those of `few`, or else all.
    """
    return [
        Cell(suite, pair, INPUTS[name], method, seed)
        for seed in range(seeds)
        for name in suite.inputs
        if name in inputs
        for method in (suite.few.get(name, default_methods(suite)) if methods is None else methods)
        if method == 'source_only' or name in suite.adapted
        for pair in suite.pairs
    ]
