"""The log-mel front end: a chunk of vibration in, one patch of a log-mel spectrogram out."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal import frames, scaling
from fdx.signal.mel_front_end import LogMagnitudeMel
from fdx.signal.mel_spectrum import mel_spectrogram
from fdx.types import ConfigError

AXES = ('TF', 'FT')


@dataclasses.dataclass(frozen=True)
class LogMel(LogMagnitudeMel):
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

    KIND = 'log_mel'

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
    def patch_length(self) -> int:
        """Samples of a patch at `rate_hz`."""
        return frames.samples_for_frames(self.patch_frames, self.window_length, self.hop_length)

    def filter_bank(self) -> np.ndarray:
        """float64 [fft_length // 2 + 1, n_mels]."""
        return self.filters(self.fft_length)

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """Shape of one patch: (patch_frames, n_mels, channels), or (n_mels, patch_frames, channels) for axes 'FT'."""
        shape = (self.patch_frames, self.n_mels)
        return (*(shape if self.axes == 'TF' else shape[::-1]), channels)

    def num_frames(self, num_samples: int) -> int:
        """Frames in `num_samples` samples at `rate_hz`, by the law of fdx.signal.frames."""
        return frames.num_frames(num_samples, self.window_length, self.hop_length)

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """log-mel of x float32 [T, C] at `rate_hz`, unscaled: float32 [num_frames(T), n_mels, C]."""
        spectra = mel_spectrogram(x, self.window_length, self.hop_length, self.fft_length, self.filter_bank())
        return np.log(spectra + self.log_offset).astype(np.float32)

    def image(self, x: np.ndarray) -> np.ndarray:
        """`spectrogram`, for axes 'FT' with frequency first."""
        patch = self.spectrogram(x)
        return patch if self.axes == 'TF' else np.ascontiguousarray(patch.swapaxes(0, 1))
