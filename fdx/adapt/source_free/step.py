"""The per-device training step on batches of the target, and what it trains."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import flax.core
import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from fdx.adapt.source_free.terms import shot_loss, tent_loss
from fdx.models.staged import HEAD
from fdx.train import parallel
from fdx.train.optimiser import OptimiserSettings, make_optimiser
from fdx.train.partition import apply_updates, join_variables, mean_gradients, stop_frozen_gradients, trainable_mask
from fdx.train.programs import KEPT
from fdx.train.steps import TrainState
from fdx.types import ConfigError


@flax.struct.dataclass
class TargetState(TrainState):
    """A TrainState with what learning from the target needs besides.

    Attributes:
      pseudo: int32 [N], pseudo-labels of all windows of the target, renewed before every epoch.
      total_steps: int32 scalar, steps of the whole run, over which the learning rate falls.
    """

    pseudo: jax.Array | np.ndarray = flax.struct.field(default_factory=lambda: np.zeros(0, np.int32))
    total_steps: jax.Array | np.int32 | int = 1


def mask_of(method: str, model: nn.Module, params: dict) -> dict:
    """Tree like `params`, True where a method trains: all but the classifier, or only norms.

    Raises:
      ConfigError: the network has no norms that tent could train.
    """
    if method == 'tent':
        if not model.NORMS:
            raise ConfigError(
                f'`method`=tent trains batch norms, of which {type(model).__name__} has none: use `method`=shot'
            )
        return trainable_mask(params, [('train', model.NORMS), ('freeze', f'(?!{model.NORMS}).*')])
    return trainable_mask(params, [('freeze', f'{HEAD}/.*'), ('train', f'(?!{HEAD}/).*')])


def make_target_step(
    model: nn.Module, optimiser: optax.GradientTransformation, mask: dict, method: str, pseudo_weight: float
) -> Callable:
    """Builds step(state, batch) -> (state, metrics), to be compiled by `parallel.compile_step`.

    The batch holds `inputs` [B, ...], `labels` int32 [B] (which windows they are: numbers in `state.pseudo`, no labels)
    and `mask` float32 [B]. Norms normalise by the batch, and their statistics follow the target, as in the code of both
    papers: shot trains the whole feature extractor in training mode, and tent always normalises by the batch. The loss
    is one of the whole batch of all devices (see `fdx.adapt.step`).
    """

    def step(state: TargetState, batch: dict) -> tuple[TargetState, dict]:
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)
        progress = state.step.astype(jnp.float32) / jnp.maximum(state.total_steps, 1)
        real = parallel.gather(batch['mask'])
        labels = parallel.gather(state.pseudo[batch['labels']])

        def loss_fn(params: dict):
            variables = join_variables(state.prefix, stop_frozen_gradients(params, mask), state.stats)
            options = {'train': True, 'rngs': {'dropout': key}}
            stats: dict = {}
            if model.HAS_STATISTICS:
                (logits, _), changed = model.apply(
                    variables, batch['inputs'], mask=batch['mask'], mutable=['batch_stats'], **options
                )
                stats = changed['batch_stats']
            else:
                logits, _ = model.apply(variables, batch['inputs'], **options)
            whole = parallel.gather(logits)
            if method == 'tent':
                loss, metrics = tent_loss(whole, labels, real)
            else:
                loss, metrics = shot_loss(whole, labels, real, pseudo_weight)
            return loss, (stats, metrics)

        grads, (stats, metrics) = jax.grad(loss_fn, has_aux=True)(state.params)
        updates, opt_state = optimiser.update(mean_gradients(grads, mask), state.opt_state, state.params)
        # The decay of both adaptation with a source and SHOT's code.
        rate = (1 + 10 * progress) ** -0.75
        params = apply_updates(state.params, jax.tree.map(lambda u: rate * u, updates), mask)
        new = dataclasses.replace(state, step=state.step + 1, params=params, stats=stats, opt_state=opt_state)
        return new, jax.lax.pmean(metrics, parallel.AXIS)

    return step


@functools.lru_cache(maxsize=KEPT)
def compiled_target_step(
    model: nn.Module,
    settings: OptimiserSettings,
    mask: flax.core.FrozenDict,
    method: str,
    pseudo_weight: float,
    form: str = parallel.FORM,
) -> Callable:
    """`make_target_step` with the optimiser of `settings`, compiled; runs of one network share it."""
    trains = flax.core.unfreeze(mask)
    optimiser = make_optimiser(settings, trains, 1)
    return parallel.compile_step(make_target_step(model, optimiser, trains, method, pseudo_weight), form)
