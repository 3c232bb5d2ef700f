"""The parts of EfficientNet-Lite: convolution, norm and ReLU6, and the inverted bottleneck block.

The block is that of MobileNetV2 (Sandler et al., CVPR 2018). Norms have TensorFlow's epsilon, as in the
origin of the weights.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.models.batch_norm import BatchNorm
from fdx.models.conv import in_textbook_forms
from fdx.models.conv1x1 import conv1x1
from fdx.models.depthwise import depthwise_conv, same_conv

EPSILON = 1e-3  # of the norms, as in TensorFlow
# Weight of the new batch. It was 0.01 in training on ImageNet, over 1e5 steps. Training on few labels takes 80 steps,
# after which such running statistics would be about half the old ones, and evaluation would fail (CWRU: 21 % right,
# which is chance).
MOMENTUM = 0.1


def relu6(x: jax.Array) -> jax.Array:
    """min(max(x, 0), 6) of any shape; NaN stays NaN. The gradient at 0 and at 6 is 0, as in torch."""
    if in_textbook_forms():
        return nn.relu6(x)
    return jnp.where(x >= 6, 6.0, nn.relu(x))


class Conv(nn.Module):
    """A convolution without bias, 'SAME' padding; parameter `kernel`.

    Attributes:
      features: output channels.
      size: 1, or 3 with stride 2 (the stem).
    """

    features: int
    size: int = 1

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, F, T, C] -> [B, F, T, features]; the stem gives [B, ceil(F / 2), ceil(T / 2), features]."""
        init = nn.initializers.variance_scaling(2.0, 'fan_out', 'normal')
        kernel = self.param('kernel', init, (self.size, self.size, x.shape[-1], self.features))
        return conv1x1(x, kernel) if self.size == 1 else same_conv(x, kernel, 2)


class Depthwise(nn.Module):
    """A convolution of every channel with its own kernel; parameter `kernel` [size, size, 1, C], no bias.

    Attributes:
      size: 3 or 5, of the square kernel.
      stride: 1 or 2, of both axes.
    """

    size: int
    stride: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, F, T, C] -> [B, ceil(F / stride), ceil(T / stride), C]."""
        # Each tap reaches one output channel, so fan_in of this shape is the origin's fan_out, size * size.
        init = nn.initializers.variance_scaling(2.0, 'fan_in', 'normal')
        kernel = self.param('kernel', init, (self.size, self.size, 1, x.shape[-1]))
        return depthwise_conv(x, kernel, self.stride)


class ConvNorm(nn.Module):
    """The stem and the top: convolution `conv`, norm `bn`, ReLU6.

    Attributes:
      features: output channels.
      size: 1, or 3 with stride 2 (the stem).
      axis_name, frozen_norms: see `BatchNorm`.
    """

    features: int
    size: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """As `Conv`."""
        norm = BatchNorm(self.features, self.axis_name, self.frozen_norms, EPSILON, MOMENTUM, name='bn')
        return relu6(norm(Conv(self.features, self.size, name='conv')(x), train=train, mask=mask))


class Block(nn.Module):
    """Inverted bottleneck: 1x1 convolution to more channels, depthwise convolution, linear 1x1 convolution to few.

    Attributes:
      out: output channels.
      size: of the depthwise kernel.
      stride: of the depthwise convolution.
      expansion: inner channels relative to the input's; with 1 there is no first convolution.
      skip: whether the input is added to the output. The first block of a stage changes the width and has no skip.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    out: int
    size: int
    stride: int
    expansion: int
    skip: bool
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, F, T, C] -> [B, ceil(F / stride), ceil(T / stride), out]."""

        def norm(z, name):
            layer = BatchNorm(z.shape[-1], self.axis_name, self.frozen_norms, EPSILON, MOMENTUM, name=name)
            return layer(z, train=train, mask=mask)

        y = x
        if self.expansion != 1:
            y = relu6(norm(Conv(self.expansion * x.shape[-1], name='expand_conv')(y), 'expand_bn'))
        y = relu6(norm(Depthwise(self.size, self.stride, name='depthwise_conv')(y), 'depthwise_bn'))
        y = norm(Conv(self.out, name='project_conv')(y), 'project_bn')
        return x + y if self.skip else y
