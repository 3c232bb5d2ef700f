"""Correlation alignment of deep features (Deep CORAL).

    ||C_s - C_t||_F^2 / (4 D^2),  C = sum_i (x_i - mean)(x_i - mean)^T / (n - 1)

Sun and Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV workshops 2016. Without the
1 / (n - 1), which some public code leaves out, the term grows with the square of the batch size and a weight tuned for
one batch size means nothing for another.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.masks import count_real, without_padding
from fdx.types import DataError


def coral(source: jax.Array, target: jax.Array, source_mask: jax.Array, target_mask: jax.Array) -> jax.Array:
    """Squared distance of the domains' covariances. Means are not compared.

    It grows with the fourth power of the unit of the features: pass normalised features, or weigh it accordingly.

    Args:
      source: float32 [Bs, D] features of the source domain.
      target: float32 [Bt, D] features of the target domain; Bt may differ from Bs.
      source_mask: float32 [Bs], 1 for real examples, 0 for padding.
      target_mask: float32 [Bt].

    Returns:
      scalar, not negative; 0 where a domain has fewer than two real examples.

    Raises:
      DataError: source and target are not matrices of the same width.
    """
    if source.ndim != 2 or source.shape[1:] != target.shape[1:]:
        raise DataError(f'coral of {list(source.shape)} and {list(target.shape)}: both must be [examples, D]')
    difference = covariance(source, source_mask) - covariance(target, target_mask)
    value = jnp.square(difference).sum() / (4 * source.shape[1] ** 2)
    return jnp.where((count_real(source_mask) > 1) & (count_real(target_mask) > 1), value, 0)


def covariance(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Unbiased covariance of the real examples: float32 [B, D], [B] -> [D, D]; zeros for fewer than two."""
    x, n = without_padding(x, mask), count_real(mask)
    # In two passes, as E[x x^T] - mean mean^T loses digits where means are large. Padding is set to zero again after
    # the mean is subtracted.
    centred = without_padding(x - x.sum(0) / jnp.maximum(n, 1), mask)
    return jnp.matmul(centred.T, centred, precision=jax.lax.Precision.HIGHEST) / jnp.maximum(n - 1, 1)
