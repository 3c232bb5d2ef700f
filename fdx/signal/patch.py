"""What every front end does before its spectra: the first patch of a chunk, at its rate, scaled."""

from __future__ import annotations

import dataclasses
import math
from typing import Protocol

import numpy as np

from fdx.signal import resample, scaling
from fdx.signal.scaling import Gain
from fdx.types import UNKNOWN, BearingGeometry, DataError


@dataclasses.dataclass(frozen=True)
class Condition:
    """What a machine did while it was recorded, for front ends that read orders.

    Attributes:
      speed_rpm: of the shaft, NaN when unknown.
      geometry: of the bearing, None when unknown.
    """

    speed_rpm: float = UNKNOWN
    geometry: BearingGeometry | None = None


UNKNOWN_CONDITION = Condition()


class InputMaker(Protocol):
    """What training and evaluation ask of what makes inputs of networks: a front end, or that of tables."""

    @property
    def name(self) -> str:
        """Name in the registry, its scaling included."""

    @property
    def scaling(self) -> str:
        """One of fdx.signal.scaling.SCALINGS."""

    @property
    def axes(self) -> str:
        """'TF': images [T, F, C]; 'FT': [F, T, C], mel rows from low to high, time columns; 'C': rows of a table."""

    @property
    def unit(self) -> str:
        """Unit of the values of the image, for plots."""

    @property
    def plot_labels(self) -> tuple[str, str]:
        """Labels of the horizontal (columns or frames) and the vertical axis of its plots."""

    def output_shape(self, channels: int = ..., /) -> tuple[int, ...]:
        """Shape of an input for that many channels or columns; ConfigError where it cannot take them."""

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The first patch of chunk float32 [T, C], as a float32 input; DataError for what it cannot take."""

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """Patches [..., C] of the signal times `gain`."""

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""


class FrontEnd(InputMaker, Protocol):
    """An InputMaker of recordings: what builders and the prediction of a signal ask of a front end."""

    @property
    def rate_hz(self) -> float:
        """Rate at which frames are cut; signals are resampled to it."""

    @property
    def hop_s(self) -> float:
        """Seconds from frame to frame."""

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """Image shape for recordings of that many channels; ConfigError where it cannot take them."""

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Fewest samples at `sample_rate_hz` that make one patch."""

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """float32 [C]: the magnitudes that scaling `train` is fitted to."""

    def centre_frequencies_hz(self) -> np.ndarray:
        """float64 [F], the filters' centres."""

    def panels(self, channels: int) -> list[str]:
        """What each channel of the image shows, for plots; '' for a single one."""


TIME_AND_FREQUENCY = ('time (s)', 'frequency (Hz)')


def one_channel(chunk: np.ndarray, name: str) -> np.ndarray:
    """The samples [T] of a chunk [T, 1]; DataError where it has several channels."""
    if chunk.ndim != 2 or chunk.shape[1] != 1:
        raise DataError(f'front end {name} takes one channel, not a chunk of shape {chunk.shape}: choose a channel')
    return chunk[:, 0]


def shaft_rate_hz(condition: Condition, name: str) -> float:
    """Turns per second; DataError where the speed is unknown or not above 0."""
    if not (math.isfinite(condition.speed_rpm) and condition.speed_rpm > 0):
        raise DataError(
            f'front end {name} needs the speed of the shaft, which is {condition.speed_rpm} rpm: a dataset whose '
            'recordings have one, or `speed_rpm` (a number, or estimate)'
        )
    return condition.speed_rpm / 60


def without_static_part(chunk: np.ndarray) -> np.ndarray:
    """A chunk [T, C] minus each channel's mean, so that gravity and offset do not leak into the lowest filters."""
    return (chunk - chunk.mean(axis=0, dtype=np.float64)).astype(np.float32)


def first_patch(
    chunk: np.ndarray,
    sample_rate_hz: float,
    rate_hz: float,
    patch_length: int,
    *,
    scale: str,
    name: str,
    remove_static: bool = False,
) -> np.ndarray:
    """The first patch of a chunk.

    Args:
      chunk: float32 [T, C] at `sample_rate_hz`; samples beyond one patch affect only `peak` scaling and the
        static part.
      sample_rate_hz: its rate.
      rate_hz: the front end's rate.
      patch_length: samples of a patch at `rate_hz`.
      scale: one of fdx.signal.scaling.SCALINGS.
      name: the front end's, for the message.
      remove_static: whether `without_static_part` is applied first.

    Returns:
      float32 [patch_length, C] at `rate_hz`.

    Raises:
      DataError: the chunk is shorter than one patch.
    """
    shortest = resample.samples_before_resampling(patch_length, sample_rate_hz, rate_hz)
    if chunk.shape[0] < shortest:
        raise DataError(
            f'a chunk of {chunk.shape[0]} samples at {sample_rate_hz:g} Hz is shorter than one patch of front end '
            f'{name}, which needs {shortest}'
        )
    # Samples after the patch are cut off before resampling, except those within reach of the filter.
    used = shortest + resample.filter_reach(sample_rate_hz, rate_hz)
    x = without_static_part(chunk) if remove_static else chunk
    x = scaling.scale_samples(x, scale)[:used]
    return resample.resample(x, sample_rate_hz, rate_hz)[:patch_length]
