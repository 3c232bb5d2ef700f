"""Entropy of predictions, and the divergence of two of them, from logits.

    H(p) = -sum_k p_k log p_k,   KL(p || q) = sum_k p_k (log p_k - log q_k)

Grandvalet and Bengio, "Semi-supervised learning by entropy minimization", NIPS 17, 2005: a classifier that is certain
of unlabelled examples has its boundaries where there are few of them. Logarithms come from log_softmax, because
the log of a probability that float32 rounds to 0 (logits about 100 apart) would be minus infinity.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.masks import masked_mean, without_padding


def entropies(logits: jax.Array) -> jax.Array:
    """Entropy in nats of every prediction: float32 [B, K] -> [B], in [0, log K]."""
    log_p = jax.nn.log_softmax(logits)
    return -(jnp.exp(log_p) * log_p).sum(-1)


def mean_entropy(logits: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean entropy of the real examples in nats.

    By itself it is smallest if all examples are predicted as one class: use it beside a supervised loss.

    Args:
      logits: float32 [B, K].
      mask: float32 [B], 1 for real examples, 0 for padding.

    Returns:
      scalar; 0 without real examples.
    """
    return masked_mean(entropies(without_padding(logits, mask)), mask)


def divergences(logits: jax.Array, other_logits: jax.Array) -> jax.Array:
    """KL(softmax(logits) || softmax(other_logits)) in nats: float32 [B, K] twice -> [B]."""
    log_p, log_q = jax.nn.log_softmax(logits), jax.nn.log_softmax(other_logits)
    return (jnp.exp(log_p) * (log_p - log_q)).sum(-1)
