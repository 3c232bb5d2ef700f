"""The domain discriminator, which predicts the domain of an example: its network, losses and accuracy.

Two hidden layers of ReLU units and a logistic output, source 1 and target 0: Ganin et al., "Domain-Adversarial Training
of Neural Networks", JMLR 17(59), 2016; the width is our choice.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.adapt.terms.masks import masked_mean, without_padding
from fdx.types import ConfigError


class DomainDiscriminator(nn.Module):
    """Logit of "this example is of the source domain".

    Attributes:
      hidden: width of both hidden layers.
      dropout_rate: share of the hidden values set to zero in training, in [0, 1).
    """

    hidden: int = 256
    dropout_rate: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Runs the network.

        Args:
          x: float32 [B, D] features, or what `cdan` makes of them.
          train: True applies dropout, which needs the random stream 'dropout'; pass another key for each domain.

        Returns:
          float32 [B] logits, above 0 for the source.

        Raises:
          ConfigError: hidden is below 1 or dropout_rate outside of [0, 1).
        """
        if self.hidden < 1 or not 0 <= self.dropout_rate < 1:
            values = f'hidden={self.hidden}, dropout_rate={self.dropout_rate}'
            raise ConfigError(f'discriminator: {values}; use at least 1 unit and a rate in [0, 1)')
        for name in ('hidden1', 'hidden2'):
            x = nn.relu(nn.Dense(self.hidden, name=name)(x))
            if train and self.dropout_rate:
                x = _drop(x, self.make_rng('dropout'), self.dropout_rate)
        return nn.Dense(1, name='logit')(x)[:, 0]


def _drop(x: jax.Array, key: jax.Array, rate: float) -> jax.Array:
    """Dropout on [B, D] with one random stream per example, so that padding does not change real examples."""
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(x.shape[0]))
    keep = jax.vmap(lambda k: jax.random.bernoulli(k, 1.0 - rate, x.shape[1:]))(keys)
    return jnp.where(keep, x / (1.0 - rate), jnp.zeros_like(x))


def domain_losses(source_logits: jax.Array, target_logits: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Binary cross-entropies in nats: -log sigmoid(z) for the source, -log(1 - sigmoid(z)) for the target.

    Args:
      source_logits: float32 [Bs].
      target_logits: float32 [Bt].

    Returns:
      ([Bs], [Bt]); finite, with finite gradients, for any finite logits.
    """
    return jax.nn.softplus(-source_logits), jax.nn.softplus(target_logits)


def domain_accuracy(
    source_logits: jax.Array, target_logits: jax.Array, source_mask: jax.Array, target_mask: jax.Array
) -> jax.Array:
    """Share of correct answers in each domain, averaged over both: 0.5 is chance, whatever the batch sizes are.

    Args:
      source_logits: float32 [Bs]; correct above 0.
      target_logits: float32 [Bt]; correct at 0 and below, so that a discriminator that always says 0 has 0.5.
      source_mask: float32 [Bs].
      target_mask: float32 [Bt].

    Returns:
      scalar in [0, 1] without gradient; a domain without real examples counts as 0.
    """
    source, target = without_padding(source_logits, source_mask), without_padding(target_logits, target_mask)
    right = masked_mean((source > 0).astype(jnp.float32), source_mask)
    return (right + masked_mean((target <= 0).astype(jnp.float32), target_mask)) / 2
