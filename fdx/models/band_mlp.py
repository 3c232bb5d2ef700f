"""A perceptron on mean spectra: the plain baseline of vibration diagnosis with a hidden layer that can be adapted.

Each band of an image is averaged over time, which leaves the machine's mean spectrum. A linear classifier on it is hard
to beat within one machine (docs/benchmarks/pretraining.md). The two hidden layers give adaptation features that it can
move, at a thousandth of a convolution's cost.
"""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.batch_norm import BatchNorm
from fdx.models.conv import he_init
from fdx.models.layers import flatten_examples, scaled_widths
from fdx.models.staged import Staged
from fdx.types import ConfigError

WIDTHS = {'hidden': 256, 'bottleneck': 256}


class Layer(nn.Module):
    """Norm, dense layer, ReLU: the first norm standardises the bands.

    Attributes:
      features: output width.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    features: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, D] -> [B, features]."""
        x = BatchNorm(x.shape[-1], self.axis_name, self.frozen_norms, name='bn')(x, train=train, mask=mask)
        return nn.relu(nn.Dense(self.features, kernel_init=he_init(), name='dense')(x))


class BandMLP(Staged):
    """Images [B, T, F, C] in ([B, F, T, C] with time_axis 1), logits and features out.

    The embedding [B, 256] is the output of the bottleneck.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier.
      width_multiplier: scales both hidden widths.
      time_axis: axis of the image that is averaged: 0 for front ends with axes 'TF' (vggish, musicnn), 1 for 'FT'.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.5
    width_multiplier: float = 1.0
    time_axis: int = 0
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'band_mlp'
    STAGES = (*WIDTHS, 'head')
    STEM = 'hidden/dense/.*'
    NORMS = r'(hidden|bottleneck)/bn/.*'
    HAS_STATISTICS = True

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths()

    def check_options(self) -> None:
        """Raises ConfigError for an invalid width, norm or axis."""
        super().check_options()
        if self.time_axis not in (0, 1):
            raise ConfigError(f'band_mlp: `time_axis`={self.time_axis} must be 0 (images [T, F, C]) or 1 ([F, T, C])')

    def parts(self) -> dict[str, nn.Module]:
        """Both layers."""
        widths = scaled_widths(list(WIDTHS.values()), self.width_multiplier)
        return {name: Layer(width, self.axis_name, self.frozen_norms) for name, width in zip(WIDTHS, widths)}

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """As in the base class; the first layer takes the means over time."""
        if name == 'hidden':
            x = flatten_examples(x.mean(1 + self.time_axis))
        return super().apply_stage(name, x, train=train, mask=mask)


def norm_paths() -> tuple[str, ...]:
    """Paths of both norms."""
    return tuple(f'{name}/bn' for name in WIDTHS)
