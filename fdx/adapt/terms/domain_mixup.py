"""Mixup across domains: a network learns from examples between two source domains, not only from each of them.

    x = s x_i + (1 - s) x_j,  loss = s CE(z, y_i) + (1 - s) CE(z, y_j),  domain of i != domain of j

Xu et al., "Adversarial domain adaptation with domain mixup", AAAI 2020; Wang, Li and Kot, "Heterogeneous domain
generalization via domain mixup", ICASSP 2020. Strength: s ~ Beta(0.2, 0.2), and every example is mixed, as in the
benchmark DomainBed (Gulrajani and Lopez-Paz, "In search of lost domain generalization", ICLR 2021). There one s holds
for a pair of batches; here each example draws its own, as in mixup itself (Zhang et al., ICLR 2018).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax

from fdx.adapt.terms.partners import Pairing

ALPHA = 0.2


def domain_mixup(inputs: jax.Array, pairing: Pairing) -> jax.Array:
    """Inputs s x_i + (1 - s) x_j of every example of the whole batch.

    Args:
      inputs: float32 [B, ...].
      pairing: of `partners.draw_pairing` with ALPHA.

    Returns:
      float32 [B, ...]; an example without a partner stays as it is, to the last bit.
    """
    share = pairing.share.reshape(-1, *[1] * (inputs.ndim - 1))
    return jnp.where(share < 1, share * inputs + (1 - share) * inputs[pairing.partner], inputs)


def mixed_cross_entropy(logits: jax.Array, labels: jax.Array, partner_labels: jax.Array, share: jax.Array) -> jax.Array:
    """Losses s CE(z, y_i) + (1 - s) CE(z, y_j) of each example, in nats.

    Args:
      logits: float32 [B, K] of mixed examples.
      labels: int32 [B].
      partner_labels: int32 [B], labels of the partners.
      share: float32 [B], share of the own label.

    Returns:
      float32 [B].
    """
    own, other = (optax.softmax_cross_entropy_with_integer_labels(logits, y) for y in (labels, partner_labels))
    return share * own + (1 - share) * other
