"""What the study of sound and image networks on bearings compares (Di Maggio, Sensors 23(1):211, 2023).

Four networks: VGGish with weights from elsewhere and a new classifier, the same from scratch, YAMNet from AudioSet with
a new classifier, and VGG16 on wavelet images. The study split its chunks at random; here every network is also asked
what the study left open: speeds, loads and machines that it has never seen.
"""

from __future__ import annotations

import dataclasses

from fdx.data.collection.own import OWN_BUILDERS, OwnRecordings
from fdx.types import ConfigError

from .grid import Cell
from .study_models import Model

NAME = 'study'
RIG, CWRU, ADI = 'bearing_rig', 'cwru', 'adi_cbm'
# Weights that VGGish starts from where those of AudioSet cannot be had: trained on another simulated machine.
RIG_A = 'bearing_rig/rig_a_small'
# The machine that neither the pretraining nor the training has seen.
OTHER_MACHINE = 'bearing_rig/rig_c_small'
ANOTHER = 'another machine'
BATCH_SIZE = 32


@dataclasses.dataclass(frozen=True)
class Task:
    """One question to a dataset.

    Attributes:
      name: as rows have it.
      protocol: key of fdx.data.protocols.splits.
      words: for the page.
      every_fold: whether all folds are scored together; else seed k takes fold k.
      label_key: what is learned.
      exclude: recordings that are left out.
      then: a further dataset, without its front end, on which the trained network is tested; '' for none.
    """

    name: str
    protocol: str
    words: str
    every_fold: bool = False
    label_key: str = 'label'
    exclude: tuple[str, ...] = ()
    then: str = ''


RANDOM = Task('random windows', 'random_windows', 'windows dealt at random, as in the study')
_BEARINGS = Task(
    'unseen bearings',
    'by_bearing',
    'faults of the kind ball, inner or outer race in bearings that were never seen; the healthy state is left out, '
    'because it was recorded with one bearing',
    every_fold=True,
    label_key='fault_type',
    exclude=('cwru_097_de',),
)
_SPEEDS = Task('unseen speeds', 'by_speed', 'a fifth of the speeds is never seen, another one validates')
TASKS: dict[str, tuple[Task, ...]] = {
    RIG: (
        dataclasses.replace(RANDOM, then=OTHER_MACHINE),
        dataclasses.replace(
            _SPEEDS,
            words='two neighbouring speeds of ten are never seen (the slowest two with seed 0, the next two with seed '
            '1, and so on), two others validate',
        ),
        Task(
            'unseen loads', 'by_domain', 'one of four load cases is never seen (case k with seed k), another validates'
        ),
    ),
    CWRU: (
        dataclasses.replace(
            RANDOM, words=f'{RANDOM.words}; they overlap, so that test windows share samples with training'
        ),
        _BEARINGS,
    ),
    ADI: (Task('unseen speeds', 'by_domain', 'each of five speeds is left out in turn', every_fold=True),),
    # Of the user's own recordings, those that fit.
    OWN_BUILDERS[0]: (
        RANDOM,
        _SPEEDS,
        Task('unseen loads', 'by_load', 'one load is never seen, another one validates'),
    ),
}


@dataclasses.dataclass(frozen=True)
class Source:
    """The recordings that are asked about.

    Attributes:
      stem: builder/config without a front end.
      own: the user's own recordings, for recordings/NAME; else None.
    """

    stem: str
    own: OwnRecordings | None = None

    @property
    def builder(self) -> str:
        """Name of the builder."""
        return self.stem.partition('/')[0]

    def dataset(self, front_end: str, stem: str = '') -> str:
        """builder/config with a front end; `stem` names other recordings than its own."""
        name = stem or self.stem
        # A config of a published dataset without a front end means the default one, vggish.
        return name if front_end == 'vggish' and self.builder not in OWN_BUILDERS else f'{name}-{front_end}'


def tasks_of(source: Source, asked: list[str] | None = None) -> tuple[Task, ...]:
    """The questions to a dataset.

    Args:
      source: the recordings.
      asked: names of some, with _ for blanks; None: all.

    Raises:
      ConfigError: the study has none for this dataset, or not those.
    """
    if source.builder not in TASKS:
        raise ConfigError(
            f'`dataset`={source.stem}: the study has questions for {", ".join(TASKS)}; for other data of your own use '
            'recordings/NAME with `manual_dir`'
        )
    known = {task.name.replace(' ', '_'): task for task in TASKS[source.builder]}
    if asked is not None and (not asked or not set(asked) <= set(known)):
        raise ConfigError(f'`questions`={",".join(asked)}: `dataset`={source.stem} has {", ".join(known)}')
    return tuple(task for name, task in known.items() if asked is None or name in asked)


def cells(source: Source, tasks: tuple[Task, ...], models: tuple[Model, ...], seed: int) -> list[Cell]:
    """All runs of a seed, network by network, so that the features of one are in memory for all of its questions."""
    # Questions to several datasets have the same names.
    suite = f'{NAME} {source.stem}'
    return [Cell(suite, task, model, model.budget, seed) for model in models for task in tasks]
