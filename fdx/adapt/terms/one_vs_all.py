"""One-against-all classifiers that share one output `unknown`: the threshold of rejection is learned from the source.

    d_k = z_k - z_unknown,  chance of class k: sigmoid(d_k)
    source:  -log sigmoid(d_y) - log(1 - sigmoid(max_{k != y} d_k))

Saito and Saenko, "OVANet: one-vs-all network for universal domain adaptation", ICCV 2021: only the hardest negative
class of a source window counts, so the boundary of a class lies next to its nearest neighbour. In the paper each
classifier has two outputs of its own; with one output for all, a window is rejected where `unknown` is the largest of
K + 1 outputs, as with any other class. The paper's entropy of the target is left out: beside a term that aligns the
domains, three trial runs of four became worse with it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.types import DataError


def one_vs_all_losses(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """The source's loss of each window in nats.

    Args:
      logits: float32 [B, K + 1], K at least 2; the last output is `unknown`.
      labels: int32 [B], 0 to K - 1.

    Returns:
      float32 [B].

    Raises:
      DataError: fewer than two known classes.
    """
    distances = _distances(logits)
    own = jax.nn.one_hot(labels, distances.shape[1], dtype=bool)
    right = jnp.where(own, distances, 0).sum(1)
    hardest = jnp.where(own, -jnp.inf, distances).max(1)
    return jax.nn.softplus(-right) + jax.nn.softplus(hardest)


def known_chance(logits: jax.Array) -> jax.Array:
    """How likely each window is of a known class, float32 [B], without gradient: 1 - softmax of `unknown`."""
    return jax.lax.stop_gradient(1 - jax.nn.softmax(logits)[:, -1])


def _distances(logits: jax.Array) -> jax.Array:
    if logits.ndim != 2 or logits.shape[1] < 3:
        raise DataError(f'logits {list(logits.shape)}: pass [B, K + 1] of at least two known classes and `unknown`')
    return logits[:, :-1] - logits[:, -1:]
