"""Masks: how padding is kept out of every term.

A product with the mask is not enough: 0 times the infinite square of a huge padded value is NaN, and so is its
gradient. Padded rows are therefore replaced by zeros before anything is computed of them.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.types import DataError


def without_padding(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Replaces padded rows by zeros, so that their gradient is 0, whatever they hold.

    Args:
      x: float32 [B, ...].
      mask: float32 [B], 1 for real examples, 0 for padding.

    Raises:
      DataError: the mask is not [B].
    """
    if mask.ndim != 1 or x.shape[:1] != mask.shape:
        raise DataError(f'values {list(x.shape)} and mask {list(mask.shape)}: a mask is [B], one number per example')
    return jnp.where(jnp.expand_dims(mask > 0, tuple(range(1, x.ndim))), x, jnp.zeros_like(x))


def count_real(mask: jax.Array) -> jax.Array:
    """Number of real examples, a float32 scalar."""
    return (mask > 0).sum(dtype=jnp.float32)


def masked_mean(values: jax.Array, mask: jax.Array, weights: jax.Array | None = None) -> jax.Array:
    """sum_i w_i v_i / sum_i w_i over the real examples; 0 where there are none.

    Args:
      values: float32 [B]. Values of padded examples, and what they are computed from, must be finite: set their inputs
        to zero first (`without_padding`).
      mask: float32 [B].
      weights: float32 [B], not negative; None: 1 each.

    Raises:
      DataError: values, mask and weights are not all [B]; [B, 1] would be spread to [B, B].
    """
    if values.ndim != 1:
        raise DataError(f'values {list(values.shape)} are not [B]: squeeze or reduce them to one number per example')
    weights = without_padding(jnp.ones_like(values) if weights is None else weights, mask)
    if weights.shape != values.shape:
        raise DataError(f'weights {list(weights.shape)} for values {list(values.shape)}: pass one weight per example')
    total = weights.sum()
    safe = jnp.where(total > 0, total, 1)
    return (without_padding(values, mask) * weights).sum() / safe
