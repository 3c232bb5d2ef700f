"""Depthwise convolution, with one kernel per channel: the textbook operation, and sums of slices for CPU.

Measured on CPU (processor time, batch 32, maps of EfficientNet-Lite0 for images of 128 x 96; value and gradients):

| map, kernel, stride | grouped convolution of XLA | here |
|---|---|---|
| 64 x 48 x 32, 3x3, 1 | 82 and 116 ms | 3 and 20 ms |
| 64 x 48 x 96, 3x3, 2 | 65 and 1103 ms | 22 and 45 ms |
| 16 x 12 x 240, 5x5, 1 | 60 and 245 ms | 4 and 17 ms |
| 8 x 6 x 672, 5x5, 1 | 43 and 432 ms | 3 and 15 ms |
| 4 x 3 x 1152, 5x5, 1 | 76 and 443 ms | 1 and 5 ms |
| whole network: inference, training step | 0.90 and 6.7 s | 0.16 and 0.87 s |

Compiling the training step takes 14 s instead of 9 s. Accelerators use the grouped convolution. Both forms pad as
TensorFlow's 'SAME' does.
"""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp

from fdx.models.conv import DIMENSIONS, on_cpu

EXAMPLES_AT_ONCE = 4  # in the kernel's gradient, because the products of so few stay in the processor's cache


def same_conv(x: jax.Array, kernel: jax.Array, stride: int = 1, groups: int = 1) -> jax.Array:
    """The textbook convolution, padded as TensorFlow's 'SAME' does it.

    Args:
      x: [B, F, T, C].
      kernel: [n, n, C / groups, C'].
      stride: of both axes.
      groups: number of groups of channels that do not see each other.

    Returns:
      [B, ceil(F / stride), ceil(T / stride), C'], with no more zeros around x than that needs. If their number is odd,
      the extra zero comes after x.
    """
    strides = (stride, stride)
    return jax.lax.conv_general_dilated(
        x, kernel, strides, 'SAME', dimension_numbers=DIMENSIONS, feature_group_count=groups
    )


def plain_depthwise(x: jax.Array, kernel: jax.Array, stride: int = 1) -> jax.Array:
    """The textbook depthwise convolution.

    Args:
      x: [B, F, T, C].
      kernel: [n, n, 1, C].
      stride: of both axes, at most n.

    Returns:
      [B, ceil(F / stride), ceil(T / stride), C], see `same_conv`.
    """
    return same_conv(x, kernel, stride, groups=x.shape[-1])


def same_padding(length: int, size: int, stride: int) -> tuple[int, int, int]:
    """(output length, zeros before, zeros after) of one axis, by TensorFlow's rule for 'SAME'."""
    out = -(-length // stride)
    zeros = max((out - 1) * stride + size - length, 0)
    return out, zeros // 2, zeros - zeros // 2


def _padded(x: jax.Array, size: int, stride: int) -> jax.Array:
    around = [same_padding(n, size, stride)[1:] for n in x.shape[1:3]]
    # The barrier makes it one stored array; XLA would otherwise compute x again for every tap.
    return jax.lax.optimization_barrier(jnp.pad(x, ((0, 0), *around, (0, 0))))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def cpu_depthwise(x: jax.Array, kernel: jax.Array, stride: int = 1) -> jax.Array:
    """`plain_depthwise` as a sum over the taps of the kernel: slices of x times weights."""
    n, padded = kernel.shape[0], _padded(x, kernel.shape[0], stride)
    f, t = ((same_padding(length, n, stride)[0] - 1) * stride + 1 for length in x.shape[1:3])
    taps = (padded[:, i : i + f : stride, j : j + t : stride] * kernel[i, j, 0] for i in range(n) for j in range(n))
    return sum(taps)  # type: ignore[return-value]  # there is at least one


def _forward(x, kernel, stride):
    return cpu_depthwise(x, kernel, stride), (x, kernel)


def _backward(stride, residuals, g):
    x, kernel = residuals
    return _input_gradient(g, kernel, stride, x.shape), _kernel_gradient(x, g, kernel.shape[0], stride)


cpu_depthwise.defvjp(_forward, _backward)


def _input_gradient(g: jax.Array, kernel: jax.Array, stride: int, shape: tuple[int, ...]) -> jax.Array:
    """The gradient of x.

    Row p = stride * q + r of the padded x met row q - i of the output through tap stride * i + r. So the rows and
    columns of each remainder r are a sum over every stride-th tap; interleaved, these sums are the whole gradient.
    """
    n, reach = kernel.shape[0], (kernel.shape[0] - 1) // stride
    before = [same_padding(length, n, stride)[1] for length in shape[1:3]]
    rows, columns = (-(-(length + b) // stride) for length, b in zip(shape[1:3], before))
    around = [(reach, max(m - k, 0)) for m, k in zip((rows, columns), g.shape[1:3])]
    padded = jax.lax.optimization_barrier(jnp.pad(g, ((0, 0), *around, (0, 0))))

    def part(r: int, s: int) -> jax.Array:
        taps = [(i, j) for i in range(r, n, stride) for j in range(s, n, stride)]
        starts = [(reach - i // stride, reach - j // stride) for i, j in taps]
        return sum(padded[:, a : a + rows, b : b + columns] * kernel[i, j, 0] for (i, j), (a, b) in zip(taps, starts))

    parts = [jnp.stack([part(r, s) for s in range(stride)], 3) for r in range(stride)]
    whole = jnp.stack(parts, 2).reshape(shape[0], stride * rows, stride * columns, shape[3])
    return whole[:, before[0] : before[0] + shape[1], before[1] : before[1] + shape[2]]


def _kernel_gradient(x: jax.Array, g: jax.Array, n: int, stride: int) -> jax.Array:
    """The gradient of the kernel, [n, n, 1, C]: slices of x times g, tap by tap and for a few examples at a time.

    A matrix product with ones sums the products, because it is vectorised; XLA's sum over leading axes is not.
    """
    group, channels = math.gcd(x.shape[0], EXAMPLES_AT_ONCE), x.shape[3]
    f, t = ((length - 1) * stride + 1 for length in g.shape[1:3])
    ones = jnp.ones((1, group * g.shape[1] * g.shape[2]), g.dtype)

    def add_examples(total, examples):
        image, cotangent = examples

        def tap(k):
            view = jax.lax.dynamic_slice(image, (0, k // n, k % n, 0), (group, f, t, channels))
            products = jax.lax.optimization_barrier(view[:, ::stride, ::stride] * cotangent)
            return (ones @ products.reshape(-1, channels))[0]

        return total + jax.lax.map(tap, jnp.arange(n * n)), None

    groups = [a.reshape(-1, group, *a.shape[1:]) for a in (_padded(x, n, stride), g)]
    total, _ = jax.lax.scan(add_examples, jnp.zeros((n * n, channels), g.dtype), groups)
    return total.reshape(n, n, 1, channels)


def depthwise_conv(x: jax.Array, kernel: jax.Array, stride: int = 1) -> jax.Array:
    """The form that is fastest on the default backend."""
    if not on_cpu():
        return plain_depthwise(x, kernel, stride)
    # Sums of many bfloat16 values lose digits, which accelerators keep by adding in float32.
    wide = jnp.promote_types(x.dtype, jnp.float32)
    return cpu_depthwise(x.astype(wide), kernel.astype(wide), stride).astype(x.dtype)
