"""EfficientNet-Lite0 (Tan and Le, "EfficientNet", ICML 2019; Lite variant, 2020): 4.7 million parameters.

Lite means that it has no squeeze-and-excite, has ReLU6 in place of swish, and that stem and top have one width in all
sizes of the family. Padding is TensorFlow's 'SAME', as in the origin of the weights: a strided axis of even length gets
fewer zeros before than after it. It depends on the length, so any size works; torch's port fixes it for 224 x 224
unless told otherwise.

What an image means: the origin feeds pixels v from 0 to 255 as (v - 127) / 128. fdx feeds log-mel values x
unchanged, which the network reads as pixels 127 + 128 x. The floor of the front ends, log(0.01) = -4.6, then lies far
below black, and loud bands lie above white. The published statistics were not learned on such images, so how well the
weights serve must be measured. The origin was trained with stochastic depth (rates up to 0.2), which is not implemented
here.
"""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.inverted_bottleneck import Block, ConvNorm
from fdx.models.layers import map_means, scaled_widths
from fdx.models.staged import Staged, check_depths

STEM_WIDTH, TOP_WIDTH = 32, 1280
WIDTHS = (16, 24, 40, 80, 112, 192, 320)
DEPTHS = (1, 2, 2, 3, 3, 4, 1)
SIZES = (3, 3, 5, 3, 5, 5, 3)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)


class Stage(nn.Module):
    """Blocks of one width; the first block has the stride.

    Attributes:
      depth: number of blocks.
      out, size, stride, expansion, axis_name, frozen_norms: see `Block`.
    """

    depth: int
    out: int
    size: int
    stride: int
    expansion: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, F, T, C] -> [B, ceil(F / stride), ceil(T / stride), out]."""
        for i in range(self.depth):
            stride, common = self.stride if i == 0 else 1, (self.axis_name, self.frozen_norms)
            block = Block(self.out, self.size, stride, self.expansion, i > 0, *common, name=f'block{i + 1}')
            x = block(x, train=train, mask=mask)
        return x


class EfficientNetLite0(Staged):
    """EfficientNet-Lite0: images of any size and number of channels in, logits and named features out.

    Images are [B, F, T, C]. The feature `top` is a map [B, F / 32, T / 32, 1280]; the embedding [B, 1280] is its mean.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier; the published network was trained with 0.2.
      width_multiplier: scales every hidden width, those of stem and top too; 1 is the published network.
      depths: blocks of the seven stages.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.0
    width_multiplier: float = 1.0
    depths: tuple[int, ...] = DEPTHS
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'efficientnet_lite0'
    STAGES = ('stem', 'stage1', 'stage2', 'stage3', 'stage4', 'stage5', 'stage6', 'stage7', 'top', 'head')
    STEM = 'stem/conv/.*'
    NORMS = '.*bn/.*'
    HAS_STATISTICS = True
    # The origin's spread, 1 / sqrt(3 K), is not used: with few classes it gives large logits before any training.
    TORCH_HEAD = True

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths(self.depths)

    def check_options(self) -> None:
        """Raises ConfigError for invalid widths, depths or norms."""
        check_depths(self.NAME, self.depths, len(DEPTHS))
        super().check_options()

    def parts(self) -> dict[str, nn.Module]:
        """The stem, the stages and the top."""
        common = (self.axis_name, self.frozen_norms)
        stem, *widths, top = scaled_widths((STEM_WIDTH, *WIDTHS, TOP_WIDTH), self.width_multiplier)
        shapes = zip(self.depths, widths, SIZES, STRIDES, EXPANSIONS, strict=True)
        return {
            'stem': ConvNorm(stem, 3, *common),
            **{f'stage{i}': Stage(*shape, *common) for i, shape in enumerate(shapes, 1)},
            'top': ConvNorm(top, 1, *common),
        }

    def embed(self, x: jax.Array) -> jax.Array:
        """The mean of a map."""
        return map_means(x)


def norm_paths(depths: tuple[int, ...] = DEPTHS) -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stem/bn', 'stage1/block1/depthwise_bn', ..., 'top/bn'."""
    paths = ['stem/bn']
    for stage, (depth, expansion) in enumerate(zip(depths, EXPANSIONS, strict=True), 1):
        names = ['expand_bn'] * (expansion != 1) + ['depthwise_bn', 'project_bn']
        paths += [f'stage{stage}/block{block}/{name}' for block in range(1, depth + 1) for name in names]
    return (*paths, 'top/bn')
