"""The front end of musicnn: a compressed power mel spectrogram of centred frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.signal import frames, mel_slaney, resample, scaling
from fdx.signal.mel_spectrum import mel_spectrogram
from fdx.signal.patch import TIME_AND_FREQUENCY, UNKNOWN_CONDITION, Condition, first_patch
from fdx.types import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class MusicnnMel:
    """log10(compression * mel power + 1) of one channel (Pons and Serra, ISMIR late-breaking 2019).

    librosa's melspectrogram with its defaults of version 0.7, with which the weights were made (McFee et al., SciPy
    2015): frame i is centred at sample i * hop_length, periodic Hann window of `fft_length`, power 2, Slaney's filters
    from 0 Hz to Nyquist. Beyond both ends of a patch the signal is reflected, as librosa did then; since 0.10 it
    assumes zeros there. The original has its powers as float16 before the logarithm, which is infinite above 65,504
    and keeps three digits: that is left out here.

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

    axes = 'TF'
    plot_labels = TIME_AND_FREQUENCY

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
    def hop_s(self) -> float:
        """Seconds between frames."""
        return self.hop_length / self.rate_hz

    @property
    def unit(self) -> str:
        """What a value of the patch is."""
        return f'log10(1 + {self.compression:g} power)'

    def filter_bank(self) -> np.ndarray:
        """float64 [fft_length // 2 + 1, n_mels]."""
        return mel_slaney.mel_filter_bank(self.n_mels, self.fft_length, self.rate_hz, 0.0, self.rate_hz / 2)

    def centre_frequencies_hz(self) -> np.ndarray:
        """Centres of the filters, float64 [n_mels]."""
        return mel_slaney.mel_edges_hz(self.n_mels, 0.0, self.rate_hz / 2)[1:-1]

    def panels(self, channels: int) -> list[str]:
        """What the one channel of a patch shows: nothing to tell apart."""
        del channels
        return ['']

    def num_frames(self, num_samples: int) -> int:
        """Frames in `num_samples` samples: 1 + samples // hop, the law of fdx.signal.frames for the padded signal."""
        return frames.num_frames(num_samples + 2 * (self.fft_length // 2), self.fft_length, self.hop_length)

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(frames of a patch, n_mels, 1); ConfigError for recordings of several channels."""
        if channels != 1:
            raise ConfigError(
                f'front end {self.name} takes one channel and cannot take recordings of {channels}: choose triaxial_mel'
            )
        return self.num_frames(self.patch_length), self.n_mels, 1

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Fewest samples at `sample_rate_hz` that make one patch."""
        return resample.samples_before_resampling(self.patch_length, sample_rate_hz, self.rate_hz)

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """The image of x float32 [T, 1] at `rate_hz`, unscaled: float32 [num_frames(T), n_mels, 1].

        Raises:
          ConfigError: T is not above fft_length / 2, which is too short to be reflected.
        """
        half = self.fft_length // 2
        if len(x) <= half:
            raise ConfigError(f'front end {self.name}: {len(x)} samples cannot be reflected by {half} at their ends')
        padded = np.pad(x, ((half, half), (0, 0)), mode='reflect')
        power = mel_spectrogram(
            padded, self.fft_length, self.hop_length, self.fft_length, self.filter_bank(), power=2.0
        )  # fmt: skip
        return (np.log1p(self.compression * power) / np.log(10.0)).astype(np.float32)

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of the channel of a chunk [T, 1]: [1]."""
        return scaling.peak_magnitudes(chunk)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The image of the first patch of a chunk.

        Args:
          chunk: float32 [T, 1] at `sample_rate_hz`; what lies beyond one patch counts for `peak` scaling only.
          sample_rate_hz: its rate.
          condition: has no part in it.

        Returns:
          float32 [frames, n_mels, 1]. With scaling `train` it is unscaled: see `with_gain`.

        Raises:
          DataError: the chunk has several channels, or is shorter than one patch.
        """
        del condition  # A spectrum in Hz needs neither speed nor bearing.
        if chunk.shape[1:] != (1,):
            raise DataError(
                f'front end {self.name} takes one channel, not a chunk of shape {chunk.shape}: choose a channel, or '
                'front end triaxial_mel'
            )
        return self.spectrogram(
            first_patch(chunk, sample_rate_hz, self.rate_hz, self.patch_length, scale=self.scaling, name=self.name)
        )

    def with_gain(self, patches: np.ndarray, gain: float | Sequence[float]) -> np.ndarray:
        """Patches of the signal times `gain` (fdx.signal.scaling.fit_gain): its powers times the square, exactly.

        Raises:
          DataError: more gains than the one of the channel.
        """
        if np.size(gain) != 1:
            raise DataError(f'{np.size(gain)} gains do not fit a spectrogram of 1 channel')
        squared = float(np.reshape(gain, ())) ** 2
        if squared == 1.0:
            return patches
        # 10^y - 1 by expm1: near silence a difference would lose its digits.
        compressed = np.expm1(patches.astype(np.float64) * np.log(10.0))
        return (np.log1p(squared * compressed) / np.log(10.0)).astype(np.float32)

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': 'musicnn_mel', **dataclasses.asdict(self)}
