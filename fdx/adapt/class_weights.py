"""Partial sets: how much each class of the source counts, by how often the target is predicted to have it.

Cao et al., "Partial adversarial domain adaptation", ECCV 2018: a class that the target lacks gets few of its
predictions, so the mean of the predictions on the target is a weight for each class: of its source windows in the
classification loss, and in the loss of the domain discriminator, which else would push windows of the target to it. The
paper averages over the whole target at intervals; here the average slides over its batches. No target label is read.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.masks import count_real, without_padding
from fdx.train import parallel

# Of the average after a batch: about 20 batches are remembered.
DECAY = 0.95
SHARES = 'class_shares'


def initial_shares(classes: int) -> dict:
    """What a state keeps: all K classes are equally frequent, float32 [K]."""
    return {SHARES: jnp.full(classes, 1 / classes, jnp.float32)}


def shares_after(kept: dict, target_logits: jax.Array, target_mask: jax.Array) -> dict:
    """The shares after a batch of all devices.

    Args:
      kept: of `initial_shares` or of this function.
      target_logits: float32 [B, K].
      target_mask: float32 [B], 1 for real examples, 0 for padding; a batch without any changes nothing.
    """
    probabilities = without_padding(jax.nn.softmax(without_padding(target_logits, target_mask)), target_mask)
    count = count_real(target_mask)
    mean = probabilities.sum(0) / jnp.maximum(count, 1)
    return {SHARES: jnp.where(count > 0, DECAY * kept[SHARES] + (1 - DECAY) * mean, kept[SHARES])}


def source_weights(kept: dict, labels: jax.Array, acts: jax.Array) -> jax.Array:
    """Weight of each source window, by its label: 1 for the class with the largest share.

    Args:
      kept: of `shares_after`.
      labels: int32 [B] of the source.
      acts: bool scalar; False: all weights are 1, as the network does not know the classes yet.

    Returns:
      float32 [B] in (0, 1], without gradient.
    """
    shares = jax.lax.stop_gradient(kept[SHARES])
    return jnp.where(acts, shares / shares.max(), 1.0)[labels]


def weighted_loss(losses: jax.Array, mask: jax.Array, weights: jax.Array) -> jax.Array:
    """The part of this device in the weighted mean of losses [B]: its mean over devices is that of the whole batch."""
    total = jax.lax.psum((weights * mask).sum(), parallel.AXIS)
    return (losses * weights * mask).sum() * jax.lax.axis_size(parallel.AXIS) / jnp.maximum(total, 1e-12)
