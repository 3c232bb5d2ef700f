"""Runs made of a probe: the frozen network up to the chosen stage, and the probe's own head on it.

Such a run has the form of one of launch.train, so that evaluation, prediction and export take it. Nothing is trained
again: standardising and logistic regression are one dense layer, and its verdicts are those that the probe scored.
"""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from fdx.data.source import Dataset
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.linear_head import PENALTY_C
from fdx.train.model_setup import STATISTICS_OF_A_NORM, ModelSetup, build_model
from fdx.train.partition import join_variables, split_variables
from fdx.train.run import description
from fdx.train.run_data import load_data
from fdx.train.same_run import PROBE, WORDS, kind_of
from fdx.types import CheckpointError
from fdx.weights.structure import HEAD

from .probe_heads import ChosenHead, ProbePlan

STEP = 1


def save_heads(
    config: TrainConfig,
    plan: ProbePlan,
    pool: str,
    setup: ModelSetup,
    dataset: Dataset,
    heads: Mapping[int, ChosenHead],
    folder: pathlib.Path,
) -> None:
    """Writes one run per fold, where `workdirs_of` says.

    Args:
      config: of the probe.
      plan: of the probe.
      pool: how the stage becomes a vector, a key of fdx.models.truncated.POOLS.
      setup: the probed network.
      dataset: prepared.
      heads: fold -> chosen head.
      folder: where the runs go; runs of an earlier probe there are replaced.

    Raises:
      CheckpointError: see `workdirs_of`; or there are files that fdx did not make.
      LockedError: another program writes there.
    """
    for fold, workdir in workdirs_of(folder, tuple(heads)).items():
        head, began = heads[fold], time.perf_counter()
        of_fold = config_of(config, plan, fold, head, pool, dataset)
        cut = truncated_setup(of_fold, setup, head, dataset)
        meta = description(of_fold, cut, load_data(of_fold, dataset))
        meta |= {
            PROBE: {'stage': head.stage, 'pool': pool, 'penalty_c': PENALTY_C},
            'balance': None,
            'step': STEP,
            'history': [],
            'selection': {'criterion': of_fold.select_by, 'score': head.validation_accuracy},
            'threshold': None,
            'seconds': time.perf_counter() - began,
        }
        with Checkpoints(workdir).writing() as checkpoints:
            checkpoints.discard_after(None)
            checkpoints.save_prefix(cut.prefix)
            checkpoints.save(STEP, {'params': cut.params}, {}, meta)


def workdirs_of(folder: pathlib.Path, folds: Sequence[int]) -> dict[int, pathlib.Path]:
    """Fold -> workdir of its run: `folder` itself for one fold, else folder/fold_0, folder/fold_1, ...

    Raises:
      CheckpointError: `folder` holds a run of another kind, or folds that would not be replaced.
    """
    found = {fold: folder if len(folds) == 1 else folder / f'fold_{fold}' for fold in folds}
    for workdir in found.values():
        checkpoints = Checkpoints(workdir)
        for step in checkpoints.steps():
            kind = kind_of(checkpoints.meta(step))
            if kind != PROBE:
                raise CheckpointError(f'{workdir} holds {WORDS[kind]}: choose another `workdir`')
    others = [path.parent for path in (folder / 'checkpoints', *sorted(folder.glob('fold_*/checkpoints')))]
    stale = [path for path in others if path not in found.values() and (path / 'checkpoints').is_dir()]
    if stale:
        raise CheckpointError(f'{stale[0]} is of a probe with other folds: choose another `workdir`, or remove it')
    return found


def config_of(
    config: TrainConfig, plan: ProbePlan, fold: int, head: ChosenHead, pool: str, dataset: Dataset
) -> TrainConfig:
    """The config of a fold's run: the network ends after the chosen stage, and only its head has learned."""
    options = {'stop_after': head.stage, 'pool': pool, 'pool_axis': dataset.front_end.axes.index('T')}
    return dataclasses.replace(
        config,
        model_options={**config.model_options, **options},
        protocol=plan.protocol,
        fold=fold,
        label_key=plan.label_key,
        seed=plan.seed,
        exclude_recordings=plan.exclude_recordings,
        freeze=HEAD,
        dropout_rate=0.0,
        select_by='accuracy',
    )


def truncated_setup(config: TrainConfig, setup: ModelSetup, head: ChosenHead, dataset: Dataset) -> ModelSetup:
    """The probed network up to the chosen stage, all of it frozen, and the head on its pooled output."""
    model = build_model(config, len(head.bias), dataset.input_shape)
    whole = join_variables(setup.prefix, setup.params, setup.stats)
    kept = {kind: {k: v for k, v in tree.items() if k in model.STAGES and k != HEAD} for kind, tree in whole.items()}
    kept['params'][HEAD] = {'kernel': head.kernel, 'bias': head.bias}
    start = len(model.STAGES) - 1
    prefix, rest = split_variables(model, {kind: tree for kind, tree in kept.items() if tree}, start)
    norms = len(jax.tree.leaves(kept.get('batch_stats', {}))) // STATISTICS_OF_A_NORM
    return dataclasses.replace(
        setup,
        model=model,
        params=rest['params'],
        stats={},
        prefix=prefix,
        mask=jax.tree.map(lambda _: True, rest['params']),
        start=start,
        trained=int(np.size(head.kernel) + np.size(head.bias)),
        norms=norms,
        frozen_norms=tuple(path for path in setup.frozen_norms if path.partition('/')[0] in model.STAGES),
    )
