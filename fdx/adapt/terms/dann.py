"""Domain-adversarial loss (DANN).

    1/2 mean_s(-log sigmoid(z_s)) + 1/2 mean_t(-log(1 - sigmoid(z_t)))

Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17(59), 2016. The discriminator lowers it; with
`reversal.reverse_gradient` between features and discriminator the same gradient step raises it for the features. At
log 2 = 0.693 the discriminator cannot tell the domains apart.
"""

from __future__ import annotations

import jax

from fdx.adapt.terms.discriminator import domain_accuracy, domain_losses
from fdx.adapt.terms.masks import masked_mean, without_padding


def dann(
    source_logits: jax.Array, target_logits: jax.Array, source_mask: jax.Array, target_mask: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Loss of the discriminator; each domain counts half, whatever its batch size.

    A mean over all examples would let a discriminator win by always naming the larger domain.

    Args:
      source_logits: float32 [Bs] of `discriminator.DomainDiscriminator`.
      target_logits: float32 [Bt].
      source_mask: float32 [Bs], 1 for real examples, 0 for padding.
      target_mask: float32 [Bt].

    Returns:
      (loss in nats, domain accuracy of `discriminator.domain_accuracy`), scalars; a domain without real examples adds 0
      to both.

    Raises:
      DataError: logits and masks are not vectors of the same sizes.
    """
    logits = without_padding(source_logits, source_mask), without_padding(target_logits, target_mask)
    source_losses, target_losses = domain_losses(*logits)
    loss = (masked_mean(source_losses, source_mask) + masked_mean(target_losses, target_mask)) / 2
    return loss, domain_accuracy(*logits, source_mask, target_mask)
