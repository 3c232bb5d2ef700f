"""What the checkpoint of an adapted run holds and says."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np

from fdx.adapt.source_free.config import SourceFreeConfig
from fdx.adapt.source_free.step import TargetState
from fdx.adapt.source_free.target import excluded
from fdx.data.familiar_fit import fit_familiar
from fdx.data.protocols.splits import PROTOCOLS, Splits
from fdx.data.source import Dataset
from fdx.train.config import TrainConfig
from fdx.train.description import environment
from fdx.train.init_leak import InitLeak, entries_of
from fdx.train.learned_from import learned_from, rows_learned
from fdx.train.model_setup import ModelSetup
from fdx.train.same_run import ADAPTATION, SAME_CLASSIFIER
from fdx.train.trainer import Layout, network_of
from fdx.train.workdir import Workdir
from fdx.types import SplitError

logger = logging.getLogger(__name__)


def adapted_config(plan: SourceFreeConfig, meta: dict, dataset: Dataset) -> TrainConfig:
    """The TrainConfig of the adapted run: network and labels of the finished one, data and steps of the adaptation.

    Evaluation of the adapted run reads it, so its dataset and protocol are those of the target.
    """
    there = TrainConfig.from_json(meta['config'])
    return dataclasses.replace(
        there,
        dataset=dataset.name,
        data_dir=plan.data_dir or there.data_dir,
        protocol=plan.target_protocol or there.protocol,
        fold=plan.target_fold,
        exclude_recordings=excluded(dataset, plan.name(), plan.exclude_recordings),
        labels_per_class=0,
        # Neither paper has dropout, which would add to the entropy that is minimised.
        dropout_rate=0.0,
        init=plan.checkpoint,
        weights_version='',
        allow_leak=plan.allow_leak,
        freeze='none',
        train_norms=False,
        epochs=plan.passes(),
        batch_size=plan.batch_size,
        learning_rate=plan.rate(),
        halve_every=0,
        l2=0.0,
        clip_norm=0.0,
        select_by='last',
        patience=0,
        imbalance='',
        balance='none',
        synthetic='',
        threshold='',
        cache_features='auto',
        save_every=0,
        seed=plan.seed,
    )


def describe_adapted(
    plan: SourceFreeConfig, config: TrainConfig, setup: ModelSetup, step: int, dataset: Dataset, splits: Splits
) -> dict[str, Any]:
    """What the checkpoints say about the run.

    Args:
      plan: of the run.
      config: of `adapted_config`.
      setup: the network; its ancestor is what the finished run says about itself.
      step: the step of that run which is adapted.
      dataset: of the target.
      splits: its rows.

    Raises:
      SplitError: the finished run has learned from windows that are scored, without `allow_leak`.
    """
    meta = setup.ancestor or {}
    rate_hz, gain = dataset.metadata['common_rate_hz'], meta['gain']
    leak = _leak(plan, config, meta, dataset, splits.test)
    if meta.get('threshold') is not None:
        logger.warning(
            'the decision threshold %.3f of %s is left out: it was fitted to the probabilities that it had on its '
            'source',
            meta['threshold'],
            plan.checkpoint,
        )
    own = learned_from(config, dataset.name, dataset.table, splits.train, rate_hz)
    return {
        'config': config.to_json(),
        'class_names': meta['class_names'],
        # For orders, the rate of the target's dataset may be another one.
        'front_end': dataset.front_end.config(),
        'gain': gain,
        'dataset': {'name': dataset.name, **{k: v for k, v in dataset.metadata.items() if k != 'front_end'}},
        'splits': {name: len(getattr(splits, name)) for name in ('train', 'validation', 'test')},
        'train_recordings': sorted(
            {*meta.get('train_recordings', ()), *dataset.table['recording'][splits.train].tolist()}
        ),
        'training': dataset.training_range(splits.train).to_json(),
        # What is adapted to is not foreign. Its test windows are never looked at.
        'familiar': fit_familiar([(dataset, splits.train)], gain).to_json(),
        'learned_from': [own, *entries_of(meta, config)],
        'leaks': splits.leaks or bool(leak.reason),
        'leak': dataclasses.asdict(splits.leak),
        'init_leak': dataclasses.asdict(leak),
        'init': setup.origin,
        'frozen_stages': 0,
        'norms': {'trained': setup.norms if setup.trained else 0, 'frozen': 0},
        'trained_values': setup.trained,
        'adaptation': {
            **plan.to_json(),
            'checkpoint_step': step,
            'checkpoint_run': Workdir(plan.checkpoint).run(),
            'checkpoint_dataset': meta['dataset']['name'],
            'target_dataset': dataset.name,
        },
        **environment(),
    }


def _leak(plan: SourceFreeConfig, config: TrainConfig, meta: dict, data: Dataset, rows: np.ndarray) -> InitLeak:
    """What the finished run has learned of the scored windows; SplitError where it has, without `allow_leak`."""
    if PROTOCOLS[config.protocol].leaks:
        return InitLeak()  # Its scores are marked anyway.
    learned = rows_learned(
        entries_of(meta, config), data.name, data.table, rows, data.metadata['common_rate_hz'], config.protocol
    )
    if not learned.any():
        return InitLeak()
    names = ', '.join(sorted(set(data.table['recording'][rows[learned]].tolist()))[:5])
    there = meta['config']
    reason = (
        f'{plan.checkpoint} has learned from {int(learned.sum())} of the {len(rows)} test windows of the target '
        f'(recordings {names})'
    )
    if not plan.allow_leak:
        raise SplitError(
            f'{reason}: name another `target`, or split it as the run was split, with '
            f'`target_protocol`={there["protocol"]} and `target_fold`={there["fold"]}; or set `allow_leak`, which '
            'marks the score as leaking'
        )
    logger.warning('%s: the scores do not tell how well it does on new data', reason)
    share = float(learned.mean())
    return InitLeak(share, reason, {'test': share})


def rest_of(state: TargetState) -> dict:
    """What only a resumed run needs."""
    return {'opt': state.opt_state, 'pseudo': state.pseudo}


LAYOUT = Layout(
    network=network_of,
    rest=rest_of,
    fields=lambda variables, rest: {
        'params': variables['params'],
        'stats': variables.get('batch_stats', {}),
        'opt_state': rest['opt'],
        'pseudo': rest['pseudo'],
    },
    same=dataclasses.replace(
        SAME_CLASSIFIER,
        kind=ADAPTATION,
        # The run that is adapted is known by its id and step, wherever its folder lies.
        settings={'adaptation': dict, **SAME_CLASSIFIER.settings},
        may_differ=(*SAME_CLASSIFIER.may_differ, 'checkpoint', 'step', 'init'),
    ),
)


def is_source_free(meta: dict) -> bool:
    """Whether a checkpoint was adapted from another one alone, so that its own dataset is the target."""
    return 'checkpoint_run' in meta.get('adaptation', {})
