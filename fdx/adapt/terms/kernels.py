"""Gaussian kernels, their bandwidth from the data, and the unbiased MMD^2 of a kernel matrix.

    k(a, b) = 1/m sum_i exp(-||a - b||^2 / (bandwidth * factor^(i - m // 2))),  i = 0 ... m - 1

A bandwidth is in units of squared distance (2 sigma^2 of a normal density). One kernel sees differences of one scale
only; a family of them around the mean squared distance needs no tuning: Gretton et al., "Optimal kernel choice for
large-scale two-sample tests", NIPS 2012, with equal weights.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.adapt.terms.masks import count_real, without_padding
from fdx.types import ConfigError, DataError

# The smallest divisor of distances, for examples that are all the same.
MIN_BANDWIDTH = 1e-12
# The smallest divisor of weighted sums.
MIN_WEIGHT = 1e-12


def squared_distances(a: jax.Array, b: jax.Array) -> jax.Array:
    """||a_i - b_j||^2: float32 [Na, D], [Nb, D] -> [Na, Nb], never negative.

    Raises:
      DataError: a and b are not matrices of the same width.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataError(f'distances of {list(a.shape)} and {list(b.shape)}: both must be [examples, D]')
    # |a|^2 + |b|^2 - 2ab needs no [Na, Nb, D] array. Distances do not depend on the origin. With the origin
    # amid the examples, the three terms are no larger than the distances, and few digits are lost.
    origin = jax.lax.stop_gradient((a.mean(0) + b.mean(0)) / 2)
    a, b = a - origin, b - origin
    products = jnp.matmul(a, b.T, precision=jax.lax.Precision.HIGHEST)
    return jnp.maximum((a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * products, 0)


def gaussian_kernels(
    a: jax.Array, b: jax.Array, bandwidth: jax.Array | float, num_kernels: int = 5, factor: float = 2.0
) -> jax.Array:
    """Mean of Gaussian kernels of several bandwidths, so k(a, a) = 1.

    Args:
      a: float32 [Na, D].
      b: float32 [Nb, D].
      bandwidth: scalar, of the middle kernel, in squared units of a and b; at least MIN_BANDWIDTH is used.
      num_kernels: the m above.
      factor: ratio of neighbouring bandwidths.

    Returns:
      float32 [Na, Nb] in [0, 1].

    Raises:
      ConfigError: num_kernels is below 1 or factor is not above 0.
    """
    if num_kernels < 1 or not factor > 0:
        raise ConfigError(f'num_kernels={num_kernels}, factor={factor}: use at least 1 kernel and a factor above 0')
    ratios = squared_distances(a, b) / jnp.maximum(bandwidth, MIN_BANDWIDTH)
    # The integer 0, where sum() starts, is no result: there is at least one kernel.
    return sum(jnp.exp(-ratios / factor ** (i - num_kernels // 2)) for i in range(num_kernels)) / num_kernels  # type: ignore[return-value]


def mean_bandwidth(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean of ||x_i - x_j||^2 over pairs i != j of real examples, without gradient; 0 for fewer than two.

    With a gradient, features could lower a distance by widening the kernel instead of moving.

    Args:
      x: float32 [N, D], of both domains together.
      mask: float32 [N].
    """
    x = jax.lax.stop_gradient(without_padding(x, mask))
    real, n = (mask > 0).astype(x.dtype), count_real(mask)
    # The distance of an example to itself is 0 up to rounding and left out; every pair counts in both orders.
    pairs = real[:, None] * real[None, :] * (1 - jnp.eye(len(x), dtype=x.dtype))
    return (squared_distances(x, x) * pairs).sum() / jnp.maximum(n * (n - 1), 1)


def unbiased_mmd(
    kernels: jax.Array,
    source_mask: jax.Array,
    target_mask: jax.Array,
    source_weights: jax.Array | None = None,
    target_weights: jax.Array | None = None,
) -> jax.Array:
    """MMD^2 from a kernel matrix over both domains (Gretton et al., JMLR 13, 2012, eq. 3).

        sum_{i != j} k(s_i, s_j) / (n (n - 1)) + sum_{i != j} k(t_i, t_j) / (m (m - 1)) - 2 sum_ij k(s_i, t_j) / (n m)

    Its mean is 0 for equal distributions at any batch size, so a single value may be slightly negative. The biased
    estimate (with i = j) is then above 0, and would pull all examples together.

    Args:
      kernels: float32 [Bs + Bt, Bs + Bt], source first.
      source_mask: float32 [Bs].
      target_mask: float32 [Bt].
      source_weights: float32 [Bs], not negative: every pair counts by the product of its weights. None: 1 each.
      target_weights: float32 [Bt], likewise.

    Returns:
      scalar; 0 where a domain has fewer than two real examples.
    """
    source, target = ((m > 0).astype(kernels.dtype) for m in (source_mask, target_mask))
    bs, n, m = len(source), count_real(source_mask), count_real(target_mask)
    if source_weights is not None or target_weights is not None:
        source = source if source_weights is None else without_padding(source_weights, source_mask)
        target = target if target_weights is None else without_padding(target_weights, target_mask)
        return _weighted_mmd(kernels, source, target)
    apart = kernels * (1 - jnp.eye(len(kernels), dtype=kernels.dtype))
    within_source = source @ apart[:bs, :bs] @ source / jnp.maximum(n * (n - 1), 1)
    within_target = target @ apart[bs:, bs:] @ target / jnp.maximum(m * (m - 1), 1)
    between = source @ apart[:bs, bs:] @ target / jnp.maximum(n * m, 1)
    return jnp.where((n > 1) & (m > 1), within_source + within_target - 2 * between, 0)


def _weighted_mmd(kernels: jax.Array, source: jax.Array, target: jax.Array) -> jax.Array:
    """`unbiased_mmd` of weights [Bs] and [Bt] that are 0 for padding; n (n - 1) becomes (sum w)^2 - sum w^2."""
    bs = len(source)
    apart = kernels * (1 - jnp.eye(len(kernels), dtype=kernels.dtype))

    def within(w: jax.Array, k: jax.Array) -> jax.Array:
        return w @ k @ w / jnp.maximum(w.sum() ** 2 - (w * w).sum(), MIN_WEIGHT)

    between = source @ apart[:bs, bs:] @ target / jnp.maximum(source.sum() * target.sum(), MIN_WEIGHT)
    value = within(source, apart[:bs, :bs]) + within(target, apart[bs:, bs:]) - 2 * between
    enough = jnp.minimum((source > 0).sum(), (target > 0).sum()) > 1
    return jnp.where(enough, value, 0)
