"""3x3 max pool with stride 2: the textbook operation, and one axis after the other for CPU.

Measured on one CPU core (16 x 112 x 112 x 64): reduce-window takes 35 ms, and 400 ms with its gradient; the form for
CPU takes 5 and 90 ms. Accelerators use the plain form. The 2x2 pool is in fdx.models.conv.
"""

from __future__ import annotations

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.models.conv import in_textbook_forms, on_cpu


def plain_max_pool_3x3(x: jax.Array) -> jax.Array:
    """Maximum over 3x3 cells with stride 2 of x [B, F, T, C], padded by one: [B, ceil(F / 2), ceil(T / 2), C]."""
    return nn.max_pool(x, window_shape=(3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))


def cpu_max_pool_3x3(x: jax.Array) -> jax.Array:
    """`plain_max_pool_3x3`, along the third axis and then the second.

    Where values tie, the gradient goes to the first in reading order, as in torch and in the plain form.
    """
    return _max_of_three(_max_of_three(x, 2), 1)


def max_pool_3x3(x: jax.Array) -> jax.Array:
    """The form that is fastest on the default backend; x must not be negative (the pool follows a ReLU)."""
    if in_textbook_forms():
        # Zeros instead of the pool's own padding: -inf has no code among 8-bit integers, and jax2onnx 0.17.1 drops it.
        return nn.max_pool(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), window_shape=(3, 3), strides=(2, 2))
    return cpu_max_pool_3x3(x) if on_cpu() else plain_max_pool_3x3(x)


def max_of_axes(x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """Maximum over some of the axes 1 and 2 of x [B, F, T, C], each kept as an axis of one.

    The textbook form is a pool, because LiteRT has a kernel for 8-bit integers for its max pool, but not for its
    maximum over axes.
    """
    if not in_textbook_forms():
        return x.max(axes, keepdims=True)
    return nn.max_pool(x, window_shape=tuple(n if a in axes else 1 for a, n in zip((1, 2), x.shape[1:3])))


def _even_odd(x: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
    return jax.lax.slice_in_dim(x, 0, None, 2, axis), jax.lax.slice_in_dim(x, 1, None, 2, axis)


def _cut(x: jax.Array, axis: int, start: int, stop: int | None) -> jax.Array:
    return jax.lax.slice_in_dim(x, start, stop, 1, axis)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _max_of_three(x: jax.Array, axis: int) -> jax.Array:
    """Maximum of each even index of `axis` and its two neighbours."""
    even, odd = _even_odd(x, axis)
    outputs, odds = even.shape[axis], odd.shape[axis]
    pairs = jnp.maximum(_cut(even, axis, 0, odds), odd)
    pairs = jnp.concatenate([pairs, _cut(even, axis, odds, None)], axis)
    # Slices are joined instead of padding the array, because XLA would test for every value whether it is padding.
    rest = jnp.maximum(_cut(pairs, axis, 1, None), _cut(odd, axis, 0, outputs - 1))
    return jnp.concatenate([_cut(pairs, axis, 0, 1), rest], axis)


def _forward(x, axis):
    # The barrier makes x one stored array. XLA may otherwise compute it again for the gradient and round it differently
    # (a product and a sum in one instruction), so that two values that are equal here would differ there.
    x = jax.lax.optimization_barrier(x)
    return _max_of_three(x, axis), x


def _backward(axis, x, g):
    even, odd = _even_odd(x, axis)
    outputs, odds = even.shape[axis], odd.shape[axis]
    lowest = jnp.full_like(_cut(even, axis, 0, 1), -jnp.inf)
    previous = jnp.concatenate([lowest, _cut(odd, axis, 0, outputs - 1)], axis)
    following = odd if odds == outputs else jnp.concatenate([odd, lowest], axis)
    before = (previous >= even) & (previous >= following)
    at = (even >= following) & ~before
    d_even = jnp.where(at, g, 0)
    d_after = _cut(jnp.where(before | at, 0, g), axis, 0, odds)
    d_before = _cut(jnp.where(before, g, 0), axis, 1, None)
    if outputs == odds:
        d_before = jnp.concatenate([d_before, jnp.zeros_like(lowest)], axis)
    d_odd = d_after + d_before
    d_pairs = jnp.stack([_cut(d_even, axis, 0, odds), d_odd], axis + 1)
    shape = list(x.shape)
    shape[axis] = 2 * odds
    return (jnp.concatenate([d_pairs.reshape(shape), _cut(d_even, axis, odds, None)], axis),)


_max_of_three.defvjp(_forward, _backward)
