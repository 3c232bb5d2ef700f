"""The front end of musicnn: a compressed power mel spectrogram of centred frames."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal import frames, mel_slaney, scaling
from fdx.signal.mel_front_end import MelFrontEnd
from fdx.signal.mel_spectrum import centred_power_mel
from fdx.signal.scaling import Gain
from fdx.types import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class MusicnnMel(MelFrontEnd):
    """log10(compression * mel power + 1) of one channel (Pons and Serra, ISMIR late-breaking 2019).

    It is librosa's melspectrogram with the defaults of version 0.7, with which the weights were trained (McFee et al.,
    SciPy 2015): frame i is centred at sample i * hop_length, periodic Hann window of `fft_length`, power 2, Slaney's
    filters from 0 Hz to Nyquist. Beyond both ends of a patch the signal is reflected, as librosa did then; since 0.10
    it assumes zeros there. The original casts powers to float16 before the logarithm, which overflows above 65,504 and
    keeps three digits; this front end does not.

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: rate at which frames are cut; signals are resampled to it.
      fft_length: samples of the window and of the FFT.
      hop_length: samples between frames.
      n_mels: number of mel filters.
      compression: factor of the power before the logarithm.
      patch_length: samples of a patch at `rate_hz`.
      scaling: one of fdx.signal.scaling.SCALINGS.
    """

    name: str
    rate_hz: float
    fft_length: int
    hop_length: int
    n_mels: int
    compression: float
    patch_length: int
    scaling: str

    KIND = 'musicnn_mel'
    ONE_CHANNEL = True
    axes = 'TF'

    def __post_init__(self):
        scaling.check_scaling(self.scaling)
        half = self.fft_length // 2
        if self.fft_length < 2 or self.fft_length % 2 or self.patch_length <= half or self.compression <= 0:
            raise ConfigError(
                f'front end {self.name}: fft_length={self.fft_length} must be even and above 0, '
                f'patch_length={self.patch_length} above half of it, which is reflected at the ends, and '
                f'compression={self.compression} above 0'
            )
        frames.num_frames(self.patch_length, self.fft_length, self.hop_length)
        self.filter_bank()

    @property
    def unit(self) -> str:
        """The unit of the values of a patch."""
        return f'log10(1 + {self.compression:g} power)'

    def filter_bank(self) -> np.ndarray:
        """float64 [fft_length // 2 + 1, n_mels]."""
        return mel_slaney.mel_filter_bank(self.n_mels, self.fft_length, self.rate_hz, 0.0, self.rate_hz / 2)

    def centre_frequencies_hz(self) -> np.ndarray:
        """Centres of the filters, float64 [n_mels]."""
        return mel_slaney.mel_edges_hz(self.n_mels, 0.0, self.rate_hz / 2)[1:-1]

    def num_frames(self, num_samples: int) -> int:
        """Frames in `num_samples` samples: 1 + samples // hop, the law of fdx.signal.frames for the padded signal."""
        return frames.num_centred_frames(num_samples, self.fft_length, self.hop_length)

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(frames of a patch, n_mels, 1); ConfigError for recordings of several channels."""
        self.check_channels(channels)
        return self.num_frames(self.patch_length), self.n_mels, 1

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """The image of x float32 [T, 1] at `rate_hz`, unscaled: float32 [num_frames(T), n_mels, 1].

        Raises:
          ConfigError: T is not above fft_length / 2, which is too short to be reflected.
        """
        half = self.fft_length // 2
        if len(x) <= half:
            raise ConfigError(f'front end {self.name}: {len(x)} samples cannot be reflected by {half} at their ends')
        power = centred_power_mel(x, self.fft_length, self.hop_length, self.filter_bank(), 'reflect')
        return (np.log1p(self.compression * power) / np.log(10.0)).astype(np.float32)

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """Patches of the signal times `gain` (fdx.signal.scaling.fit_gain): its powers times the square, exactly.

        Raises:
          DataError: more gains than the one of the channel.
        """
        if np.size(gain) != 1:
            raise DataError(f'{np.size(gain)} gains do not fit a spectrogram of 1 channel')
        squared = float(np.reshape(gain, ())) ** 2
        if squared == 1.0:
            return patches
        # expm1 computes 10^y - 1, because near silence the difference would lose its digits.
        compressed = np.expm1(patches.astype(np.float64) * np.log(10.0))
        return (np.log1p(squared * compressed) / np.log(10.0)).astype(np.float32)
