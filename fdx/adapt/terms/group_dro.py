"""Group DRO: the loss of the worst source domain, by weights that grow where the loss is large.

    q_g <- q_g exp(eta l_g) / sum_g' q_g' exp(eta l_g'),  loss = sum_g q_g l_g

Sagawa et al., "Distributionally robust neural networks for group shifts: on the importance of regularization for
worst-case generalization", ICLR 2020, algorithm 1; groups are the domains. l_g is the mean loss of a domain in the
batch. Strength: eta = 0.01, the default of the published code, and weights that start equal. The weights are moved
before they are used, and no gradient flows into them.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.masks import without_padding

STEP_SIZE = 0.01


def domain_losses(losses: jax.Array, domains: jax.Array, mask: jax.Array, count: int) -> jax.Array:
    """Mean loss of every domain, float32 [G]; 0 for a domain without examples in the batch, as in the published code.

    Args:
      losses: float32 [B] of the whole batch.
      domains: int32 [B], numbers below G.
      mask: float32 [B], 1 for real examples, 0 for padding.
      count: G, the number of domains.
    """
    member = jax.nn.one_hot(domains, count) * (mask > 0)[:, None]
    return member.T @ without_padding(losses, mask) / jnp.maximum(member.sum(0), 1)


def group_dro(
    losses: jax.Array, domains: jax.Array, mask: jax.Array, weights: jax.Array, step_size: float = STEP_SIZE
) -> tuple[jax.Array, jax.Array]:
    """The loss to go down, and the weights after this batch.

    Args:
      losses: float32 [B], cross-entropies of the whole batch.
      domains: int32 [B], numbers below G.
      mask: float32 [B].
      weights: float32 [G] before this batch, which sum to 1.
      step_size: eta; with 0 each domain keeps its weight.

    Returns:
      (scalar, float32 [G] without gradient).
    """
    each = domain_losses(losses, domains, mask, weights.shape[0])
    # A softmax of the logarithms is the same and does not overflow where a loss is huge.
    moved = jax.nn.softmax(jnp.log(weights) + step_size * jax.lax.stop_gradient(each))
    moved = jax.lax.stop_gradient(moved)
    return moved @ each, moved
