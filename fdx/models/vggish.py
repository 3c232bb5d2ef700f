"""VGGish (Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017)."""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.conv import Conv3x3, he_init, max_pool_2x2
from fdx.models.layers import flatten_examples, scaled_widths
from fdx.models.staged import Staged
from fdx.types import ConfigError

STAGE_WIDTHS = ((64,), (128,), (256, 256), (512, 512))
FC_WIDTHS = (4096, 4096)
EMBEDDING_SIZE = 128
HEAD_INPUTS = ('embedding', 'embedding_linear')


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


class VGGish(Staged):
    """VGGish with a new classifier: log-mel patches in, logits and named features out.

    Patches are [B, 96, 64, 1]. The features `embedding_linear` and `embedding` [B, 128] are those before and after the
    embedding's ReLU.

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

    NAME = 'vggish'
    STEM = 'stage1/conv1/.*'
    STAGES = ('stage1', 'stage2', 'stage3', 'stage4', 'fc1', 'fc2', 'embedding', 'head')

    def check_options(self) -> None:
        """Raises ConfigError for an invalid width or `head_input`."""
        super().check_options()
        if self.head_input not in HEAD_INPUTS:
            raise ConfigError(f'vggish: `head_input`={self.head_input!r} must be {" or ".join(HEAD_INPUTS)}')

    def parts(self) -> dict[str, nn.Module]:
        """The convolutions and the dense layers."""
        w = self.width_multiplier
        dense = dict(zip(('fc1', 'fc2', 'embedding'), scaled_widths((*FC_WIDTHS, EMBEDDING_SIZE), w)))
        return {
            **{f'stage{i}': ConvStage(scaled_widths(widths, w)) for i, widths in enumerate(STAGE_WIDTHS, 1)},
            **{name: nn.Dense(width, kernel_init=he_init()) for name, width in dense.items()},
        }

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """Convolutions with their pool, or a dense layer with its ReLU; `run_stage` applies the embedding's ReLU."""
        del train, mask
        x = getattr(self, name)(flatten_examples(x) if name == 'fc1' else x)
        return nn.relu(x) if name in ('fc1', 'fc2') else x

    def run_stage(
        self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """As in the base class; both embeddings, before and after the ReLU, are features; `head_input` selects one."""
        if name != 'embedding':
            return super().run_stage(name, x, train=train, mask=mask)
        linear = self.apply_stage(name, x, train=train, mask=mask)
        features = {'embedding_linear': linear, 'embedding': nn.relu(linear)}
        return features[self.head_input], features
