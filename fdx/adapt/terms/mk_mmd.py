"""Multi-kernel maximum mean discrepancy, the term of deep adaptation networks (DAN).

    MMD^2 = E k(s, s') + E k(t, t') - 2 E k(s, t)

Gretton et al., "A kernel two-sample test", JMLR 13, 2012; Long et al., "Learning transferable features with deep
adaptation networks", ICML 2015. Kernels have equal weights. The quadratic-time unbiased estimate uses every pair of a
batch; the paper's linear-time estimate uses each example once and has a far larger variance at today's batch sizes.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.kernels import gaussian_kernels, mean_bandwidth, unbiased_mmd
from fdx.adapt.terms.masks import without_padding


def mk_mmd(
    source: jax.Array,
    target: jax.Array,
    source_mask: jax.Array,
    target_mask: jax.Array,
    *,
    num_kernels: int = 5,
    factor: float = 2.0,
    source_weights: jax.Array | None = None,
    target_weights: jax.Array | None = None,
) -> jax.Array:
    """Unbiased MMD^2 of features; slightly negative where the domains look alike.

    The bandwidth is the mean squared distance of all real pairs of both domains (`kernels.mean_bandwidth`), so the
    value does not depend on the unit of the features.

    Args:
      source: float32 [Bs, D] features of the source domain.
      target: float32 [Bt, D] features of the target domain; Bt may differ from Bs.
      source_mask: float32 [Bs], 1 for real examples, 0 for padding.
      target_mask: float32 [Bt].
      num_kernels: kernels, of bandwidths around the mean one.
      factor: ratio of neighbouring bandwidths.
      source_weights: float32 [Bs] of `kernels.unbiased_mmd`.
      target_weights: float32 [Bt], likewise.

    Returns:
      scalar, at most 2; 0 where a domain has fewer than two real examples.
    """
    x, mask = joined(source, target, source_mask, target_mask)
    kernels = gaussian_kernels(x, x, mean_bandwidth(x, mask), num_kernels, factor)
    return unbiased_mmd(kernels, source_mask, target_mask, source_weights, target_weights)


def joined(
    source: jax.Array, target: jax.Array, source_mask: jax.Array, target_mask: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """(both domains' examples [Bs + Bt, D] with zeros as padding, both masks [Bs + Bt])."""
    x = jnp.concatenate([without_padding(source, source_mask), without_padding(target, target_mask)])
    return x, jnp.concatenate([source_mask, target_mask])
