"""EfficientNet-Lite0 (Tan and Le, "EfficientNet", ICML 2019; Lite variant, 2020): 4.7 million parameters.

Lite means: no squeeze-and-excite, ReLU6 in place of swish, and stem and top of one width in all sizes of the family.
Padding is TensorFlow's 'SAME', as in the origin of the weights: a strided axis of even length gets fewer zeros before
than after it. It follows the length, so any size works; torch's port fixes it for 224 x 224 unless told otherwise.

What an image means: the origin feeds pixels v from 0 to 255 as (v - 127) / 128. fdx feeds log-mel values x as they
come, which read as pixels 127 + 128 x: the floor of the front ends, log(0.01) = -4.6, lies far below black, and loud
bands above white. The published statistics know no such images; how well the weights serve is for measurements to say.
Stochastic depth (rates up to 0.2), with which the origin was trained, is not built in.
"""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.inverted_bottleneck import Block, ConvNorm
from fdx.models.layers import ExampleDropout, scaled_widths
from fdx.types import ConfigError

STEM_WIDTH, TOP_WIDTH = 32, 1280
WIDTHS = (16, 24, 40, 80, 112, 192, 320)
DEPTHS = (1, 2, 2, 3, 3, 4, 1)
SIZES = (3, 3, 5, 3, 5, 5, 3)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)


class Stage(nn.Module):
    """Blocks of one width, the first with the stride.

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


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0: images of any size and number of channels in, logits and named features out.

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

    STAGES = ('stem', 'stage1', 'stage2', 'stage3', 'stage4', 'stage5', 'stage6', 'stage7', 'top', 'head')
    STEM = 'stem/conv/.*'
    NORMS = '.*bn/.*'
    HAS_STATISTICS = True

    def setup(self):
        """Creates the stages under their names."""
        w, depths = self.width_multiplier, self.depths
        if not w > 0 or len(depths) != len(DEPTHS) or min(depths) < 1:
            raise ConfigError(
                f'efficientnet_lite0: width_multiplier={w} must be above 0, depths={depths} seven counts from 1 on'
            )
        unknown = sorted(set(self.frozen_norms) - set(norm_paths(depths)))
        if unknown:
            known = f'stem/bn, stageS/blockB/expand_bn (from stage2), depthwise_bn, project_bn, top/bn, {depths} blocks'
            raise ConfigError(f'efficientnet_lite0: frozen_norms names {", ".join(unknown)}; there are: {known}')
        common = (self.axis_name, self.frozen_norms)
        stem, *widths, top = scaled_widths((STEM_WIDTH, *WIDTHS, TOP_WIDTH), w)
        self.stem = ConvNorm(stem, 3, *common)
        for i, shape in enumerate(zip(depths, widths, SIZES, STRIDES, EXPANSIONS, strict=True), 1):
            setattr(self, f'stage{i}', Stage(*shape, *common))
        self.top = ConvNorm(top, 1, *common)
        # Not the origin's spread, 1 / sqrt(3 K): with few classes its logits are large before anything is learnt.
        self.head = nn.Dense(self.num_classes, kernel_init=nn.initializers.variance_scaling(1 / 3, 'fan_in', 'uniform'))
        self.dropout = ExampleDropout(self.dropout_rate, self.axis_name)

    def __call__(
        self,
        x: jax.Array,
        *,
        train: bool = False,
        start: int = 0,
        stop: int | None = None,
        mask: jax.Array | None = None,
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Runs stages `start` to `stop` (exclusive; None: to the end).

        Args:
          x: float32 [B, F, T, C] images when `start` is 0, else the output of stage `start - 1`. The head takes the
            embedding or the map that it is the mean of.
          train: True normalises by the batch, moves the running statistics (make 'batch_stats' mutable) and applies
            dropout, which needs the random stream 'dropout'.
          start: index in STAGES of the first stage to run.
          stop: index after the last stage to run.
          mask: float32 [B], 1 for real examples, 0 for padding, which then has no part in statistics; None: all real.

        Returns:
          (output, features): the output of the last stage run (logits [B, K] after `head`, the embedding after `top`),
          and by name every stage's output, `top` [B, F / 32, T / 32, 1280] as a map and `embedding` [B, 1280], its
          mean.
        """
        features: dict[str, jax.Array] = {}
        for name in self.STAGES[start:stop]:
            if name == 'head':
                x = x.mean((1, 2)) if x.ndim == 4 else x
                features['head'] = x = self.head(self.dropout(x, train=train))
                continue
            features[name] = x = getattr(self, name)(x, train=train, mask=mask)
            if name == 'top':
                features['embedding'] = x = x.mean((1, 2))
        return x, features


def norm_paths(depths: tuple[int, ...] = DEPTHS) -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stem/bn', 'stage1/block1/depthwise_bn', ..., 'top/bn'."""
    paths = ['stem/bn']
    for stage, (depth, expansion) in enumerate(zip(depths, EXPANSIONS, strict=True), 1):
        names = ['expand_bn'] * (expansion != 1) + ['depthwise_bn', 'project_bn']
        paths += [f'stage{stage}/block{block}/{name}' for block in range(1, depth + 1) for name in names]
    return (*paths, 'top/bn')
