"""The VGG of musicnn (Pons and Serra, "musicnn: pre-trained CNNs for music audio tagging", ISMIR late-breaking 2019).

Five stages of a 3x3 convolution, ReLU, batch norm and max pool, as Choi et al. (ISMIR 2016) shaped them for music tags.
They run over patches of any length. What differs from the original, in training only: it drops a quarter of the values
between stages as well; here nothing is dropped but in front of the classifier. Its batch norm is TensorFlow's: epsilon
1e-3, running values of 0.99 old + 0.01 batch, and, as in torch, the running variance is the unbiased one (TensorFlow's
fused kernel hands it out so, while the biased one normalises).
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.models.batch_norm import BatchNorm
from fdx.models.cell_pool import max_pool
from fdx.models.conv import Conv3x3
from fdx.models.layers import ExampleDropout, flatten_examples, scaled_widths
from fdx.models.pooling import max_of_axes
from fdx.types import ConfigError

WIDTH = 128
EPSILON = 1e-3
# Weight of the new batch; 0.01 in the original, which learned for 1e5 steps: see fdx.models.inverted_bottleneck.
MOMENTUM = 0.1
# Cell and stride of each stage's pool, frames before bands. The first keeps every second band and no maximum of two:
# so the original has it, and its weights expect it.
POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))
DEPTH = len(POOLS)
BANDS = 96
PUBLISHED_FRAMES = 187  # 3 s at 16 kHz with hops of 256: what the published classifier was trained on
HEAD_INPUTS = ('pooled', 'flatten')


def smallest_map(depth: int, first: int = 1) -> tuple[int, int]:
    """Fewest (frames, bands) in front of stage `first` that leave stage `depth` one value; stages count from 1."""
    size = (1, 1)
    for cell, stride in reversed(POOLS[first - 1 : depth]):
        size = tuple((n - 1) * s + c for n, c, s in zip(size, cell, stride))
    return size


def deepest_stage(frames: int, bands: int = BANDS) -> int:
    """The largest `depth` of MusicnnVGG that patches of this size reach: 4 for 61 frames, 5 from 66 on; 0: none."""

    def fits(depth: int) -> bool:
        return all(n >= least for n, least in zip((frames, bands), smallest_map(depth)))

    return max(filter(fits, range(1, DEPTH + 1)), default=0)


def depth_for(input_shape: tuple[int, ...]) -> dict[str, int]:
    """{'depth': the deepest that examples [T, F, 1] reach}; nothing where they reach none, which the model refuses."""
    depth = deepest_stage(*input_shape[:2])
    return {'depth': depth} if depth else {}


def norm_paths(depth: int = DEPTH) -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stage1/input_bn', 'stage1/bn', 'stage2/bn', ..."""
    return ('stage1/input_bn', *(f'stage{i}/bn' for i in range(1, depth + 1)))


