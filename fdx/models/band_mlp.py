"""A perceptron on mean spectra: the plain baseline of vibration diagnosis with a hidden layer that can be adapted.

An image is averaged over time, each band by itself; what is left is the machine's mean spectrum. A linear classifier on
it is hard to beat within a machine (docs/benchmarks/pretraining.md); two hidden layers make features that adaptation
can move, at a thousandth of a convolution's cost.
"""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.batch_norm import BatchNorm
from fdx.models.conv import he_init
from fdx.models.layers import ExampleDropout, flatten_examples, scaled_widths
from fdx.types import ConfigError

WIDTHS = {'hidden': 256, 'bottleneck': 256}


class Layer(nn.Module):
    """Norm, dense layer, ReLU: the first norm standardises the bands.

    Attributes:
      features: output width.
      axis_name, frozen_norms: of the norm.
    """

    features: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, D] -> [B, features]."""
        x = BatchNorm(x.shape[-1], self.axis_name, self.frozen_norms, name='bn')(x, train=train, mask=mask)
        return nn.relu(nn.Dense(self.features, kernel_init=he_init(), name='dense')(x))


class BandMLP(nn.Module):
    """Mean spectra in, logits and features out.

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

    STAGES = (*WIDTHS, 'head')
    STEM = 'hidden/dense/.*'
    NORMS = r'(hidden|bottleneck)/bn/.*'
    HAS_STATISTICS = True

    def setup(self):
        """Creates the stages under their names."""
        if not self.width_multiplier > 0 or self.time_axis not in (0, 1):
            raise ConfigError(
                f'band_mlp: width_multiplier={self.width_multiplier} must be above 0 and time_axis={self.time_axis} '
                '0 (images [T, F, C]) or 1 ([F, T, C])'
            )
        unknown = sorted(set(self.frozen_norms) - set(norm_paths()))
        if unknown:
            raise ConfigError(
                f'band_mlp: frozen_norms names {", ".join(unknown)}; there are: {", ".join(norm_paths())}'
            )
        for name, width in zip(WIDTHS, scaled_widths(list(WIDTHS.values()), self.width_multiplier)):
            setattr(self, name, Layer(width, self.axis_name, self.frozen_norms))
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
          x: float32 [B, T, F, C] images ([B, F, T, C] with time_axis 1) when `start` is 0, else the output of stage
            `start - 1`.
          train: True normalises by the batch, moves the running statistics (make 'batch_stats' mutable) and applies
            dropout, which needs the random stream 'dropout'.
          start: index in STAGES of the first stage to run.
          stop: index after the last stage to run.
          mask: float32 [B], 1 for real examples, 0 for padding, which then has no part in statistics; None: all real.

        Returns:
          (output, features): the output of the last stage run, and by name every stage's output and `embedding`
          [B, 256], the bottleneck's.
        """
        features: dict[str, jax.Array] = {}
        for name in self.STAGES[start:stop]:
            if name == 'hidden':
                x = flatten_examples(x.mean(1 + self.time_axis))
            if name == 'head':
                features['head'] = x = self.head(self.dropout(x, train=train))
                continue
            features[name] = x = getattr(self, name)(x, train=train, mask=mask)
            if name == 'bottleneck':
                features['embedding'] = x
        return x, features


def norm_paths() -> tuple[str, ...]:
    """Paths of both norms."""
    return tuple(f'{name}/bn' for name in WIDTHS)
