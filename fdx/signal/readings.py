"""Readings of several sensors at one instant: the input of tables, which hold no signal to analyse."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from fdx.signal import scaling
from fdx.signal.patch import UNKNOWN_CONDITION, Condition, InputMaker
from fdx.signal.scaling import Gain, as_gain
from fdx.types import ConfigError, DataError

if TYPE_CHECKING:
    from typing_extensions import TypeIs

# `axes` of a front end whose input is a row of C columns; images have 'TF' or 'FT'.
TABLE_AXES = 'C'


@dataclasses.dataclass(frozen=True)
class ReadingsInput:
    """A row of a table, standardised column by column with the training rows' mean and standard deviation.

    Attributes:
      name: name in checkpoints and datasets.
      columns: names of the C columns, in order.
      scaling: 'zscore'; the fitted means and deviations are the run's gain.
    """

    name: str
    columns: tuple[str, ...]
    scaling: str = 'zscore'

    axes = TABLE_AXES
    unit = 'standard deviations'
    plot_labels = ('', '')

    def __post_init__(self):
        object.__setattr__(self, 'columns', tuple(self.columns))
        if scaling.check_scaling(self.scaling) != 'zscore' or not self.columns:
            raise ConfigError(f'front end {self.name}: scaling={self.scaling!r} must be zscore, columns some names')

    def output_shape(self, channels: int | None = None) -> tuple[int]:
        """(C,); ConfigError for another number of columns."""
        if channels not in (None, len(self.columns)):
            raise ConfigError(f'front end {self.name} has {len(self.columns)} columns, not {channels}')
        return (len(self.columns),)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The first row of readings [T, C]: float32 [C]; DataError for another number of columns."""
        del sample_rate_hz, condition
        if chunk.ndim != 2 or chunk.shape[1] != len(self.columns) or not len(chunk):
            raise DataError(
                f'front end {self.name} takes rows of {", ".join(self.columns)}, not an array of {chunk.shape}'
            )
        return chunk[0].astype(np.float32)

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """Readings [..., C] in units of the training rows' deviations from their mean, float32; `gain` as fitted.

        Raises:
          DataError: a gain that was not fitted to as many columns.
        """
        values = np.asarray(gain, np.float64)
        if values.shape != (2, len(self.columns)):
            raise DataError(
                f'front end {self.name}: z-scores need means and deviations of {len(self.columns)} columns, not a gain '
                f'of shape {values.shape}'
            )
        return ((np.asarray(patches, np.float64) - values[0]) / values[1]).astype(np.float32)

    def as_affine(self, gain: Gain) -> tuple[np.ndarray, np.ndarray]:
        """(factor, shift), float32 [C] each: `with_gain` is reading * factor + shift, up to rounding."""
        mean, deviation = np.asarray(gain, np.float64)
        return (1 / deviation).astype(np.float32), (-mean / deviation).astype(np.float32)

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': 'readings', 'name': self.name, 'columns': list(self.columns), 'scaling': self.scaling}


def reads_tables(front_end: InputMaker) -> TypeIs[ReadingsInput]:
    """Whether a front end takes rows of a table, whose only axis is the columns, instead of a signal."""
    return front_end.axes == TABLE_AXES


def neutral_gain(front_end: InputMaker, gain: Gain) -> Gain:
    """The gain of the same shape that changes nothing, for a model that contains the scaling."""
    if reads_tables(front_end):
        columns = front_end.output_shape()
        return as_gain((np.zeros(columns), np.ones(columns)))
    return as_gain(np.ones(np.shape(gain)))
