"""VGGish (Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017)."""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.conv import Conv3x3, he_init, max_pool_2x2
from fdx.models.layers import ExampleDropout, flatten_examples, scaled_widths
from fdx.types import ConfigError

STAGE_WIDTHS = ((64,), (128,), (256, 256), (512, 512))
FC_WIDTHS = (4096, 4096)
EMBEDDING_SIZE = 128


class ConvStage(nn.Module):
    """3x3 'same' convolutions with ReLU, then a 2x2 max pool.

    Attributes:
      widths: output channels of each convolution.
    """

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, T, F, C] -> [B, T // 2, F // 2, widths[-1]]."""
        for i, width in enumerate(self.widths, 1):
            x = nn.relu(Conv3x3(width, name=f'conv{i}')(x))
        return max_pool_2x2(x)


class VGGish(nn.Module):
    """VGGish with a new classifier: log-mel patches in, logits and named features out.

    The network is an ordered list of stages, `STAGES`; a stage holds the parameters of the same name and nothing
    else, so that a frozen prefix of stages can be computed once and cached (fdx.train.feature_cache).

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier (0.5 in Di Maggio, Sensors 23(1):211, 2023).
      width_multiplier: scales every hidden width, the embedding included; 1 is the published network.
      head_input: 'embedding' (after its ReLU, as published) or 'embedding_linear' (before it).
      axis_name: the pmapped axis, or None.
    """

    num_classes: int
    dropout_rate: float = 0.5
    width_multiplier: float = 1.0
    head_input: str = 'embedding'
    axis_name: str | None = None

    STEM = 'stage1/conv1/.*'
    NORMS = ''
    HAS_STATISTICS = False
    STAGES = ('stage1', 'stage2', 'stage3', 'stage4', 'fc1', 'fc2', 'embedding', 'head')

    def setup(self):
        """Creates the stages under their names."""
        w = self.width_multiplier
        if not w > 0 or self.head_input not in ('embedding', 'embedding_linear'):
            raise ConfigError(
                f'vggish: width_multiplier={w} must be above 0, and head_input={self.head_input!r} is embedding or '
                'embedding_linear'
            )
        self.stage1 = ConvStage(scaled_widths(STAGE_WIDTHS[0], w))
        self.stage2 = ConvStage(scaled_widths(STAGE_WIDTHS[1], w))
        self.stage3 = ConvStage(scaled_widths(STAGE_WIDTHS[2], w))
        self.stage4 = ConvStage(scaled_widths(STAGE_WIDTHS[3], w))
        fc1, fc2 = scaled_widths(FC_WIDTHS, w)
        he = he_init()
        self.fc1 = nn.Dense(fc1, kernel_init=he)
        self.fc2 = nn.Dense(fc2, kernel_init=he)
        self.embedding = nn.Dense(scaled_widths((EMBEDDING_SIZE,), w)[0], kernel_init=he)
        self.head = nn.Dense(self.num_classes)
        self.dropout = ExampleDropout(self.dropout_rate, self.axis_name)

    def __call__(
        self, x: jax.Array, *, train: bool = False, start: int = 0, stop: int | None = None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Runs stages `start` to `stop` (exclusive; None: to the end).

        Args:
          x: float32 [B, 96, 64, 1] log-mel patches when `start` is 0, else the output of stage `start - 1`.
          train: True applies dropout, which needs the random stream 'dropout'.
          start: index in STAGES of the first stage to run.
          stop: index after the last stage to run.

        Returns:
          (output, features): the output of the last stage run (logits [B, K] after `head`) and every stage's output
          by name, with `embedding_linear` and `embedding` [B, 128] before and after the embedding's ReLU.
        """
        features: dict[str, jax.Array] = {}
        for name in self.STAGES[start:stop]:
            if name == 'fc1':
                x = flatten_examples(x)
            if name == 'embedding':
                features['embedding_linear'] = x = self.embedding(x)
                features['embedding'] = nn.relu(x)
                x = features[self.head_input]
                continue
            if name == 'head':
                x = self.dropout(x, train=train)
            x = getattr(self, name)(x)
            if name in ('fc1', 'fc2'):
                x = nn.relu(x)
            features[name] = x
        return x, features
