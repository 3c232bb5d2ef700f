"""What a comparison will do: datasets, pretraining and runs, all checked before anything is trained."""

from __future__ import annotations

import dataclasses
import logging
import pathlib
from collections.abc import Callable, Sequence

from fdx.data.builders import known_builder
from fdx.data.collection.own import OWN_BUILDERS, OwnRecordings, split_name
from fdx.data.prepare import prepare_if_missing
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.source import Dataset, open_dataset
from fdx.models.registry import check_input_shape
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

from .compare_front_ends import check_comparable, configs_of_front_ends
from .compare_runs import Run, check_workdir, plan_runs
from .compare_strategies import Strategy

logger = logging.getLogger(__name__)

PRETRAIN = Strategy('pretrain', 'none', False, 'all layers, random weights')


@dataclasses.dataclass(frozen=True)
class Design:
    """What every front end is compared by.

    Attributes:
      budget: the common one; its dataset is the base whose front end the others replace.
      strategies: of parse_strategies.
      protocols: their names.
      seeds: one run for each.
      every_fold: all folds of the protocols; else the one of `budget`.
      pretrain_dataset: on which the weights are trained first; None: they are those of the budget's init.
      pretrain_epochs: as many as the budget's where None.
      manual_dir: folder of raw recordings; None: see `fdx.data.prepare.prepare`.
      recordings: the user's own, where the dataset is recordings/NAME.
      notify: called with a line where a dataset is prepared.
    """

    budget: TrainConfig
    strategies: Sequence[Strategy]
    protocols: Sequence[str]
    seeds: Sequence[int]
    every_fold: bool = False
    pretrain_dataset: str | None = None
    pretrain_epochs: int | None = None
    manual_dir: str | None = None
    recordings: OwnRecordings | None = None
    notify: Callable[[str], None] = logger.info


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """The comparison of strategies on one front end.

    Attributes:
      label: name of the front end where there are several, else ''.
      config: the common budget on this dataset; its init names the weights.
      dataset: opened.
      root: folder of the runs.
      pretraining: the run that makes the weights; None where they come from elsewhere.
      runs: every other run, in order.
    """

    label: str
    config: TrainConfig
    dataset: Dataset
    root: pathlib.Path
    pretraining: Run | None
    runs: list[Run]


def plan(design: Design, front_ends: Sequence[str] | None, root: pathlib.Path) -> list[Part]:
    """A part for each front end, below root/FRONT_END where there are several; one in root itself where there is one.

    Args:
      design: what to compare, with the dataset that names the base.
      front_ends: their names, the reference first; None: just the dataset as it is named.
      root: of the workdirs.

    Raises:
      FdxError: unknown front ends, datasets that cannot be prepared or do not fit, workdirs of other runs.
    """
    if front_ends is None:
        return [_plan_part(design, root)]
    if not front_ends or len(set(front_ends)) < len(front_ends):
        raise ConfigError(f'`front_ends`={",".join(front_ends)}: at least one, each once')
    names = _of_front_ends(design.budget.dataset, front_ends, 'dataset')
    sources: list[str | None] = [None] * len(names)
    if design.pretrain_dataset:
        sources = [*_of_front_ends(design.pretrain_dataset, front_ends, 'pretrain_dataset')]
    parts = []
    for front_end, name, source in zip(front_ends, names, sources, strict=True):
        budget = dataclasses.replace(design.budget, dataset=name)
        of_front_end = dataclasses.replace(design, budget=budget, pretrain_dataset=source)
        label = front_end if len(names) > 1 else ''
        parts.append(_plan_part(of_front_end, root / label, label))
    check_comparable([part.dataset for part in parts], design.budget.label_key)
    return parts


def _of_front_ends(dataset: str, front_ends: Sequence[str], parameter: str) -> list[str]:
    builder, _, config = dataset.partition('/')
    if builder in OWN_BUILDERS:  # Any front end that suits the channels can be prepared.
        return [f'{builder}/{split_name(config)[0]}-{front_end}' for front_end in front_ends]
    configs = known_builder(dataset.partition('/')[0], parameter, dataset).BUILDER_CONFIGS
    return configs_of_front_ends(dataset, front_ends, {c.name: c.front_end for c in configs}, parameter)


def _plan_part(design: Design, root: pathlib.Path, label: str = '') -> Part:
    config = design.budget
    config, dataset = _open(config, design)
    folds = _folds(design, dataset)
    pretraining = _pretraining(design, dataset, root)
    if pretraining:
        config = dataclasses.replace(config, init=str(pretraining.workdir))
    runs = plan_runs(config, design.strategies, folds, design.seeds, root)
    for run in runs:
        check_workdir(run, dataset)
    return Part(label, config, dataset, root, pretraining, runs)


def _open(config: TrainConfig, design: Design) -> tuple[TrainConfig, Dataset]:
    """The dataset, prepared where it is not yet; it fits the model. The config names its version."""
    own = design.recordings if config.dataset.partition('/')[0] in OWN_BUILDERS else None
    name = prepare_if_missing(
        config.dataset, config.data_dir, design.manual_dir, recordings=own, notify=design.notify
    )  # fmt: skip
    dataset = open_dataset(name, config.data_dir)
    check_input_shape(config.model, dataset.input_shape)
    return dataclasses.replace(config, dataset=name), dataset


def _folds(design: Design, dataset: Dataset) -> dict[str, list[int]]:
    """The folds of each protocol; every split is tried, so that none fails after hours of training."""
    folds, config = {}, design.budget
    for protocol in design.protocols:
        every = folds_of(protocol, dataset.table, config.label_key) if design.every_fold else [config.fold]
        for fold in every:
            for seed in design.seeds:
                options = {'label_key': config.label_key, 'exclude_recordings': config.exclude_recordings}
                split_rows(dataset.table, protocol, fold=fold, seed=seed, **options)
        folds[protocol] = every
    return folds


def _pretraining(design: Design, dataset: Dataset, root: pathlib.Path) -> Run | None:
    """The run that makes the weights; None without a dataset for it."""
    if not design.pretrain_dataset:
        return None
    budget = design.budget
    config = dataclasses.replace(
        PRETRAIN.config(budget),
        dataset=design.pretrain_dataset,
        epochs=budget.epochs if design.pretrain_epochs is None else design.pretrain_epochs,
        protocol='time_blocks',
        fold=0,
        labels_per_class=0,
        exclude_recordings=(),
    )
    config, source = _open(config, design)
    shared = sorted(set(source.table['recording']) & set(dataset.table['recording']))
    if shared and source.name.partition('/')[0] == dataset.name.partition('/')[0]:
        raise ConfigError(
            f'`pretrain_dataset`={config.dataset} holds recordings of `dataset`={budget.dataset} '
            f'({", ".join(shared[:3])}...), whose test windows the weights must not see: name another machine'
        )
    run = Run(PRETRAIN, config, root / 'pretrain')
    check_workdir(run, source)
    return run
