"""The compiled programs of a run of domain adaptation, and the state in which it starts."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

import flax.core
import flax.linen as nn
import jax
import numpy as np
import optax

from fdx.adapt.config import AdaptConfig
from fdx.adapt.methods import Method, get_method, init_discriminator
from fdx.adapt.outputs import compiled_outputs, outputs_of
from fdx.adapt.schedule import SCHEDULES
from fdx.adapt.source_domains import count_domains, init_domain_weights
from fdx.adapt.step import AdaptState, make_adapt_step
from fdx.adapt.target_statistics import compiled_statistics
from fdx.data.pipeline import ArrayExamples
from fdx.data.protocols.class_sets import OPEN
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.model_setup import ModelSetup
from fdx.train.optimiser import OptimiserSettings, make_optimiser, settings_of
from fdx.train.programs import KEPT
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class Programs:
    """What a run calls.

    Attributes:
      step: the training step.
      forward: of `outputs.make_outputs`.
      statistics: of `target_statistics.make_statistics`.
      optimiser: of the network.
      extra_optimiser: of the discriminator.
    """

    step: Callable
    forward: Callable
    statistics: Callable
    optimiser: optax.GradientTransformation
    extra_optimiser: optax.GradientTransformation


def check_schedule(config: TrainConfig) -> None:
    """ConfigError where the learning rate is to be halved: the step has its own schedule (fdx.adapt.schedule)."""
    if config.halve_every:
        raise ConfigError(
            f'`halve_every`={config.halve_every}: here `schedule` lowers the learning rate; set `halve_every` to 0'
        )


def check_norms(method: str, setup: ModelSetup) -> None:
    """ConfigError where a method needs batch statistics of the target and no norm would take them."""
    if not get_method(method).target_statistics or setup.norms > len(setup.frozen_norms):
        return
    if setup.norms:
        raise ConfigError(
            f'`method`={method}: all {setup.norms} batch norms are frozen and keep their statistics; set '
            '`train_norms`, or `freeze` to none'
        )
    raise ConfigError(f'`method`={method}: the network keeps no batch statistics that the target could replace')


def compile_programs(config: TrainConfig, plan: AdaptConfig, setup: ModelSetup, start: int) -> Programs:
    """The programs of a run whose batches go into stage `start`; runs that differ in data or seed share them."""
    terms = (plan.method, plan.feature, plan.factor(), plan.radius, plan.warm_up, plan.schedule, plan.sets)
    return _programs(setup.model, flax.core.freeze(setup.mask), start, settings_of(config), config.parallel, *terms)


@functools.lru_cache(maxsize=KEPT)
def _programs(
    model: nn.Module,
    mask: flax.core.FrozenDict,
    start: int,
    settings: OptimiserSettings,
    form: str,
    method: str,
    feature: str,
    factor: float,
    radius: float,
    warm_up: float,
    schedule: str,
    sets: str,
) -> Programs:
    trains = flax.core.unfreeze(mask)
    optimiser, extra = make_optimiser(settings, trains, 1), optax.adam(settings.learning_rate)
    step = make_adapt_step(
        model,
        optimiser,
        extra,
        trains,
        get_method(method),
        start=start,
        feature=feature,
        weight=factor,
        radius=radius,
        warm_up=warm_up,
        schedule=SCHEDULES[schedule],
        rejects=sets == OPEN,
    )
    return Programs(
        parallel.compile_step(step, form),
        compiled_outputs(model, start, feature, form),
        compiled_statistics(model, start=start, form=form),
        optimiser,
        extra,
    )


def fresh_state(
    setup: ModelSetup,
    programs: Programs,
    method: Method,
    parts: Mapping[str, ArrayExamples],
    *,
    start: int,
    seed: int,
    total_steps: int,
) -> AdaptState:
    """The state of a new run.

    Args:
      setup: its network.
      programs: of `compile_programs`.
      method: decides what else is trained besides the network.
      parts: of `data.load_parts`.
      start: the stage that they go into; behind a cached prefix the variables of the prefix are not needed.
      seed: of dropout, of pairs and of the discriminator.
      total_steps: of the whole run.
    """
    # Copies, as steps are given the memory of their state and the next run starts from the same network.
    params, stats, prefix = (jax.tree.map(np.array, tree) for tree in (setup.params, setup.stats, setup.prefix))
    state = AdaptState(
        step=np.int32(0),
        seed=np.int32(seed),
        params=params,
        stats=stats,
        prefix={'params': {}} if start else prefix,
        opt_state={'network': programs.optimiser.init(params), 'extra': {}},
        teacher=jax.tree.map(np.array, params) if method.refines else {},
        total_steps=np.int32(total_steps),
    )
    one = ArrayExamples(parts['source_train'].inputs[:1], parts['source_train'].targets[:1])
    sample = outputs_of(programs.forward, state.variables(), one)
    extra = init_discriminator(method, sample.features.shape[1], sample.logits.shape[1], jax.random.key(seed + 1))
    extra = extra or init_domain_weights(method, count_domains(parts['source_train']))
    if extra:
        state.opt_state['extra'] = programs.extra_optimiser.init(extra)
    return parallel.replicate(dataclasses.replace(state, extra=extra))
