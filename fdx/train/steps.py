"""The per-device training step: data parallelism with explicit reductions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from fdx.train import parallel
from fdx.train.augment import Augmentation
from fdx.train.partition import (
    apply_updates,
    join_variables,
    mean_gradients,
    stop_frozen_gradients,
    trained_leaves,
)

# Keeps the random numbers of augmentation apart from those of dropout.
AUGMENT_STREAM = 0x5EC


@flax.struct.dataclass
class TrainState:
    """What a step reads and writes.

    Attributes:
      step: int32 scalar, steps done.
      seed: int32 scalar, of dropout. It is an array so that runs with different seeds share one compiled program.
      params: parameters of the stages from `start` on; some of them may be frozen.
      stats: batch statistics of the same stages; empty where the model has none.
      prefix: variables of the frozen leading stages; their trees are empty where their outputs are cached.
      opt_state: the optimiser's, for `params` only.
    """

    step: jax.Array | np.int32
    seed: jax.Array | np.int32
    params: dict
    stats: dict
    prefix: dict
    opt_state: optax.OptState

    def variables(self) -> dict:
        """Trained part and prefix together, as `model.apply` takes them."""
        return join_variables(self.prefix, self.params, self.stats)


def make_train_step(
    model: nn.Module,
    optimiser: optax.GradientTransformation,
    mask: dict,
    *,
    start: int,
    class_weights: Sequence[float] | None = None,
    augment: Augmentation | None = None,
) -> Callable:
    """Builds step(state, batch) -> (state, metrics), to be compiled by `parallel.compile_step`.

    Args:
      model: a network of fdx.models with axis_name parallel.AXIS.
      optimiser: for `state.params`.
      mask: tree like `state.params`, True where they train.
      start: first stage that the batch's inputs go into.
      class_weights: factors of the loss of each class, K numbers whose mean over the training rows is 1; None: all 1.
      augment: changes inputs and targets in every step (fdx.train.augment); None: they stay as they are.

    The batch holds `inputs` [B, ...], `labels` int32 [B] and `mask` float32 [B]; examples where the mask is 0 move
    neither parameters nor batch statistics. The dropout of an example depends on the seed, the step and its place in
    the global batch. Metrics are sums over the global batch: `loss` (cross-entropy in nats), `correct` (for a mixed
    example, the class with the larger share), `count`; and the norm of the trained gradients.
    """

    def step(state: TrainState, batch: dict) -> tuple[TrainState, dict]:
        count = jax.lax.psum(batch['mask'].sum(), parallel.AXIS)
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)

        def loss_fn(params):
            variables = join_variables(state.prefix, stop_frozen_gradients(params, mask), state.stats)
            changed, targets = batch, None
            if augment is not None:
                changed, targets = _augmented(augment, batch, model.num_classes, key)
            logits, stats = _apply_in_training(model, variables, changed, start, key)
            losses = _losses(logits, batch['labels'], targets, class_weights)
            total = (losses * batch['mask']).sum()
            # Scaled so that the mean over devices of the local losses is the mean over the global batch.
            wanted = batch['labels'] if targets is None else targets.argmax(-1)
            return total * jax.lax.axis_size(parallel.AXIS) / count, (total, logits.argmax(-1) == wanted, stats)

        grads, (total, right, stats) = jax.grad(loss_fn, has_aux=True)(state.params)
        grads = mean_gradients(grads, mask)
        updates, opt_state = optimiser.update(grads, state.opt_state, state.params)
        hits = (right * batch['mask']).sum()
        metrics = {
            'loss': jax.lax.psum(total, parallel.AXIS),
            'correct': jax.lax.psum(hits, parallel.AXIS),
            'count': count,
            'gradient_norm': optax.global_norm(trained_leaves(grads, mask)),
        }
        params = apply_updates(state.params, updates, mask)
        stats = {stage: stats[stage] for stage in state.stats}
        return dataclasses.replace(state, step=state.step + 1, params=params, stats=stats, opt_state=opt_state), metrics

    return step


def _augmented(augment: Augmentation, batch: dict, num_classes: int, key: jax.Array) -> tuple[dict, jax.Array]:
    """(the batch with changed inputs, targets [B, K])."""
    targets = jax.nn.one_hot(batch['labels'], num_classes)
    own_key = jax.random.fold_in(key, AUGMENT_STREAM)
    inputs, targets = augment(batch['inputs'], targets, batch['mask'], own_key)
    return {**batch, 'inputs': inputs}, targets


def _losses(
    logits: jax.Array, labels: jax.Array, targets: jax.Array | None, class_weights: Sequence[float] | None
) -> jax.Array:
    """Cross-entropy of each example [B], in nats, weighted by its class."""
    if targets is not None:
        losses = optax.softmax_cross_entropy(logits, targets)
    else:
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    if class_weights is not None:
        losses = losses * jnp.asarray(class_weights, losses.dtype)[labels]
    return losses


def _apply_in_training(model: nn.Module, variables: dict, batch: dict, start: int, key: jax.Array):
    """(logits [B, K], batch statistics after this batch)."""
    options = {'train': True, 'start': start, 'rngs': {'dropout': key}}
    if not model.HAS_STATISTICS:
        return model.apply(variables, batch['inputs'], **options)[0], {}
    (logits, _), changed = model.apply(
        variables, batch['inputs'], mask=batch['mask'], mutable=['batch_stats'], **options
    )
    # Behind cached features there may be no norm left to change its statistics.
    return logits, changed.get('batch_stats', {})
