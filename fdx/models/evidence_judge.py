"""A small network that judges the evidence of a whole recording (fdx.signal.evidence_image): the universal judge.

All demodulation bands share their weights, and so do all targets (inner race, outer race, ball, cage, shaft), except
for a learned vector that says which one it is: what a line looks like is the same everywhere, and only its meaning
differs. Bands are pooled by mean and maximum, as a fault may show in all of them or in a single one.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.models.layers import ExampleDropout, scaled_widths
from fdx.models.staged import Staged
from fdx.types import ConfigError

# Deviations of controls; of this size, values are of the order of 1.
SCALE = 3.0
WIDTHS = {'wide': 64, 'narrow': 32, 'joint': 64}
TARGET_SIZE, BAND_SIZE = 8, 4


class Read(nn.Module):
    """Each target by itself, then all of them together.

    Attributes:
      rows: rows of the image that are bands; the rest are profiles and facts.
      widths: of the layers, see WIDTHS.
      dropout_rate: inside the layers.
      axis_name: see `Staged`.
    """

    rows: int
    widths: dict[str, int]
    dropout_rate: float
    axis_name: str | None

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, rows + more, columns, targets] -> [B, widths['joint']]."""
        del mask
        drop = ExampleDropout(self.dropout_rate, self.axis_name, name='dropout')
        by_target = jnp.moveaxis(x, 3, 1) / SCALE
        size, targets = x.shape[0], x.shape[3]
        which = self.param('target', nn.initializers.normal(1.0), (targets, TARGET_SIZE))
        band = self.param('band', nn.initializers.normal(1.0), (self.rows, BAND_SIZE))
        which_band = jnp.broadcast_to(which[None, :, None], (size, targets, self.rows, TARGET_SIZE))
        band = jnp.broadcast_to(band[None, None], (size, targets, self.rows, BAND_SIZE))
        bands = jnp.concatenate([by_target[:, :, : self.rows], which_band, band], axis=-1)
        bands = self._two_layers('bands', bands, drop, train)
        rest = by_target[:, :, self.rows :].reshape(size, targets, -1)
        rest = jnp.concatenate([rest, jnp.broadcast_to(which[None], (size, targets, TARGET_SIZE))], axis=-1)
        rest = self._two_layers('rest', rest, drop, train)
        each = jnp.concatenate([bands.mean(axis=2), bands.max(axis=2), rest], axis=-1)
        each = nn.gelu(nn.Dense(self.widths['narrow'], name='each')(each))
        joint = drop(each.reshape(size, -1), train=train)
        return nn.gelu(nn.Dense(self.widths['joint'], name='joint')(joint))

    def _two_layers(self, name: str, x: jax.Array, drop: ExampleDropout, train: bool) -> jax.Array:
        x = drop(nn.gelu(nn.Dense(self.widths['wide'], name=f'{name}1')(x)), train=train)
        return nn.gelu(nn.Dense(self.widths['narrow'], name=f'{name}2')(x))


class EvidenceJudge(Staged):
    """Images of evidence [B, bands + more, columns, targets] in, logits and features out.

    The embedding [B, 64] is what all targets together say.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier and inside.
      width_multiplier: scales all widths.
      bands: rows of the image that are bands.
      axis_name: the pmapped axis, or None.
    """

    num_classes: int
    dropout_rate: float = 0.2
    width_multiplier: float = 1.0
    bands: int = 24
    axis_name: str | None = None

    NAME = 'evidence_judge'
    STAGES = ('read', 'head')
    STEM = '(read/bands1/|read/rest1/|read/target$|read/band$).*'

    def check_options(self) -> None:
        """Raises ConfigError for an invalid width or number of bands."""
        super().check_options()
        if self.bands < 1:
            raise ConfigError(f'evidence_judge: `bands`={self.bands} must be at least 1')

    def check_input(self, shape: tuple[int, ...], start: int) -> None:
        """Refuses images without rows beside the bands."""
        if start == 0 and (len(shape) != 3 or shape[0] <= self.bands):
            raise ConfigError(
                f'evidence_judge takes images [more than {self.bands} rows, columns, targets], not {shape}'
            )

    def parts(self) -> dict[str, nn.Module]:
        """The one stage in front of the head."""
        widths = dict(zip(WIDTHS, scaled_widths(list(WIDTHS.values()), self.width_multiplier)))
        return {'read': Read(self.bands, widths, self.dropout_rate, self.axis_name)}
