"""The optimiser: Adam on the trainable parameters, nothing on the frozen ones."""

from __future__ import annotations

from typing import NamedTuple

import jax
import optax

from fdx.train.config import TrainConfig
from fdx.train.partition import masked_optimiser


class OptimiserSettings(NamedTuple):
    """What the optimiser depends on: fields of `TrainConfig`, which can be a key of compiled programs."""

    learning_rate: float
    halve_every: int
    l2: float
    clip_norm: float


def settings_of(config: TrainConfig) -> OptimiserSettings:
    """The settings of a run's optimiser."""
    return OptimiserSettings(*(getattr(config, name) for name in OptimiserSettings._fields))


def learning_rate_schedule(config: TrainConfig | OptimiserSettings, steps_per_epoch: int) -> optax.Schedule:
    """learning_rate * 0.5 ** floor(epoch / halve_every), or constant with halve_every=0."""
    if config.halve_every == 0:
        return optax.constant_schedule(config.learning_rate)
    return optax.exponential_decay(config.learning_rate, config.halve_every * steps_per_epoch, 0.5, staircase=True)


def make_optimiser(
    config: TrainConfig | OptimiserSettings, mask: dict, steps_per_epoch: int
) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, 2015) with an L2 penalty on kernels, masked by `mask`.

    Clipping and the penalty are part of what is masked. In front of the mask they would read the gradients of frozen
    parameters, which would then have to be computed. Frozen parameters have no optimiser state and an update of zero.

    Args:
      config: learning_rate, halve_every, l2 and clip_norm are read.
      mask: tree like the parameters, True where they train.
      steps_per_epoch: steps that the schedule counts as an epoch.
    """
    parts = []
    if config.clip_norm:
        parts.append(optax.clip_by_global_norm(config.clip_norm))
    if config.l2:
        # The penalty l2/2 |w|^2 is part of the loss, so its gradient goes through Adam; biases have none.
        parts.append(optax.masked(optax.add_decayed_weights(config.l2), _is_kernel))
    parts += [optax.scale_by_adam(), optax.scale_by_learning_rate(learning_rate_schedule(config, steps_per_epoch))]
    return masked_optimiser(optax.chain(*parts), mask)


def _is_kernel(params):
    return jax.tree_util.tree_map_with_path(lambda path, _: getattr(path[-1], 'key', '') == 'kernel', params)
