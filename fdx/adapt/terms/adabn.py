"""Adaptive batch normalisation (AdaBN): a norm's statistics taken from the target, exactly, batch by batch.

    n = sum_b n_b,  mean = sum_b n_b mean_b / n,  var = sum_b n_b (var_b + (mean_b - mean)^2) / n

Li et al., "Revisiting batch normalization for practical domain adaptation", arXiv 1603.04779, 2016; "Adaptive batch
normalization for practical domain adaptation", Pattern Recognition 80, 2018. Merging moments: Chan et al., "Algorithms
for computing the sample variance", The American Statistician 37(3), 1983. Running averages would give
the last batches most weight and keep a part of the source; these are the statistics of all examples in one batch.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fdx.types import DataError


def pooled_statistics(count: jax.Array, mean: jax.Array, var: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and biased variance of all values of every channel.

    In a network with several norms, the first norm changes the inputs of the next. Either measure one norm after the
    other, or measure all in one pass in which every norm normalises by its batch, as in training.

    Args:
      count: [batches], values per channel in each batch (real examples times positions). A batch of count 0 is ignored,
        whatever its statistics.
      mean: float32 [batches, C] of each batch.
      var: float32 [batches, C], biased (/ n), of each batch.

    Returns:
      (mean [C], biased variance [C]); zeros where all counts are 0.

    Raises:
      DataError: the shapes do not fit each other, or there are no batches.
    """
    count, mean, var = (jnp.asarray(a, jnp.float32) for a in (count, mean, var))
    if count.ndim != 1 or not len(count) or mean.shape != var.shape or mean.shape[:1] != count.shape:
        shapes = f'count {list(count.shape)}, mean {list(mean.shape)}, var {list(var.shape)}'
        raise DataError(f'pooled_statistics: {shapes}; give [batches], [batches, C], [batches, C], at least one batch')
    filled = jnp.expand_dims(count > 0, tuple(range(1, mean.ndim)))
    mean, var = jnp.where(filled, mean, 0), jnp.where(filled, var, 0)
    shares = count / jnp.maximum(count.sum(), 1)
    # Deviations from the first filled batch keep their digits where means are large and close to each other.
    origin = mean[jnp.argmax(count > 0)]
    pooled = origin + jnp.tensordot(shares, jnp.where(filled, mean - origin, 0), 1)
    spread = jnp.where(filled, var + jnp.square(mean - pooled), 0)
    return pooled, jnp.tensordot(shares, spread, 1)
