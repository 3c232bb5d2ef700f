"""The per-device training step and forward pass (Krizhevsky-style data parallelism with explicit reductions)."""

from __future__ import annotations

from collections.abc import Callable

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import optax

from fdx.train import parallel
from fdx.train.freezing import stop_frozen_gradients
from fdx.train.optimiser import apply_updates


@flax.struct.dataclass
class TrainState:
    """What a step reads and writes.

    Attributes:
      step: int32 scalar, steps done.
      params: parameters of the stages from `start` on, some of them possibly frozen.
      prefix: parameters of the frozen leading stages; empty where their outputs are cached.
      opt_state: the optimiser's, for `params` only.
    """

    step: jax.Array
    params: dict
    prefix: dict
    opt_state: optax.OptState


def make_train_step(
    model: nn.Module, optimiser: optax.GradientTransformation, mask: dict, *, seed: int, start: int
) -> Callable:
    """Builds step(state, batch) -> (state, metrics), to be compiled by `parallel.compile_step`.

    Args:
      model: a network of fdx.models with axis_name parallel.AXIS.
      optimiser: for `state.params`.
      mask: tree like `state.params`, True where they train.
      seed: of dropout; the mask of an example depends on the seed, the step and its place in the global batch.
      start: first stage that the batch's inputs go into.

    The batch holds `inputs` [B, ...], `labels` int32 [B] and `mask` float32 [B]. Metrics are sums over the global
    batch: `loss` (cross-entropy in nats), `correct`, `count`, and the norm of the trainable gradients.
    """

    def step(state: TrainState, batch: dict) -> tuple[TrainState, dict]:
        count = jax.lax.psum(batch['mask'].sum(), parallel.AXIS)
        key = jax.random.fold_in(jax.random.key(seed), state.step)

        def loss_fn(params):
            variables = {'params': {**state.prefix, **stop_frozen_gradients(params, mask)}}
            logits, _ = model.apply(variables, batch['inputs'], train=True, start=start, rngs={'dropout': key})
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch['labels'])
            total = (losses * batch['mask']).sum()
            # Scaled so that the mean over devices of the local losses is the mean over the global batch.
            return total * jax.lax.axis_size(parallel.AXIS) / count, (total, logits)

        grads, (total, logits) = jax.grad(loss_fn, has_aux=True)(state.params)
        grads = jax.tree.map(lambda g, train: jax.lax.pmean(g, parallel.AXIS) if train else g, grads, mask)
        updates, opt_state = optimiser.update(grads, state.opt_state, state.params)
        hits = ((logits.argmax(-1) == batch['labels']) * batch['mask']).sum()
        trained = [g for g, train in zip(jax.tree.leaves(grads), jax.tree.leaves(mask)) if train]
        metrics = {
            'loss': jax.lax.psum(total, parallel.AXIS),
            'correct': jax.lax.psum(hits, parallel.AXIS),
            'count': count,
            'gradient_norm': optax.global_norm(trained),
        }
        params = apply_updates(state.params, updates, mask)
        return state.replace(step=state.step + 1, params=params, opt_state=opt_state), metrics

    return step


def make_forward(model: nn.Module, *, start: int = 0, stop: int | None = None, feature: str | None = None) -> Callable:
    """Builds forward(params, batch) -> output of stage `stop - 1`, gathered; for `parallel.compile_forward`.

    Args:
      model: a network of fdx.models.
      start: first stage, which the batch's `inputs` go into.
      stop: one after the last stage; None: the logits.
      feature: a named feature to return instead.
    """

    def forward(params: dict, batch: dict) -> jax.Array:
        output, features = model.apply({'params': params}, batch['inputs'], train=False, start=start, stop=stop)
        return parallel.gather(features[feature] if feature else output)

    return forward


def initial_params(model: nn.Module, input_shape: tuple[int, ...], seed: int) -> dict:
    """Freshly initialised parameters for examples of `input_shape`, on the host's first device."""
    init = jax.jit(lambda key: model.clone(axis_name=None).init(key, jnp.zeros((1, *input_shape), jnp.float32)))
    return init(jax.random.key(seed))['params']
