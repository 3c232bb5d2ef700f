"""ResNet-50 v1.5 (He et al., "Deep residual learning for image recognition", CVPR 2016), as torchvision builds it.

Version 1.5 has the stride of a block in its 3x3 convolution. Padding is symmetric, as in the origin of the weights:
'SAME' would shift every strided layer by a pixel.
"""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.batch_norm import BatchNorm
from fdx.models.conv import plain_conv
from fdx.models.conv1x1 import conv1x1
from fdx.models.layers import map_means, scaled_widths
from fdx.models.pooling import max_pool_3x3
from fdx.models.staged import Staged, check_depths

WIDTHS = (64, 128, 256, 512)
EXPANSION = 4
DEPTHS = (3, 4, 6, 3)
# A training step (16 x 224 x 224 x 3) takes 4.3 processor seconds with these forms, 4.8 with the gradients of
# `conv.cpu_conv3x3`, and 9.5 with textbook 1x1 convolutions. Products over patches are also slower for 7x7 and for 3x3
# with stride 2.
CONVOLUTIONS = {1: conv1x1, 3: plain_conv, 7: plain_conv}


class Conv(nn.Module):
    """A convolution without bias, padded symmetrically by (size - 1) / 2 zeros; parameter `kernel`.

    Attributes:
      features: output channels.
      size: 1, 3 or 7, of the square kernel.
      stride: 1 or 2, of both axes.
    """

    features: int
    size: int
    stride: int = 1

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, F, T, C] -> [B, ceil(F / stride), ceil(T / stride), features]."""
        init = nn.initializers.variance_scaling(2.0, 'fan_out', 'normal')
        kernel = self.param('kernel', init, (self.size, self.size, x.shape[-1], self.features))
        return CONVOLUTIONS[self.size](x, kernel, self.stride)


class Stem(nn.Module):
    """7x7 convolution with stride 2, norm, ReLU, 3x3 max pool with stride 2.

    Attributes:
      features: output channels.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    features: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, F, T, C] -> [B, ceil(F / 4), ceil(T / 4), features]."""
        x = Conv(self.features, 7, 2, name='conv')(x)
        x = BatchNorm(self.features, self.axis_name, self.frozen_norms, name='bn')(x, train=train, mask=mask)
        return max_pool_3x3(nn.relu(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut.

    Attributes:
      width: channels of the 3x3 convolution.
      out: output channels.
      stride: of the 3x3 convolution.
      project: whether the shortcut is a 1x1 convolution with a norm (in the first block of a stage) or the identity.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    width: int
    out: int
    stride: int
    project: bool
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, F, T, C] -> [B, ceil(F / stride), ceil(T / stride), out]."""

        def layer(z, features, size, stride, conv, norm):
            z = Conv(features, size, stride, name=conv)(z)
            return BatchNorm(features, self.axis_name, self.frozen_norms, name=norm)(z, train=train, mask=mask)

        y = nn.relu(layer(x, self.width, 1, 1, 'conv1', 'bn1'))
        y = nn.relu(layer(y, self.width, 3, self.stride, 'conv2', 'bn2'))
        y = layer(y, self.out, 1, 1, 'conv3', 'bn3')
        if self.project:
            x = layer(x, self.out, 1, self.stride, 'shortcut_conv', 'shortcut_bn')
        return nn.relu(x + y)


class Stage(nn.Module):
    """Blocks of one width; the first block has the stride and the projection.

    Attributes:
      depth: number of blocks.
      width: of the blocks.
      out: output channels.
      stride: of the first block.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    depth: int
    width: int
    out: int
    stride: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, F, T, C] -> [B, ceil(F / stride), ceil(T / stride), out]."""
        for i in range(self.depth):
            stride, common = self.stride if i == 0 else 1, (self.axis_name, self.frozen_norms)
            block = Bottleneck(self.width, self.out, stride, i == 0, *common, name=f'block{i + 1}')
            x = block(x, train=train, mask=mask)
        return x


class ResNet50(Staged):
    """ResNet-50: images of any size and number of channels in, logits and named features out.

    Images are [B, F, T, C]. The feature `stage4` is a map [B, F / 32, T / 32, 2048]; the embedding [B, 2048] is its
    mean.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier; the published network has none.
      width_multiplier: scales every hidden width; 1 is the published network.
      depths: blocks of the four stages; (3, 4, 6, 3) is ResNet-50, (3, 4, 23, 3) ResNet-101.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.0
    width_multiplier: float = 1.0
    depths: tuple[int, ...] = DEPTHS
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'resnet50'
    STAGES = ('stem', 'stage1', 'stage2', 'stage3', 'stage4', 'head')
    STEM = 'stem/conv/.*'
    NORMS = r'.*bn\d?/.*'
    HAS_STATISTICS = True
    TORCH_HEAD = True

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths(self.depths)

    def check_options(self) -> None:
        """Raises ConfigError for invalid widths, depths or norms."""
        check_depths(self.NAME, self.depths, len(DEPTHS))
        super().check_options()

    def parts(self) -> dict[str, nn.Module]:
        """The stem and the stages."""
        common = (self.axis_name, self.frozen_norms)
        widths = scaled_widths(WIDTHS, self.width_multiplier)
        outs = scaled_widths([EXPANSION * width for width in WIDTHS], self.width_multiplier)
        shapes = zip(self.depths, widths, outs, (1, 2, 2, 2), strict=True)
        stages = {f'stage{i}': Stage(*shape, *common) for i, shape in enumerate(shapes, 1)}
        return {'stem': Stem(widths[0], *common), **stages}

    def embed(self, x: jax.Array) -> jax.Array:
        """The mean of a map."""
        return map_means(x)


def norm_paths(depths: tuple[int, ...] = DEPTHS) -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stem/bn', 'stage1/block1/bn1', ..."""
    paths = ['stem/bn']
    for stage, depth in enumerate(depths, 1):
        for block in range(1, depth + 1):
            names = ['bn1', 'bn2', 'bn3'] + ['shortcut_bn'] * (block == 1)
            paths += [f'stage{stage}/block{block}/{name}' for name in names]
    return tuple(paths)
