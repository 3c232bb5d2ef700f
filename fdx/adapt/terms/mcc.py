"""Minimum class confusion (MCC): a target term that needs neither a discriminator nor the source.

    y_ij = softmax_j(z_i / T),  w_i = n (1 + exp(-H_i)) / sum_i' (1 + exp(-H_i'))
    C_jj' = sum_i w_i y_ij y_ij',  loss = 1/K sum_j sum_{j' != j} C_jj' / sum_j'' C_jj''

Jin et al., "Minimum class confusion for versatile domain adaptation", ECCV 2020. C_jj' is large where the same examples
are taken for class j and class j'. The weights have no gradient, as in the published code.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.cdan import entropy_weights
from fdx.adapt.terms.masks import count_real, without_padding
from fdx.types import ConfigError

# Stands for the logarithm of a padded example's weight, which is 0.
LOG_ZERO = -1e30


def mcc(target_logits: jax.Array, target_mask: jax.Array, temperature: float = 2.5) -> jax.Array:
    """Mean, over classes, of the share of a class's predictions that is confused with other classes.

    Args:
      target_logits: float32 [B, K].
      target_mask: float32 [B], 1 for real examples, 0 for padding.
      temperature: T; above 1 it shows the confusion that over-confident predictions hide.

    Returns:
      scalar in [0, 1]; 0 without real examples, (K - 1) / K where all predictions are uniform.

    Raises:
      ConfigError: temperature is not above 0.
    """
    if not temperature > 0:
        raise ConfigError(f'mcc: temperature={temperature} must be above 0; the paper uses 2.5')
    logits = without_padding(target_logits, target_mask) / temperature
    log_y = jax.nn.log_softmax(logits)
    y = jnp.exp(log_y)
    weights = entropy_weights(y, target_mask)
    # As rows of y sum to 1, C_jj' over its row's sum is sum_i a_ij y_ij' with a_ij = w_i y_ij / sum_i' w_i' y_i'j: a
    # softmax over the examples. A class that no example is predicted as, where all y_ij round to 0, then does not give
    # 0/0.
    real = target_mask > 0
    log_weights = jnp.where(real, jnp.log(jnp.where(real, weights, 1)), LOG_ZERO)
    shares = jax.nn.softmax(log_y + log_weights[:, None], axis=0)
    confusion = jnp.matmul(shares.T, y, precision=jax.lax.Precision.HIGHEST)
    classes = y.shape[1]
    value = (confusion * (1 - jnp.eye(classes, dtype=y.dtype))).sum() / classes
    return jnp.where(count_real(target_mask) > 0, value, 0)
