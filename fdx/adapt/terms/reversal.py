"""Gradient reversal: one backward pass trains a discriminator and, against it, the features.

Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17(59), 2016, section 4.2.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


def reverse_gradient(x: jax.Array, factor: jax.Array | float) -> jax.Array:
    """R(x) = x with dR/dx = -factor * I.

    Args:
      x: float array of any shape.
      factor: lambda, a scalar; may be traced, so that a schedule compiles once. It gets no gradient.
    """
    return _reverse(x, jnp.asarray(factor, x.dtype))


@jax.custom_vjp
def _reverse(x: jax.Array, factor: jax.Array) -> jax.Array:
    del factor
    return x


def _forward(x, factor):
    return x, factor


def _backward(factor, cotangent):
    return -factor * cotangent, jnp.zeros_like(factor)


_reverse.defvjp(_forward, _backward)


def ramp(progress: jax.Array | float, steepness: float = 10.0) -> jax.Array:
    """2 / (1 + exp(-steepness * progress)) - 1: 0 at the start of training, near 1 (0.9999) at its end.

    The reversed gradient starts small, because an untrained discriminator would only disturb the features.

    Args:
      progress: share of training that is done, in [0, 1]; any shape.
      steepness: gamma of the paper, 10 there.
    """
    # The same function, without exp of a large number.
    return jnp.tanh(steepness * jnp.asarray(progress, jnp.float32) / 2)
