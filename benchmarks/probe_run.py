"""A probe from its configuration to its results: dataset, network, features, heads."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.splits import folds_of
from fdx.data.source import Dataset, open_dataset
from fdx.train.config import TrainConfig
from fdx.train.description import environment
from fdx.train.forward import Progress, no_progress
from fdx.train.init_leak import check_init_of_splits, entries_of
from fdx.train.model_setup import ModelSetup, set_up_model
from fdx.types import ConfigError

from .probe import probe, split_of
from .probe_heads import ALL_LABELS, ChosenHead, ProbePlan
from .probe_save import save_heads, workdirs_of
from .stage_features import StageFeatures


def all_folds(dataset: Dataset, protocol: str, label_key: str) -> tuple[int, ...]:
    """Every fold of a protocol on this dataset."""
    return tuple(folds_of(protocol, dataset.table, label_key))


def run_probe(
    config: TrainConfig,
    plan: ProbePlan,
    *,
    stages: Sequence[str] = (),
    pool: str = 'bands',
    folder: str | pathlib.Path | None = None,
    progress: Progress = no_progress,
    save: str | pathlib.Path | None = None,
) -> dict[str, Any]:
    """Probes the network of a configuration on its prepared dataset.

    Args:
      config: dataset, data_dir, label_key, model, model_options, init and seed are used.
      plan: what is fitted and scored.
      stages: those that the choice is made among; () for all.
      pool: how a stage becomes a vector, a key of fdx.models.truncated.POOLS.
      folder: where features are kept between calls; None: nowhere.
      progress: wraps long work.
      save: folder of the runs that are made of the chosen heads (`benchmarks.probe_save`); None: none are made.

    Returns:
      What `benchmarks.probe.probe` returns, with dataset, front_end, model, model_options, init, label_key, pool and
      seed, and the environment.

    Raises:
      ConfigError: stages that the network does not have, what set_up_model refuses, or `save` without all labels.
      CheckpointError: `save` holds a run of another kind.
      SplitError: the network has learned from what is scored, and `config.allow_leak` is off.
      FdxError: weights or data that cannot be had.
    """
    if save is not None and ALL_LABELS not in plan.shots:
        raise ConfigError('`save` keeps the heads of all labelled windows: add all to `shots`')
    if save is not None:
        workdirs_of(pathlib.Path(save), plan.folds)  # Fails before the work, not after it.
    dataset = open_dataset(config.dataset, config.data_dir)
    setup = set_up_model(config, len(dataset.class_names(plan.label_key)), dataset.input_shape)
    leaks = _init_leaks(config, plan, setup, dataset)
    everything = RecordExamples(dataset, np.arange(len(dataset)), plan.label_key)
    features = StageFeatures(setup, everything, folder, pool=pool, progress=progress)
    unknown = [stage for stage in stages if stage not in features.stages]
    if unknown:
        raise ConfigError(
            f'`stages`={",".join(stages)}: {config.model} has the stages {", ".join(features.stages)}, or all'
        )
    keep: dict[int, ChosenHead] = {}
    chosen_from = tuple(dict.fromkeys(stages)) or features.stages
    found = probe(dataset, features, chosen_from, plan, progress, keep)
    if save is not None:
        save_heads(config, plan, pool, setup, dataset, keep, pathlib.Path(save))
    return {
        'dataset': dataset.name,
        'front_end': dataset.front_end.name,
        'model': config.model,
        'model_options': config.model_options,
        'init': setup.origin,
        'init_leaks': leaks,
        'label_key': plan.label_key,
        'pool': pool,
        'seed': plan.seed,
        **found,
        **environment(),
    }


def _init_leaks(config: TrainConfig, plan: ProbePlan, setup: ModelSetup, dataset: Dataset) -> list[str]:
    """What the frozen network has learned of the scored windows, a sentence for each fold; [] where nothing."""
    if setup.ancestor is None:
        return []
    found = []
    for fold in plan.folds:
        of_fold = dataclasses.replace(config, protocol=plan.protocol, fold=fold)
        of_fold = dataclasses.replace(of_fold, exclude_recordings=plan.exclude_recordings)
        leak = check_init_of_splits(
            of_fold, entries_of(setup.ancestor, of_fold), dataset, split_of(dataset, plan, fold)
        )
        found += [f'fold {fold}: {leak.reason}'] if leak.reason else []
    return found
