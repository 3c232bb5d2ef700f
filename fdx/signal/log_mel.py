"""The log-mel front end: a chunk of vibration in, one patch of a log-mel spectrogram out."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.fft
import scipy.signal

from fdx.signal import frames, mel, resample, scaling
from fdx.types import ConfigError, DataError

FFT_CHUNK_FRAMES = 4096


@dataclasses.dataclass(frozen=True)
class LogMel:
    """log(mel magnitude + offset) of uncentred frames (Hershey et al., ICASSP 2017).

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

    def __post_init__(self):
        scaling.check_scaling(self.scaling)
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

    def filter_bank(self) -> np.ndarray:
        """float64 [fft_length // 2 + 1, n_mels]."""
        return mel.mel_filter_bank(self.n_mels, self.fft_length, self.rate_hz, self.f_min_hz, self.f_max_hz)

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """Shape of one patch: (patch_frames, n_mels, channels)."""
        return self.patch_frames, self.n_mels, channels

    def num_frames(self, num_samples: int) -> int:
        """Frames in `num_samples` samples at `rate_hz`, by the law of fdx.signal.frames."""
        return frames.num_frames(num_samples, self.window_length, self.hop_length)

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Fewest samples at `sample_rate_hz` that make one patch."""
        needed = frames.samples_for_frames(self.patch_frames, self.window_length, self.hop_length)
        return resample.samples_before_resampling(needed, sample_rate_hz, self.rate_hz)

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """log-mel of x float32 [T, C] at `rate_hz`, unscaled: float32 [num_frames(T), n_mels, C]."""
        # Float64 inside: beside a loud line, float32's rounding in the FFT would show in the quiet bands (1e-4).
        window = scipy.signal.get_window('hann', self.window_length, fftbins=True)
        bank = self.filter_bank()
        framed = frames.frame(np.ascontiguousarray(x.T, np.float32), self.window_length, self.hop_length)
        out = np.empty((*framed.shape[:2], self.n_mels), np.float32)
        for c in range(framed.shape[0]):
            for i in range(0, framed.shape[1], FFT_CHUNK_FRAMES):
                part = framed[c, i : i + FFT_CHUNK_FRAMES] * window
                magnitude = np.abs(scipy.fft.rfft(part, self.fft_length))
                out[c, i : i + len(part)] = np.log(magnitude @ bank + self.log_offset)
        return np.moveaxis(out, 0, -1)

    def __call__(self, chunk: np.ndarray, sample_rate_hz: float) -> np.ndarray:
        """The first patch of a chunk.

        Args:
          chunk: float32 [T, C] at `sample_rate_hz`; what lies beyond one patch counts for `peak` scaling only.
          sample_rate_hz: its rate.

        Returns:
          float32 [patch_frames, n_mels, C]. With scaling `train` it is unscaled: the fitted gain comes later
          (`with_gain`).

        Raises:
          DataError: the chunk is shorter than one patch.
        """
        shortest = self.patch_samples(sample_rate_hz)
        if chunk.shape[0] < shortest:
            raise DataError(
                f'a chunk of {chunk.shape[0]} samples at {sample_rate_hz:g} Hz is shorter than one patch of front end '
                f'{self.name}, which needs {shortest}'
            )
        # What lies behind the patch is cut off before resampling, but for what the filter reaches into.
        used = shortest + resample.filter_reach(sample_rate_hz, self.rate_hz)
        x = scaling.scale_samples(chunk, self.scaling)[:used]
        x = resample.resample(x, sample_rate_hz, self.rate_hz)
        needed = frames.samples_for_frames(self.patch_frames, self.window_length, self.hop_length)
        return self.spectrogram(x[:needed])

    def with_gain(self, patches: np.ndarray, gain: float) -> np.ndarray:
        """Patches of the signal times `gain` (fdx.signal.scaling.fit_gain)."""
        return scaling.apply_gain(patches, gain, self.log_offset)

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': 'log_mel', **dataclasses.asdict(self)}
