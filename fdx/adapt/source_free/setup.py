"""The network of a finished run, with what adaptation trains in it, and the state in which it starts."""

from __future__ import annotations

import jax
import numpy as np
import optax

from fdx.adapt.source_free.config import SourceFreeConfig
from fdx.adapt.source_free.step import TargetState, mask_of
from fdx.adapt.source_free.target import Target
from fdx.data.pipeline import steps_per_epoch
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.model_setup import STATISTICS_OF_A_NORM, ModelSetup, build_model, input_shape_of
from fdx.train.partition import trained_leaves
from fdx.train.trainer import NO_PREFIX
from fdx.types import ConfigError


def set_up_adaptation(
    plan: SourceFreeConfig, config: TrainConfig, variables: dict, meta: dict, step: int
) -> ModelSetup:
    """The network of a finished run with what trains in it.

    Args:
      plan: names the method.
      config: of the adapted run.
      variables: of the finished one.
      meta: what it says about itself.
      step: its step.

    Raises:
      ConfigError: the method needs norms and the network has none.
    """
    model = build_model(config, len(meta['class_names']), input_shape_of(meta))
    params, stats = variables['params'], variables.get('batch_stats', {})
    if plan.method == 'test_time_norms' and not stats:
        raise ConfigError(
            f'`method`=test_time_norms: the network ({config.model}) keeps no batch statistics that the target could '
            'replace: use `method`=shot'
        )
    if plan.method == 'test_time_norms':
        mask = jax.tree.map(lambda _: False, params)
    else:
        mask = mask_of(plan.method, model, params)
    return ModelSetup(
        model=model,
        params=params,
        stats=stats,
        prefix=NO_PREFIX,
        mask=mask,
        start=0,
        origin=f'{plan.checkpoint} step {step} ({meta["dataset"]["name"]})',
        trained=int(sum(np.size(leaf) for leaf in trained_leaves(params, mask))),
        norms=len(jax.tree.leaves(stats)) // STATISTICS_OF_A_NORM,
        frozen_norms=(),
        ancestor=meta,
    )


def fresh_state(
    setup: ModelSetup, optimiser: optax.GradientTransformation, target: Target, config: TrainConfig
) -> TargetState:
    """The state of a new run, replicated; `setup` keeps its arrays, as steps are given the memory of their state."""
    params, stats = (jax.tree.map(np.array, tree) for tree in (setup.params, setup.stats))
    steps = steps_per_epoch(len(target.seen), config.batch_size) * config.epochs
    return parallel.replicate(
        TargetState(
            step=np.int32(0),
            seed=np.int32(config.seed),
            params=params,
            stats=stats,
            prefix=NO_PREFIX,
            opt_state=optimiser.init(params),
            pseudo=np.zeros(len(target.seen), np.int32),
            total_steps=np.int32(steps),
        )
    )
