"""Augmentation on the device, inside the training step: mixup and SpecAugment.

Both draw random numbers for each example by its place in the global batch, so a step gives the same result on one
device and on several.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from fdx.train import parallel

MIXUP_ALPHA = 0.2
# SpecAugment: the number of bands that are masked along each axis, and their largest width as a share of the axis.
MASKS, LARGEST_SHARE = 2, 0.15

# (inputs [B, ...], targets [B, K], mask [B], key) -> (inputs, targets)
Augmentation = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


def _example_keys(key: jax.Array, count: int) -> jax.Array:
    """A key for each of the `count` examples of this device, which depends on its place in the global batch."""
    first = jax.lax.axis_index(parallel.AXIS) * count
    return jax.vmap(lambda i: jax.random.fold_in(key, i))(first + jnp.arange(count))


def mixup(inputs: jax.Array, targets: jax.Array, mask: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Each example mixed with another one of the global batch: lambda x + (1 - lambda) x', targets likewise.

    Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018, lambda ~ Beta(alpha, alpha) with alpha 0.2,
    drawn for each example. The real examples are put into a random ring, and each is mixed with the next one: padding
    is never a partner.

    Args:
      inputs: float32 [B, ...] of this device.
      targets: float32 [B, K], rows of probabilities.
      mask: float32 [B], 1 for examples and 0 for padding.
      key: of the step.

    Returns:
      (inputs, targets) of the same shapes; padding is unchanged.
    """
    count = inputs.shape[0]
    everyone = parallel.gather(mask)
    size, real = everyone.shape[0], everyone.sum().astype(jnp.int32)
    ring_key, share_key = jax.random.split(key)
    # Real examples in random order, padding at the end; the partner of each is the next one in the ring.
    lots = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(ring_key, i)))(jnp.arange(size))
    order = jnp.argsort(jnp.where(everyone > 0, lots, 2.0))
    place = jnp.argsort(order)
    partner = order[(place + 1) % jnp.maximum(real, 1)]
    mine = jax.lax.dynamic_slice_in_dim(partner, jax.lax.axis_index(parallel.AXIS) * count, count)
    shares = jax.vmap(lambda k: jax.random.beta(k, MIXUP_ALPHA, MIXUP_ALPHA))(_example_keys(share_key, count))
    shares = jnp.where(mask > 0, shares, 1.0).astype(inputs.dtype)

    def mixed(x: jax.Array) -> jax.Array:
        share = shares.reshape(-1, *[1] * (x.ndim - 1))
        return share * x + (1 - share) * parallel.gather(x)[mine]

    return mixed(inputs), mixed(targets)


def specaugment(inputs: jax.Array, targets: jax.Array, mask: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Time and frequency masks: bands of rows and of columns of each image are set to the mean of the image.

    Park et al., "SpecAugment", Interspeech 2019, without its time warp, which the authors found to matter least. Along
    each axis two bands are masked, each at most 15 % of the axis wide, and in all channels alike.

    Args:
      inputs: float32 [B, H, W, C] of this device.
      targets: float32 [B, K].
      mask: float32 [B]; it is not read, as padding may be masked too without any effect.
      key: of the step.
    """
    del mask
    masked = jax.vmap(_mask_image)(inputs, _example_keys(key, inputs.shape[0]))
    return masked, targets


def _mask_image(image: jax.Array, key: jax.Array) -> jax.Array:
    """The image [H, W, C] with its bands masked."""
    hidden = jnp.zeros(image.shape[:2], bool)
    for axis, axis_key in enumerate(jax.random.split(key)):
        length = image.shape[axis]
        place = jnp.arange(length)
        for band_key in jax.random.split(axis_key, MASKS):
            width_key, start_key = jax.random.split(band_key)
            width = jax.random.randint(width_key, (), 0, int(LARGEST_SHARE * length) + 1)
            start = jax.random.randint(start_key, (), 0, length - width + 1)
            band = (place >= start) & (place < start + width)
            hidden |= band[:, None] if axis == 0 else band[None, :]
    return jnp.where(hidden[..., None], image.mean((0, 1), keepdims=True), image)


AUGMENT: dict[str, Augmentation] = {'mixup': mixup, 'specaugment': specaugment}
