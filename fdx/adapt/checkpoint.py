"""What a checkpoint of domain adaptation holds and says, and how a run goes on from one."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import jax
import numpy as np

from fdx.adapt.config import AdaptConfig
from fdx.adapt.data import PARTS, PairedBatches
from fdx.adapt.methods import get_method
from fdx.adapt.step import AdaptState
from fdx.data.protocols.two_domains import TwoDomains
from fdx.train import parallel
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.description import check_same_run, describe
from fdx.train.init_leak import check_init, entries_of
from fdx.train.learned_from import learned_from
from fdx.train.loop import Progressed
from fdx.train.model_setup import ModelSetup
from fdx.types import CheckpointError

logger = logging.getLogger(__name__)


def describe_adaptation(config: TrainConfig, plan: AdaptConfig, setup: ModelSetup, domains: TwoDomains) -> dict:
    """`description.describe` of the source, with the shared classes, both domains' recordings and the plan."""
    meta = describe(config, setup, domains.source, domains.splits, domains.gain)
    of_source, of_target = (
        set(side.dataset.table['recording'][side.rows].tolist())
        for side in (domains.source_train, domains.target_train)
    )
    method = get_method(plan.method)
    seen = method.sees_target or method.target_statistics
    sides = [(config, domains.source_train), *([(_of_target(config, plan), domains.target_train)] if seen else [])]
    own = [
        learned_from(c, e.dataset.name, e.dataset.table, e.rows, e.dataset.metadata['common_rate_hz']) for c, e in sides
    ]
    return {
        **meta,
        'learned_from': [*own, *meta['learned_from'][1:]],
        'class_names': list(domains.classes),
        'splits': {name: len(getattr(domains, name)) for name in PARTS},
        'train_recordings': sorted(of_source | (of_target if seen else set())),
        'adaptation': {
            **plan.to_json(),
            'target_dataset': domains.target.name,
            'dropped': {side: list(names) for side, names in domains.dropped.items()},
        },
    }


def _of_target(config: TrainConfig, plan: AdaptConfig) -> TrainConfig:
    return dataclasses.replace(config, protocol=plan.target_protocol or config.protocol, fold=plan.target_fold)


def init_leak_of(
    config: TrainConfig, plan: AdaptConfig, setup: ModelSetup, domains: TwoDomains, meta: dict
) -> dict[str, Any]:
    """What the checkpoint says of a leak through the initial network; SplitError for one that is not allowed."""
    seen = entries_of(setup.ancestor, config) if setup.ancestor else []
    of_target = _of_target(config, plan)
    found = [
        check_init(c, seen, e.dataset, {what: e.rows}, c.protocol)
        for c, e, what in (
            (config, domains.source_validation, 'source validation'),
            (of_target, domains.target_test, 'target test'),
        )
    ]
    worst = max(found, key=lambda leak: leak.share)
    return {'init_leak': dataclasses.asdict(worst), 'leaks': meta['leaks'] or bool(worst.reason)}


def network_of(state: AdaptState) -> dict:
    """What a step of a checkpoint holds: the trained part of the network."""
    return {'params': state.params, **({'batch_stats': state.stats} if state.stats else {})}


def rest_of(state: AdaptState) -> dict:
    """What only a resumed run needs; statistics of training, where those of the target are stored, among it."""
    return {'opt': state.opt_state, 'extra': state.extra, 'teacher': state.teacher, 'stats': state.stats}


def resume(
    checkpoints: Checkpoints, state: AdaptState, setup: ModelSetup, meta: dict, batches: PairedBatches
) -> tuple[AdaptState, Progressed]:
    """The state of the workdir's last checkpoint and its place in the data; the given state in a new workdir.

    Raises:
      CheckpointError: the workdir holds another run or a damaged one, or the initial weights have changed.
    """
    if not checkpoints.steps():
        checkpoints.discard_after(None)
        return state, Progressed()
    step = checkpoints.resolve('last')
    checkpoints.verify(step)
    stored = checkpoints.meta(step)
    _check_same_plan(stored, meta)
    check_same_run(stored, meta)
    variables, prefix = checkpoints.restore_variables(step, network_of(state), setup.prefix)
    if not all(jax.tree.leaves(jax.tree.map(np.array_equal, setup.prefix, prefix))):
        raise CheckpointError(f'--init={meta["config"]["init"]} holds other weights than when this run began')
    rest = checkpoints.restore_optimiser(step, rest_of(state))
    checkpoints.discard_after(step)
    batches.set_state(stored['data'])
    logger.info('resuming from step %d', step)
    progressed = Progressed(stored['history'], stored['sums'], stored['data'])
    state = state.replace(
        step=parallel.replicate(np.int32(step)),
        params=variables['params'],
        stats=rest['stats'],
        opt_state=rest['opt'],
        extra=rest['extra'],
        teacher=rest['teacher'],
    )
    return state, progressed


def _check_same_plan(stored: dict, meta: dict) -> None:
    """CheckpointError names the flags of adaptation that differ from those of the run in the workdir."""
    there, now = stored.get('adaptation'), json.loads(json.dumps(meta['adaptation']))
    if there is None:
        raise CheckpointError('the workdir holds a run without adaptation: choose another --workdir')
    there = {'classes': [], **there}  # Runs that are older than this flag have none.
    differ = [f'--{k}: {there.get(k)!r} there, {v!r} now' for k, v in now.items() if there.get(k) != v]
    if differ:
        raise CheckpointError(
            'the workdir holds another adaptation (' + '; '.join(differ) + '): choose another --workdir'
        )
