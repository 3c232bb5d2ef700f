"""Layers that networks share: dropout that does not depend on the number of devices, and small helpers."""

from __future__ import annotations

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp


class ExampleDropout(nn.Module):
    """Dropout with one random stream per example (Srivastava et al., JMLR 15, 2014).

    `nn.Dropout` draws one mask for the array it sees, so a batch that is split over devices gets other masks than the
    whole batch on one device. Here example i of the global batch draws from `fold_in(key, i)`, so the result of a
    training step is the same on 1 and on 4 devices (law 10).

    Attributes:
      rate: share of the values set to zero, in [0, 1).
      axis_name: name of the pmapped axis, or None outside pmap.
    """

    rate: float
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Drops values of x [B, ...] when `train`; the random stream is 'dropout'."""
        if not train or self.rate == 0.0:
            return x
        first = 0 if self.axis_name is None else jax.lax.axis_index(self.axis_name) * x.shape[0]
        key = self.make_rng('dropout')
        keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(first + jnp.arange(x.shape[0]))
        keep = jax.vmap(lambda k: jax.random.bernoulli(k, 1.0 - self.rate, x.shape[1:]))(keys)
        return jnp.where(keep, x / (1.0 - self.rate), jnp.zeros_like(x))


def flatten_examples(x: jax.Array) -> jax.Array:
    """[B, ...] -> [B, product of the rest], last axis fastest (NHWC order: time, frequency, channel)."""
    size = 1
    for n in x.shape[1:]:
        size *= n
    return x.reshape(x.shape[0], size)


def map_means(x: jax.Array) -> jax.Array:
    """Means of maps over both axes, [B, H, W, C] -> [B, C]; [B, C] stays as it is."""
    return x.mean((1, 2)) if x.ndim == 4 else x


def scaled_widths(widths: Sequence[int], multiplier: float) -> tuple[int, ...]:
    """Channel counts times `multiplier`, at least 1 each: slim variants for tests and small machines."""
    return tuple(max(1, round(w * multiplier)) for w in widths)
