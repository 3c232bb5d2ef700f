"""Generator and critic of a conditional WGAN for images of any size.

The critic halves the image until a few positions are left; the generator goes the same way back. The class enters the
generator through the scale and shift of every norm, and the critic by projection. One pair of networks serves all
classes: what their spectrograms have in common it learns mostly from the frequent ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.synth.blocks import depth_to_space, shifted, space_to_depth

SMALLEST = 4  # positions along an axis of the smallest map, approximately
WIDEST = 8  # times `width`
SLOPE = 0.2  # of the leaky ReLU
# For class embeddings: with Flax's default, which is much smaller, noise drowns the class and all classes look alike.
AS_LARGE_AS_NOISE = nn.initializers.normal(1.0)


def plan(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """The maps from the image to the smallest one: (height, width, and the strides down and across that lead there).

    An axis is halved, rounded up, while it has more than SMALLEST + 2 positions: 96 x 64 -> 48 x 32 -> 24 x 16 ->
    12 x 8 -> 6 x 4; an axis of one position stays. There is at least one map.
    """
    found: list[tuple[int, int, int, int]] = []
    while max(height, width) > SMALLEST + 2 or not found:
        down, across = (2 if n > SMALLEST + 2 else 1 for n in (height, width))
        height, width = -(-height // down), -(-width // across)
        found.append((height, width, down, across))
    return found


def channels(width: int, level: int) -> int:
    """Channels of the map that is `level + 1` steps of the plan from the image."""
    return width * min(2**level, WIDEST)


class ClassNorm(nn.Module):
    """Norm of each image and channel over positions, with scale and shift that depend on class and noise.

    Adaptive instance normalisation (Huang and Belongie, ICCV 2017). It sees one image at a time, so samples do not
    depend on their batch, and nothing has to be averaged over devices.
    """

    @nn.compact
    def __call__(self, x: jax.Array, condition: jax.Array) -> jax.Array:
        """Takes x float32 [B, H, W, C] and condition [B, D]."""
        mean, var = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
        scale, shift = jnp.split(nn.Dense(2 * x.shape[-1], name='style')(condition)[:, None, None], 2, axis=-1)
        return (x - mean) * jax.lax.rsqrt(var + 1e-5) * (1 + scale) + shift


class Generator(nn.Module):
    """Maps noise and a class to an image in [-1, 1].

    Attributes:
      num_classes: K.
      shape: of an image, (H, W, C).
      width: channels of the largest map.
    """

    num_classes: int
    shape: tuple[int, int, int]
    width: int

    @nn.compact
    def __call__(self, noise: jax.Array, labels: jax.Array) -> jax.Array:
        """Takes noise float32 [B, Z] and labels int32 [B], gives images float32 [B, H, W, C]."""
        levels = plan(*self.shape[:2])
        sizes = [self.shape[:2], *[level[:2] for level in levels]]
        known = nn.Embed(self.num_classes, noise.shape[-1], embedding_init=AS_LARGE_AS_NOISE, name='class')(labels)
        condition = jnp.concatenate([noise, known], axis=-1)
        (height, width), deepest = sizes[-1], channels(self.width, len(levels) - 1)
        x = nn.Dense(height * width * deepest, name='start')(condition).reshape(-1, height, width, deepest)
        for level in range(len(levels), 0, -1):
            x = nn.leaky_relu(ClassNorm(name=f'norm{level}')(x, condition), SLOPE)
            down, across = levels[level - 1][2:]
            out = channels(self.width, level - 2) if level > 1 else self.shape[-1]
            x = nn.Dense(down * across * out, name=f'up{level}')(shifted(x, 3))
            x = depth_to_space(x, down, across, sizes[level - 1])
        return jnp.tanh(x)


class Critic(nn.Module):
    """Maps an image and a class to a number, higher for real images.

    It has no norms, as the penalty is about single images, and is conditioned by projection (Miyato and Koyama, ICLR
    2018).

    Attributes:
      num_classes: K.
      width: channels of the largest map.
    """

    num_classes: int
    width: int

    @nn.compact
    def __call__(self, images: jax.Array, labels: jax.Array) -> jax.Array:
        """Takes images float32 [B, H, W, C] and labels int32 [B], gives float32 [B]."""
        x = images
        for level, (_, _, down, across) in enumerate(plan(*images.shape[1:3]), 1):
            x = space_to_depth(x, down, across)
            # The first map sees only its own cell of the image. Neighbouring cells would add most of the work for
            # little, as the image usually has a single channel.
            x = x if level == 1 else shifted(x, 2)
            x = nn.leaky_relu(nn.Dense(channels(self.width, level - 1), name=f'down{level}')(x), SLOPE)
        vector = x.reshape(x.shape[0], -1)
        vector = nn.leaky_relu(nn.Dense(channels(self.width, 3), name='vector')(vector), SLOPE)
        wanted = nn.Embed(self.num_classes, vector.shape[-1], embedding_init=AS_LARGE_AS_NOISE, name='class')(labels)
        return nn.Dense(1, name='score')(vector)[:, 0] + (wanted * vector).sum(-1) / np.sqrt(vector.shape[-1])


def initial_parameters(networks: Sequence[nn.Module], latent_size: int, shape: tuple, seed: int) -> tuple[dict, dict]:
    """Fresh parameters of (generator, critic)."""
    generator, critic = networks
    first, second = jax.random.split(jax.random.key(seed))
    labels = jnp.zeros(1, jnp.int32)
    made = jax.jit(generator.init)(first, jnp.zeros((1, latent_size)), labels)['params']
    judged = jax.jit(critic.init)(second, jnp.zeros((1, *shape)), labels)['params']
    return made, judged
