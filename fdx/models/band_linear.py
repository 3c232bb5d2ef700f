"""A linear classifier on mean spectra: what to begin with where there are a few dozen recordings.

Each band of an image is averaged over time, standardised over the training windows, and classified by one linear layer:
logistic regression on the machine's mean spectrum. On few recordings it beats networks that learn their features
(docs/benchmarks/own_machine.md). With a penalty of `1 / (2 N)` on N training windows its optimum is scikit-learn's
LogisticRegression with C = 1 (tests/models/test_band_linear.py).
"""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.batch_norm import BatchNorm
from fdx.models.layers import flatten_examples
from fdx.models.staged import Staged
from fdx.types import ConfigError

# Added to the variance of a band (log-mel values vary by about 1 between windows): a band that hardly varies is not
# blown up to the size of the others.
EPSILON = 1e-2


class Bands(nn.Module):
    """The mean of each band over time, standardised.

    Attributes:
      axis_name, frozen_norms: see `BatchNorm`.
    """

    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, D] -> [B, D]."""
        norm = BatchNorm(x.shape[-1], self.axis_name, self.frozen_norms, EPSILON, name='bn')
        return norm(x, train=train, mask=mask)


class BandLinear(Staged):
    """Images [B, T, F, C] in ([B, F, T, C] with time_axis 1), logits and features out.

    The embedding [B, F * C] is the standardised mean spectrum.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier.
      time_axis: axis of the image that is averaged: 0 for front ends with axes 'TF' (vggish, musicnn), 1 for 'FT'.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.0
    time_axis: int = 0
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'band_linear'
    STAGES = ('bands', 'head')
    STEM = 'bands/bn/.*'
    NORMS = 'bands/bn/.*'
    HAS_STATISTICS = True

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths()

    def check_options(self) -> None:
        """Raises ConfigError for an unknown norm or an axis that images do not have."""
        super().check_options()
        if self.time_axis not in (0, 1):
            said = f'band_linear: `time_axis`={self.time_axis}'
            raise ConfigError(f'{said} must be 0 (images [T, F, C]) or 1 ([F, T, C])')

    def parts(self) -> dict[str, nn.Module]:
        """The one stage in front of the head."""
        return {'bands': Bands(self.axis_name, self.frozen_norms)}

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """As in the base class, on the means over time."""
        return super().apply_stage(name, flatten_examples(x.mean(1 + self.time_axis)), train=train, mask=mask)


def norm_paths() -> tuple[str, ...]:
    """The path of the one norm."""
    return ('bands/bn',)
