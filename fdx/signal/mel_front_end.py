"""The base of the front ends that make mel spectrograms: what lies between a chunk and its first patch.

A subclass is a frozen dataclass whose fields are its settings. It adds `spectrogram` (samples to image), the filters,
and what its images look like.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fdx.signal import mel, resample, scaling
from fdx.signal.patch import TIME_AND_FREQUENCY, UNKNOWN_CONDITION, Condition, first_patch, without_static_part
from fdx.signal.scaling import Gain
from fdx.types import ConfigError, DataError


class MelFrontEnd(abc.ABC):
    """What all mel front ends share; the methods of fdx.signal.patch.FrontEnd.

    Attributes:
      KIND: key of the class in fdx.signal.front_ends.KINDS, stored in `config()`.
      ONE_CHANNEL: whether recordings of several channels are refused.
      name: name in the registry, its scaling included.
      rate_hz: rate at which frames are cut; signals are resampled to it.
      scaling: one of fdx.signal.scaling.SCALINGS.
      hop_length: samples from column to column; a front end with several hops defines `hop_s` itself.
      patch_length: samples of a patch at `rate_hz`: a field or a property.
      remove_static: whether each channel's mean over the chunk (gravity) is subtracted first.
      axes, plot_labels: see fdx.signal.patch.FrontEnd.
    """

    KIND: ClassVar[str]
    ONE_CHANNEL: ClassVar[bool] = False

    name: str
    rate_hz: float
    scaling: str
    hop_length: int
    remove_static: bool = False
    axes: str = 'FT'
    plot_labels: tuple[str, str] = TIME_AND_FREQUENCY

    if TYPE_CHECKING:  # A real property would clash with the subclasses that have a field of this name.

        @property
        def patch_length(self) -> int: ...  # noqa: D102

    @property
    def hop_s(self) -> float:
        """Seconds from column to column."""
        return self.hop_length / self.rate_hz

    def panels(self, channels: int) -> list[str]:
        """What each channel of the image shows: the sensor's axes by number, or '' for a single one."""
        return [''] if channels == 1 else [f'channel {c}' for c in range(channels)]

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Fewest samples at `sample_rate_hz` that make one patch."""
        return resample.samples_before_resampling(self.patch_length, sample_rate_hz, self.rate_hz)

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of each channel of a chunk [T, C], without its static part where that is removed: [C]."""
        return scaling.peak_magnitudes(without_static_part(chunk) if self.remove_static else chunk)

    @abc.abstractmethod
    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """Shape of one image for recordings of that many channels; ConfigError where they are refused."""

    @abc.abstractmethod
    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """The float32 image of x float32 [T, C] at `rate_hz`, unscaled."""

    def image(self, x: np.ndarray) -> np.ndarray:
        """`spectrogram` with its axes in the order of `axes`."""
        return self.spectrogram(x)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The image of the first patch of a chunk.

        Args:
          chunk: float32 [T, C] at `sample_rate_hz`; samples beyond the first patch affect only the scaling and
            the static part.
          sample_rate_hz: its rate.
          condition: not used.

        Returns:
          float32 `output_shape(C)`. With scaling `train` it is unscaled: the fitted gain comes later (`with_gain`).

        Raises:
          DataError: the chunk is shorter than one patch, or has several channels where one is taken.
        """
        del condition  # A spectrum in Hz needs neither speed nor bearing.
        if self.ONE_CHANNEL and chunk.shape[1:] != (1,):
            raise DataError(
                f'front end {self.name} takes one channel, not a chunk of shape {chunk.shape}: choose a channel, or '
                'front end triaxial_mel'
            )
        x = first_patch(
            chunk,
            sample_rate_hz,
            self.rate_hz,
            self.patch_length,
            scale=self.scaling,
            name=self.name,
            remove_static=self.remove_static,
        )
        return self.image(x)

    def check_channels(self, channels: int) -> None:
        """Raises ConfigError for recordings of several channels where one is taken."""
        if self.ONE_CHANNEL and channels != 1:
            raise ConfigError(
                f'front end {self.name} takes one channel and cannot take recordings of {channels}: choose triaxial_mel'
            )

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {'kind': self.KIND, **{k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}}


class LogMagnitudeMel(MelFrontEnd):
    """log(mel magnitude + log_offset) with the filters of fdx.signal.mel, whose gain can be applied to the image.

    Attributes:
      n_mels: number of mel filters.
      f_min_hz: lower edge of the first filter.
      f_max_hz: upper edge of the last filter.
      log_offset: added before the logarithm.
    """

    n_mels: int
    f_min_hz: float
    f_max_hz: float
    log_offset: float
    unit: str = 'log magnitude'

    def filters(self, fft_length: int) -> np.ndarray:
        """The filters over the bins of an FFT: float64 [fft_length // 2 + 1, n_mels]."""
        return mel.mel_filter_bank(self.n_mels, fft_length, self.rate_hz, self.f_min_hz, self.f_max_hz)

    def centre_frequencies_hz(self) -> np.ndarray:
        """Centres of the filters, float64 [n_mels]."""
        return mel.mel_edges_hz(self.n_mels, self.f_min_hz, self.f_max_hz)[1:-1]

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """Patches of the signal times `gain` (fdx.signal.scaling.fit_gain): one number, or one per channel."""
        return scaling.apply_gain(patches, gain, self.log_offset)
