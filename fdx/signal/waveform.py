"""The samples themselves, which the 1-D networks of the benchmark literature take."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal import scaling
from fdx.signal.patch import UNKNOWN_CONDITION, Condition
from fdx.signal.scaling import Gain
from fdx.types import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class Waveform:
    """A window of samples, each channel with mean 0 and standard deviation 1 (Zhao et al., IEEE TIM 70:1-28, 2021).

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: the dataset's common rate.
      patch_length: samples of a window at that rate.
      scaling: 'standard', which drops the amplitude.
    """

    name: str
    rate_hz: float
    patch_length: int
    scaling: str

    axes = 'TF'
    unit = 'standard deviations'
    plot_labels = ('time (s)', '')

    def __post_init__(self):
        scaling.check_scaling(self.scaling)
        if self.patch_length < 2:
            raise ConfigError(f'front end {self.name}: patch_length={self.patch_length} must be at least 2')

    @property
    def hop_s(self) -> float:
        """Seconds between samples."""
        return 1 / self.rate_hz

    def centre_frequencies_hz(self) -> np.ndarray:
        """A single row, with no frequency of its own."""
        return np.ones(1)

    def panels(self, channels: int) -> list[str]:
        """Numbers of the recording's channels, or '' for a single one."""
        return [''] if channels == 1 else [f'channel {c}' for c in range(channels)]

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(patch_length, 1, channels)."""
        return self.patch_length, 1, channels

    def patch_samples(self, sample_rate_hz: float) -> int:
        """`patch_length`, since nothing is resampled."""
        del sample_rate_hz
        return self.patch_length

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of each channel of a chunk [T, C]: [C]."""
        return scaling.peak_magnitudes(chunk)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The first window of a chunk float32 [T, C]: float32 [patch_length, 1, C]; DataError where it is shorter."""
        del sample_rate_hz, condition
        if len(chunk) < self.patch_length:
            raise DataError(
                f'front end {self.name}: {len(chunk)} samples are fewer than the {self.patch_length} of a window'
            )
        return scaling.scale_samples(chunk[: self.patch_length], self.scaling)[:, None, :].astype(np.float32)

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """The same windows, since their level is fixed."""
        del gain
        return patches

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': 'waveform', **dataclasses.asdict(self)}
