"""The VGG of musicnn (Pons and Serra, "musicnn: pre-trained CNNs for music audio tagging", ISMIR late-breaking 2019).

Five stages of a 3x3 convolution, ReLU, batch norm and max pool, as Choi et al. (ISMIR 2016) shaped them for music tags.
They run over patches of any length. Only training differs from the original: the original also drops a quarter of the
values between stages; here dropout is in front of the classifier only. The original's batch norm is TensorFlow's:
epsilon 1e-3, running values of 0.99 old + 0.01 batch, and, as in torch, the running variance is the unbiased one
(TensorFlow's fused kernel returns that one, but normalises by the biased one).
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.models.batch_norm import BatchNorm
from fdx.models.cell_pool import max_pool
from fdx.models.conv import Conv3x3
from fdx.models.layers import flatten_examples, scaled_widths
from fdx.models.pooling import max_of_axes
from fdx.models.staged import Staged
from fdx.types import ConfigError

WIDTH = 128
EPSILON = 1e-3
# Weight of the new batch. It is 0.01 in the original, which trained for 1e5 steps; fdx.models.inverted_bottleneck says
# why that does not serve here.
MOMENTUM = 0.1
# Cell and stride of each stage's pool, as (frames, bands). The first pool takes every second band instead of the
# maximum of two bands, as in the original, because the weights expect it.
POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))
DEPTH = len(POOLS)
BANDS = 96
PUBLISHED_FRAMES = 187  # 3 s at 16 kHz with hops of 256: what the published classifier was trained on
HEAD_INPUTS = ('pooled', 'flatten')


def smallest_map(depth: int, first: int = 1) -> tuple[int, int]:
    """Fewest (frames, bands) in front of stage `first` that leave stage `depth` one value; stages count from 1."""
    frames = bands = 1
    for cell, stride in reversed(POOLS[first - 1 : depth]):
        frames, bands = (frames - 1) * stride[0] + cell[0], (bands - 1) * stride[1] + cell[1]
    return frames, bands


def deepest_stage(frames: int, bands: int = BANDS) -> int:
    """The largest `depth` of MusicnnVGG that patches of this size reach, or 0: 4 for 61 frames, 5 from 66 on."""

    def fits(depth: int) -> bool:
        return all(n >= least for n, least in zip((frames, bands), smallest_map(depth)))

    return max(filter(fits, range(1, DEPTH + 1)), default=0)


def depth_for(input_shape: tuple[int, ...]) -> dict[str, int]:
    """{'depth': the deepest that examples [T, F, 1] reach}, or {} if they reach none; the model then refuses them."""
    depth = deepest_stage(*input_shape[:2])
    return {'depth': depth} if depth else {}


def norm_paths(depth: int = DEPTH) -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stage1/input_bn', 'stage1/bn', 'stage2/bn', ..."""
    return ('stage1/input_bn', *(f'stage{i}/bn' for i in range(1, depth + 1)))


class Stage(nn.Module):
    """3x3 'same' convolution, ReLU, norm and max pool; the first stage starts with a norm, too.

    Attributes:
      number: counted from 1; it selects the pool.
      features: output channels.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    number: int
    features: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, T, F, C] -> [B, T', F', features]: about half of T and F, and a quarter after the fifth stage."""

        def norm(y, name):
            options = {'epsilon': EPSILON, 'momentum': MOMENTUM, 'name': name}
            return BatchNorm(y.shape[-1], self.axis_name, self.frozen_norms, **options)(y, train=train, mask=mask)

        if self.number == 1:
            x = norm(x, 'input_bn')
        x = norm(nn.relu(Conv3x3(self.features, name='conv')(x)), 'bn')
        return max_pool(x, *POOLS[self.number - 1])


class MusicnnVGG(Staged):
    """The VGG of musicnn under a new classifier: log-mel patches in, logits and named features out.

    Patches are [B, T, 96, 1]. The feature of the last stage is a map; the embedding [B, 256] ('pooled' and 'flatten'
    alike) is made of it. Stages after `depth` have no parameters.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier (0.5 in the original).
      width_multiplier: scales every hidden width; 1 is the published network.
      depth: number of stages in front of the classifier, 1 to 5. Short patches do not reach the last: unless told
        otherwise, programs take the deepest stage that the patches of the dataset reach.
      head_input: 'pooled': mean and maximum over time and bands of the last stage, side by side; 'flatten': its values
        in a row, as in the original, which needs depth 5 and patches of 187 frames and 96 bands.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.5
    width_multiplier: float = 1.0
    depth: int = DEPTH
    head_input: str = 'pooled'
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'musicnn_vgg'
    STAGES = (*(f'stage{i}' for i in range(1, DEPTH + 1)), 'head')
    STEM = 'stage1/conv/.*'
    NORMS = r'stage\d/(input_)?bn/.*'
    HAS_STATISTICS = True

    def __post_init__(self):
        w, depth = self.width_multiplier, self.depth
        whole = isinstance(depth, int) and 1 <= depth <= DEPTH
        if not w > 0 or not whole or self.head_input not in HEAD_INPUTS:
            raise ConfigError(
                f'musicnn_vgg: `width_multiplier`={w} must be above 0, `depth`={depth} a whole number from 1 to '
                f'{DEPTH}, and `head_input`={self.head_input!r} must be {" or ".join(HEAD_INPUTS)}'
            )
        if self.head_input == 'flatten' and depth != DEPTH:
            raise ConfigError(f'musicnn_vgg: `head_input`=flatten is for depth={DEPTH}, not {depth}: take pooled')
        self.STAGES = (*type(self).STAGES[:depth], 'head')  # type: ignore[misc]
        super().__post_init__()

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths(self.depth)

    def parts(self) -> dict[str, nn.Module]:
        """The stages up to `depth`."""
        (width,) = scaled_widths((WIDTH,), self.width_multiplier)
        common = (self.axis_name, self.frozen_norms)
        return {name: Stage(number, width, *common) for number, name in enumerate(self.STAGES[:-1], 1)}

    def check_input(self, shape: tuple[int, ...], start: int) -> None:
        """Raises ConfigError where a pool would leave nothing, or where the patches do not fit 'flatten'."""
        if start >= self.depth:
            return
        frames, bands = shape[:2]
        given, (least_frames, least_bands) = f'{frames} x {bands}', smallest_map(self.depth, start + 1)
        if self.head_input == 'flatten' and start == 0 and (frames, bands) != (PUBLISHED_FRAMES, BANDS):
            raise ConfigError(
                f'musicnn_vgg: `head_input`=flatten takes patches of {PUBLISHED_FRAMES} frames x {BANDS} bands, not '
                f'{given}: take `head_input`=pooled'
            )
        if frames >= least_frames and bands >= least_bands:
            return
        needs = f'musicnn_vgg: `depth`={self.depth} needs at least {least_frames} frames x {least_bands} bands'
        if start:
            raise ConfigError(f'{needs} in front of {self.STAGES[start]}, not {given}')
        fitting = deepest_stage(frames, bands)
        remedy = f'`depth`={fitting} is the deepest that fits' if fitting else 'no depth fits'
        raise ConfigError(f'{needs}, the patches have {given}: {remedy}')

    def embed(self, x: jax.Array) -> jax.Array:
        """The embedding that `head_input` makes of a map; an embedding stays as it is."""
        if x.ndim != 4:
            return x
        if self.head_input == 'flatten':
            return flatten_examples(x)
        return jnp.concatenate([x.mean((1, 2)), max_of_axes(x, (1, 2))[:, 0, 0]], axis=-1)
