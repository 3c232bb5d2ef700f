"""YAMNet: MobileNet v1 (Howard et al., 2017) on log-mel patches, trained on AudioSet's 521 classes by Plakal and Ellis.

Origin: research/audioset/yamnet in TensorFlow's models repository, and its port to torch (torch_audioset,
torch_vggish_yamnet). A 3x3 convolution of stride 2 comes first, then thirteen pairs of a depthwise 3x3 and a 1x1
convolution. A batch norm and a ReLU follow each convolution. Padding is TensorFlow's 'SAME': a strided axis of even
length gets its one zero after it. The mean over time and bands is the embedding, so that patches of any size work.

Norms have the origin's epsilon. The origin's norms have no scale; here it starts at one and is trained. The origin's
classes do not exclude each other: the sigmoid of a logit is the score of a class. A new classifier of fdx is a softmax.
"""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.batch_norm import BatchNorm
from fdx.models.inverted_bottleneck import Conv, Depthwise
from fdx.models.layers import map_means, scaled_widths
from fdx.models.staged import Staged

EPSILON = 1e-4
# Weight of the new batch. fdx.models.inverted_bottleneck says why TensorFlow's 0.01 does not serve few steps.
MOMENTUM = 0.1
STEM_WIDTH = 32
WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
CLASSES = 521


class _NormReLU(nn.Module):
    """A batch norm of the network and its ReLU.

    Attributes:
      axis_name, frozen_norms: see `BatchNorm`.
    """

    axis_name: str | None
    frozen_norms: tuple[str, ...]

    def norm_relu(self, x: jax.Array, name: str, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """ReLU(norm(x)) of x [B, F, T, C] by the norm of that name."""
        norm = BatchNorm(x.shape[-1], self.axis_name, self.frozen_norms, EPSILON, MOMENTUM, name=name)
        return nn.relu(norm(x, train=train, mask=mask))


class Stem(_NormReLU):
    """The first layer: a 3x3 convolution `conv` of stride 2 with its norm `bn` and ReLU.

    Attributes:
      features: output channels.
    """

    features: int

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, T, F, C] -> [B, ceil(T / 2), ceil(F / 2), features]."""
        return self.norm_relu(Conv(self.features, 3, name='conv')(x), 'bn', train=train, mask=mask)


class Separable(_NormReLU):
    """A depthwise 3x3 convolution and a 1x1 convolution, each with its norm and ReLU.

    Attributes:
      features: output channels.
      stride: 1 or 2, of the depthwise convolution.
    """

    features: int
    stride: int

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, T, F, C] -> [B, ceil(T / stride), ceil(F / stride), features]."""
        x = Depthwise(3, self.stride, name='depthwise_conv')(x)
        x = self.norm_relu(x, 'depthwise_bn', train=train, mask=mask)
        x = Conv(self.features, name='pointwise_conv')(x)
        return self.norm_relu(x, 'pointwise_bn', train=train, mask=mask)


class YAMNet(Staged):
    """YAMNet: log-mel patches in, logits and named features out.

    Patches are [B, T, F, 1]: 96 x 64 at the origin, any size here. The feature `stage13` is a map [B, T / 32,
    F / 32, 1024]; the embedding [B, 1024] is its mean. Layer 1 of the origin is `stem`, layer n + 1 is `stage` n.

    Attributes:
      num_classes: K, size of the classifier; the published one has 521.
      dropout_rate: dropout in front of the classifier; the origin has none.
      width_multiplier: scales every hidden width, the embedding included; 1 is the published network.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.0
    width_multiplier: float = 1.0
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'yamnet'
    STAGES = ('stem', *(f'stage{i}' for i in range(1, len(WIDTHS) + 1)), 'head')
    STEM = 'stem/conv/.*'
    NORMS = '.*bn/.*'
    HAS_STATISTICS = True
    # With few classes, the spread of the default gives large logits before any training.
    TORCH_HEAD = True

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths()

    def parts(self) -> dict[str, nn.Module]:
        """The stem and the thirteen separable convolutions."""
        common = (self.axis_name, self.frozen_norms)
        stem, *widths = scaled_widths((STEM_WIDTH, *WIDTHS), self.width_multiplier)
        pairs = enumerate(zip(widths, STRIDES, strict=True), 1)
        return {'stem': Stem(*common, stem), **{f'stage{i}': Separable(*common, *pair) for i, pair in pairs}}

    def embed(self, x: jax.Array) -> jax.Array:
        """The mean of a map."""
        return map_means(x)


def norm_paths() -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stem/bn', 'stage1/depthwise_bn', ..., 'stage13/pointwise_bn'."""
    stages = range(1, len(WIDTHS) + 1)
    return ('stem/bn', *(f'stage{i}/{kind}_bn' for i in stages for kind in ('depthwise', 'pointwise')))