class Stage(nn.Module):
    """3x3 'same' convolution, ReLU, norm and max pool; the first stage has a norm in front of them, too.

    Attributes:
      number: from 1 on; it decides the pool.
      features: output channels.
      axis_name, frozen_norms: of the norms.
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


class MusicnnVGG(nn.Module):
    """The VGG of musicnn under a new classifier: log-mel patches in, logits and named features out.

    `STAGES` of the class names all stages; that of an instance leaves out those behind `depth`, which have no
    parameters then.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier (0.5 in the original).
      width_multiplier: scales every hidden width; 1 is the published network.
      depth: number of stages in front of the classifier, 1 to 5. Short patches do not reach the last: programs take the
        deepest that those of the dataset reach, unless told otherwise.
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

    STAGES = (*(f'stage{i}' for i in range(1, DEPTH + 1)), 'head')
    STEM = 'stage1/conv/.*'
    NORMS = r'stage\d/(input_)?bn/.*'
    HAS_STATISTICS = True

    def __post_init__(self):
        w, depth = self.width_multiplier, self.depth
        whole = isinstance(depth, int) and 1 <= depth <= DEPTH
        if not w > 0 or not whole or self.head_input not in HEAD_INPUTS:
            raise ConfigError(
                f'musicnn_vgg: width_multiplier={w} must be above 0, depth={depth} a whole number from 1 to {DEPTH}, '
                f'and head_input={self.head_input!r} is {" or ".join(HEAD_INPUTS)}'
            )
        if self.head_input == 'flatten' and depth != DEPTH:
            raise ConfigError(f'musicnn_vgg: head_input=flatten is for depth={DEPTH}, not {depth}: take pooled')
        self.STAGES = (*type(self).STAGES[:depth], 'head')
        super().__post_init__()

    def setup(self):
        """Creates the stages under their names."""
        unknown = sorted(set(self.frozen_norms) - set(norm_paths(self.depth)))
        if unknown:
            known = ', '.join(norm_paths(self.depth))
            raise ConfigError(f'musicnn_vgg: frozen_norms names {", ".join(unknown)}; there are: {known}')
        (width,) = scaled_widths((WIDTH,), self.width_multiplier)
        for number, name in enumerate(self.STAGES[:-1], 1):
            setattr(self, name, Stage(number, width, self.axis_name, self.frozen_norms))
        self.head = nn.Dense(self.num_classes)
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
          x: float32 [B, T, 96, 1] log-mel patches when `start` is 0, else the output of stage `start - 1`. The head
            takes the embedding or the map that it is made of.
          train: True normalises by the batch, moves the running statistics (make 'batch_stats' mutable) and applies
            dropout, which needs the random stream 'dropout'.
          start: index in STAGES of the first stage to run.
          stop: index after the last stage to run.
          mask: float32 [B], 1 for real examples, 0 for padding, which then has no part in statistics; None: all real.

        Returns:
          (output, features): the output of the last stage run (logits [B, K] after `head`, the embedding after the
          stage before it), and by name every stage's output, the last one's as a map, and `embedding` [B, 256]
          ('pooled' and 'flatten' alike), which goes into the head.

        Raises:
          ConfigError: patches that are too small for `depth`, or not of the one size that 'flatten' takes.
        """
        features: dict[str, jax.Array] = {}
        stages = self.STAGES[start:stop]
        if stages and stages[0] != 'head':
            self._check_size(x.shape[1:3], start)
        for name in stages:
            if name == 'head':
                x = self._embedding(x) if x.ndim == 4 else x
                features['head'] = x = self.head(self.dropout(x, train=train))
                continue
            features[name] = x = getattr(self, name)(x, train=train, mask=mask)
            if name == self.STAGES[-2]:
                features['embedding'] = x = self._embedding(x)
        return x, features

    def _embedding(self, x: jax.Array) -> jax.Array:
        if self.head_input == 'flatten':
            return flatten_examples(x)
        return jnp.concatenate([x.mean((1, 2)), max_of_axes(x, (1, 2))[:, 0, 0]], axis=-1)

    def _check_size(self, size: tuple[int, int], start: int) -> None:
        """Raises ConfigError where a pool would leave nothing, or 'flatten' not the values that it was made for."""
        given, (frames, bands) = ' x '.join(map(str, size)), smallest_map(self.depth, start + 1)
        if self.head_input == 'flatten' and start == 0 and size != (PUBLISHED_FRAMES, BANDS):
            raise ConfigError(
                f'musicnn_vgg: head_input=flatten takes patches of {PUBLISHED_FRAMES} frames x {BANDS} bands, not '
                f'{given}: take head_input=pooled'
            )
        if size[0] >= frames and size[1] >= bands:
            return
        needs = f'musicnn_vgg: depth={self.depth} needs at least {frames} frames x {bands} bands'
        if start:
            raise ConfigError(f'{needs} in front of {self.STAGES[start]}, not {given}')
        fitting = deepest_stage(*size)
        remedy = f'depth={fitting} is the deepest that fits' if fitting else 'no depth fits'
        raise ConfigError(f'{needs}, the patches have {given}: {remedy}')
