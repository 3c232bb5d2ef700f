"""The log-mel front end: a chunk of vibration in, one patch of a log-mel spectrogram out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.signal import frames, mel, resample, scaling
from fdx.signal.mel_spectrum import mel_spectrogram
from fdx.signal.patch import TIME_AND_FREQUENCY, UNKNOWN_CONDITION, Condition, first_patch, without_static_part
from fdx.types import ConfigError

AXES = ('TF', 'FT')
UNIT = 'log magnitude'


@dataclasses.dataclass(frozen=True)
class LogMel:
    """log(mel magnitude + offset) of uncentred frames (Hershey et al., ICASSP 2017), channel by channel.

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: rate at which frames are cut; signals are resampled to it.
      window_length: samples of the periodic Hann window.
      hop_length: samples between frames.
      fft_length: length of the zero-padded FFT.
      n_mels: number of mel filters.
      f_min_hz: lower edge of the first filter.
      f_max_hz: upper edge of the last filter.
      log_offset: added before the logarithm.
      patch_frames: frames of one patch.
      scaling: one of fdx.signal.scaling.SCALINGS.
      axes: 'TF' makes patches [T, F, C] (VGGish), 'FT' images [F, T, C].
      remove_static: whether each channel's mean over the chunk (gravity) is subtracted first.
    """

    name: str
    rate_hz: float
    window_length: int
    hop_length: int
    fft_length: int
    n_mels: int
    f_min_hz: float
    f_max_hz: float
    log_offset: float
    patch_frames: int
    scaling: str
    axes: str = 'TF'
    remove_static: bool = False

    plot_labels = TIME_AND_FREQUENCY

    def __post_init__(self):
        scaling.check_scaling(self.scaling)
        if self.axes not in AXES:
            raise ConfigError(f'front end {self.name}: axes={self.axes!r}; known: {", ".join(AXES)}')
        if self.fft_length < self.window_length or self.patch_frames < 1 or self.log_offset <= 0:
            raise ConfigError(
                f'front end {self.name}: fft_length={self.fft_length} must be at least '
                f'window_length={self.window_length}, patch_frames={self.patch_frames} at least 1 and '
                f'log_offset={self.log_offset} above 0'
            )
        self.filter_bank()

    @property
    def hop_s(self) -> float:
        """Seconds between frames."""
        return self.hop_length / self.rate_hz

    @property
    def unit(self) -> str:
        """What a value of the patch is."""
        return UNIT

    @property
    def patch_length(self) -> int:
        """Samples of a patch at `rate_hz`."""
        return frames.samples_for_frames(self.patch_frames, self.window_length, self.hop_length)

    def filter_bank(self) -> np.ndarray:
        """float64 [fft_length // 2 + 1, n_mels]."""
        return mel.mel_filter_bank(self.n_mels, self.fft_length, self.rate_hz, self.f_min_hz, self.f_max_hz)

    def centre_frequencies_hz(self) -> np.ndarray:
        """Centres of the filters, float64 [n_mels]."""
        return mel.mel_edges_hz(self.n_mels, self.f_min_hz, self.f_max_hz)[1:-1]

    def panels(self, channels: int) -> list[str]:
        """What each channel of a patch shows: the sensor's axes by number, or '' for a single one."""
        return [''] if channels == 1 else [f'channel {c}' for c in range(channels)]

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """Shape of one patch: (patch_frames, n_mels, channels), or (n_mels, patch_frames, channels) for axes 'FT'."""
        shape = (self.patch_frames, self.n_mels)
        return (*(shape if self.axes == 'TF' else shape[::-1]), channels)

    def num_frames(self, num_samples: int) -> int:
        """Frames in `num_samples` samples at `rate_hz`, by the law of fdx.signal.frames."""
        return frames.num_frames(num_samples, self.window_length, self.hop_length)

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Fewest samples at `sample_rate_hz` that make one patch."""
        return resample.samples_before_resampling(self.patch_length, sample_rate_hz, self.rate_hz)

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """log-mel of x float32 [T, C] at `rate_hz`, unscaled: float32 [num_frames(T), n_mels, C]."""
        spectra = mel_spectrogram(x, self.window_length, self.hop_length, self.fft_length, self.filter_bank())
        return np.log(spectra + self.log_offset).astype(np.float32)

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of each channel of a chunk [T, C], less its static part where that is removed: [C]."""
        return scaling.peak_magnitudes(without_static_part(chunk) if self.remove_static else chunk)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The first patch of a chunk.

        Args:
          chunk: float32 [T, C] at `sample_rate_hz`; what lies beyond one patch counts for `peak` scaling and for the
            static part only.
          sample_rate_hz: its rate.
          condition: has no part in it.

        Returns:
          float32 `output_shape(C)`. With scaling `train` it is unscaled: the fitted gain comes later (`with_gain`).

        Raises:
          DataError: the chunk is shorter than one patch.
        """
        del condition  # A spectrum in Hz needs neither speed nor bearing.
        x = first_patch(
            chunk,
            sample_rate_hz,
            self.rate_hz,
            self.patch_length,
            scale=self.scaling,
            name=self.name,
            remove_static=self.remove_static,
        )
        patch = self.spectrogram(x)
        return patch if self.axes == 'TF' else np.ascontiguousarray(patch.swapaxes(0, 1))

    def with_gain(self, patches: np.ndarray, gain: float | Sequence[float]) -> np.ndarray:
        """Patches of the signal times `gain` (fdx.signal.scaling.fit_gain): one number, or one a channel."""
        return scaling.apply_gain(patches, gain, self.log_offset)

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': 'log_mel', **dataclasses.asdict(self)}
