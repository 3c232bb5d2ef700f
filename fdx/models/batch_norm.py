"""Batch normalisation (Ioffe and Szegedy, ICML 2015) with torch's running statistics.

Statistics are those of the real examples on all devices.

How the frameworks differ, and what this module does:

| | torch | flax.linen.BatchNorm | here |
|---|---|---|---|
| running value | 0.9 old + 0.1 batch (momentum 0.1) | 0.99 old + 0.01 batch (momentum 0.99) | torch |
| variance that normalises | biased, sum of squares / n | biased | biased |
| running variance | averages the unbiased one, / (n - 1) | averages the biased one | torch |
| variance is computed | in two passes or by Welford's rule | E[x^2] - E[x]^2 by default | in two passes |
| padding | counts | `mask` argument | `mask`: padding changes nothing |
| devices | each has its own (SyncBatchNorm: all together) | `axis_name` | `axis_name`: all together |

E[x^2] - E[x]^2 loses all digits where |mean| is far above the standard deviation, as in decibel images. Torch
raises an error for one value per channel (n = 1); here the variance of one value is 0, biased and unbiased.
"""

from __future__ import annotations

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

EPSILON = 1e-5
MOMENTUM = 0.1  # as torch defines it: the weight of the new batch


class BatchNorm(nn.Module):
    """Normalises each channel; parameters `scale`, `bias`, running statistics `mean`, `var` in 'batch_stats'.

    Attributes:
      features: C, number of channels.
      axis_name: the pmapped axis over which statistics are summed, or None.
      frozen_norms: paths, such as 'stage1/block1/bn1', of the norms that behave in training as in evaluation: they
        normalise by their running statistics and leave them bit-identical.
      epsilon: added to the variance; networks that come from TensorFlow use 1e-3.
      momentum: weight of the new batch in the running statistics; TensorFlow's 0.99 is 0.01 here.
    """

    features: int
    axis_name: str | None = None
    frozen_norms: tuple[str, ...] = ()
    epsilon: float = EPSILON
    momentum: float = MOMENTUM

    def setup(self):
        """Creates parameters and statistics, float32 [C] each."""
        shape = (self.features,)
        self.scale = self.param('scale', nn.initializers.ones, shape)
        self.bias = self.param('bias', nn.initializers.zeros, shape)
        self.mean = self.variable('batch_stats', 'mean', jnp.zeros, shape, jnp.float32)
        self.var = self.variable('batch_stats', 'var', jnp.ones, shape, jnp.float32)

    def is_fixed(self, train: bool) -> bool:
        """Whether the running statistics normalise: in evaluation, and in training when frozen."""
        return not train or '/'.join(self.path) in self.frozen_norms

    def factors(self) -> tuple[jax.Array, jax.Array]:
        """(a, b), float32 [C] each, such that the fixed norm is x * a + b; a preceding convolution can absorb them."""
        a = self.scale * jax.lax.rsqrt(self.var.value + self.epsilon)
        return a, self.bias - self.mean.value * a

    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None = None) -> jax.Array:
        """Normalises x [B, ..., C].

        Args:
          x: float32, or bfloat16, which is normalised in float32 and rounded again.
          train: True normalises by the batch and moves the running statistics, unless this norm is frozen.
          mask: float32 [B], 1 for real examples and 0 for padding; None: all are real. Used in training.
        """
        if self.is_fixed(train):
            a, b = self.factors()
            return (x * a + b).astype(x.dtype)
        weights = jnp.ones(x.shape[0], jnp.float32) if mask is None else mask
        y, mean, var, count = normalise_batch(x, self.scale, self.bias, weights, self.axis_name, self.epsilon)
        if not self.is_initializing():
            unbiased = var * (count / jnp.maximum(count - 1, 1))
            self.mean.value = (1 - self.momentum) * self.mean.value + self.momentum * mean
            self.var.value = (1 - self.momentum) * self.var.value + self.momentum * unbiased
        return y


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def normalise_batch(
    x: jax.Array, scale: jax.Array, bias: jax.Array, weights: jax.Array, axis_name: str | None, epsilon: float = EPSILON
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Normalisation by the statistics of the real examples on all devices.

    Args:
      x: float32 [B, ..., C], or bfloat16; all that is computed is float32.
      scale: float32 [C].
      bias: float32 [C].
      weights: float32 [B], 1 for real examples, 0 for padding.
      axis_name: the pmapped axis or None.
      epsilon: added to the variance.

    Returns:
      (y like x, mean [C], biased variance [C], count of values per channel); gradients flow through y only.
    """
    return _forward(x, scale, bias, weights, axis_name, epsilon)[0]


def _sum_examples(x: jax.Array) -> jax.Array:
    """[B, ..., C] -> [B, C]: one sum per example, because short sums keep more digits than one long sum."""
    return jnp.sum(x, tuple(range(1, x.ndim - 1)))


def _psum(values, axis_name):
    return values if axis_name is None else jax.lax.psum(values, axis_name)


def _wide(x: jax.Array) -> jax.Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _forward(x, scale, bias, weights, axis_name, epsilon):
    kept, x = x, _wide(x)
    real = weights[:, None] > 0
    size = x.size // (x.shape[0] * x.shape[-1])
    # `where` instead of a product: even NaN in the padding then adds nothing.
    total, examples = _psum((jnp.where(real, _sum_examples(x), 0).sum(0), real.sum(dtype=x.dtype)), axis_name)
    count = jnp.maximum(examples * size, 1)
    mean = total / count
    squares = jnp.where(real, _sum_examples(jnp.square(x - mean)), 0).sum(0)
    var = _psum(squares, axis_name) / count
    inverse = jax.lax.rsqrt(var + epsilon)
    y = (x - mean) * (inverse * scale) + bias
    return (y.astype(kept.dtype), mean, var, count), (kept, scale, weights, mean, inverse, count)


def _backward(axis_name, epsilon, residuals, cotangents):
    del epsilon
    kept, scale, weights, mean, inverse, count = residuals
    x, g = _wide(kept), _wide(cotangents[0])
    normal = (x - mean) * inverse
    d_bias = _sum_examples(g).sum(0)
    d_scale = _sum_examples(g * normal).sum(0)
    all_bias, all_scale = _psum((d_bias, d_scale), axis_name)
    share = jnp.expand_dims((weights > 0).astype(x.dtype) / count, tuple(range(1, x.ndim)))
    d_x = (inverse * scale) * (g - share * (all_bias + normal * all_scale))
    return d_x.astype(kept.dtype), d_scale, d_bias, jnp.zeros_like(weights)


normalise_batch.defvjp(_forward, _backward)
