"""Conditional domain-adversarial loss (CDAN), with entropy conditioning (CDAN+E).

    discriminator input:  f (x) p, the outer product of features f and class probabilities p
    loss:                 1/2 sum_s w_s l_s / sum_s w_s + 1/2 sum_t w_t l_t / sum_t w_t,  w = 1 + exp(-H(p))

Long et al., "Conditional adversarial domain adaptation", NeurIPS 2018. The outer product lets the discriminator compare
the domains class by class; the weights favour examples that the classifier is certain of. Each weight
belongs to one example. Some public code multiplies the averaged loss by the weights, so that only their mean has an
effect.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.discriminator import domain_accuracy, domain_losses
from fdx.adapt.terms.masks import count_real, masked_mean, without_padding

# Above this D * K the paper takes `randomised_map`.
MAX_CONDITIONAL_SIZE = 4096


def conditional_map(features: jax.Array, probabilities: jax.Array) -> jax.Array:
    """Outer product of every example: value d * K + k is f_d p_k.

    Args:
      features: float32 [B, D].
      probabilities: float32 [B, K], softmax; the published code stops their gradient.

    Returns:
      float32 [B, D * K]; for sizes above MAX_CONDITIONAL_SIZE see `randomised_map`.
    """
    products = features[:, :, None] * probabilities[:, None, :]
    return products.reshape(len(features), features.shape[1] * probabilities.shape[1])


def randomised_map(features: jax.Array, probabilities: jax.Array, key: jax.Array, size: int = 1024) -> jax.Array:
    """(f R_f) * (p R_p) / sqrt(size), elementwise, with fixed standard normal matrices.

    Inner products of its results are, on average over keys, those of `conditional_map` (theorem 1 of the paper).

    Args:
      features: float32 [B, D].
      probabilities: float32 [B, K].
      key: draws R_f [D, size] and R_p [K, size]; it must be the same for both domains and in all steps.
      size: number of values per example.

    Returns:
      float32 [B, size].
    """
    feature_key, class_key = jax.random.split(key)
    feature_matrix = jax.random.normal(feature_key, (features.shape[1], size))
    class_matrix = jax.random.normal(class_key, (probabilities.shape[1], size))
    return (features @ feature_matrix) * (probabilities @ class_matrix) / size**0.5


def entropy_weights(probabilities: jax.Array, mask: jax.Array) -> jax.Array:
    """1 + exp(-H), scaled to sum to the number of real examples of the domain; without gradient.

    Args:
      probabilities: float32 [B, K], softmax of one domain.
      mask: float32 [B].

    Returns:
      float32 [B]; 0 for padding.
    """
    p = jax.lax.stop_gradient(without_padding(probabilities, mask))
    entropy = -jax.scipy.special.xlogy(p, p).sum(1)
    weights = without_padding(1 + jnp.exp(-entropy), mask)
    # Each weight is above 1, so the floor is reached only when there are no real examples.
    return weights * count_real(mask) / jnp.maximum(weights.sum(), 1)


def cdan(
    source_domain_logits: jax.Array,
    target_domain_logits: jax.Array,
    source_mask: jax.Array,
    target_mask: jax.Array,
    source_weights: jax.Array | None = None,
    target_weights: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """Loss of the conditional discriminator; each domain counts half, whatever its batch size.

    Args:
      source_domain_logits: float32 [Bs] of a discriminator on `conditional_map` or `randomised_map`.
      target_domain_logits: float32 [Bt].
      source_mask: float32 [Bs], 1 for real examples, 0 for padding.
      target_mask: float32 [Bt].
      source_weights: float32 [Bs], `entropy_weights` of the source; only their ratios matter.
        None: all the same, which is CDAN without E.
      target_weights: float32 [Bt], likewise.

    Returns:
      (loss in nats, unweighted domain accuracy), scalars; a domain without real examples adds 0 to both.

    Raises:
      DataError: logits, masks and weights are not vectors of the same sizes.
    """
    source = without_padding(source_domain_logits, source_mask)
    target = without_padding(target_domain_logits, target_mask)
    source_losses, target_losses = domain_losses(source, target)
    source_loss = masked_mean(source_losses, source_mask, source_weights)
    target_loss = masked_mean(target_losses, target_mask, target_weights)
    return (source_loss + target_loss) / 2, domain_accuracy(source, target, source_mask, target_mask)
