"""The front end of the tri-axial study: librosa's mel spectrogram in decibels below the maximum of each axis."""

from __future__ import annotations

import dataclasses
import functools
import logging

import numpy as np

from fdx.signal import frames, mel_slaney, scaling
from fdx.signal.mel import empty_filters
from fdx.signal.mel_front_end import MelFrontEnd
from fdx.signal.mel_spectrum import centred_power_mel
from fdx.signal.scaling import Gain
from fdx.types import ConfigError

logger = logging.getLogger(__name__)


@functools.lru_cache(maxsize=8)
def _bank(name: str, n_mels: int, fft_length: int, nominal_rate_hz: float) -> np.ndarray:
    """The filters over the whole band of the nominal rate; warns once of those that are empty."""
    bank = mel_slaney.mel_filter_bank(n_mels, fft_length, nominal_rate_hz, 0.0, nominal_rate_hz / 2)
    empty = empty_filters(bank)
    if empty.size:
        logger.warning(
            'front end %s: %d of %d mel filters hold no FFT bin (first: filter %d) and are kept silent, as the study '
            'kept them; front end triaxial_mel has none',
            name,
            empty.size,
            n_mels,
            empty[0],
        )
    return bank


@dataclasses.dataclass(frozen=True)
class DecibelMel(MelFrontEnd):
    """10 log10 of a power mel spectrogram relative to its own maximum, channel by channel.

    librosa's melspectrogram and power_to_db with ref=max and everything else left at the defaults of librosa 0.10 and
    later (McFee et al., SciPy 2015): centred frames with zeros beyond both ends, periodic Hann window of `fft_length`,
    power 2, Slaney's filters over the whole band. `nominal_rate_hz` is what the study told librosa: it only
    places the filters; samples are not resampled to it. A frequency that the filters call f hertz is truly
    f rate_hz / nominal_rate_hz. Gravity stays in the samples. Empty filters are kept, with a warning that counts them:
    the study's 128 filters over 129 bins happen to have none (at librosa's own rate of 22,050 Hz they have 20).

    A gain cancels, because it changes the power of an axis and its maximum by the same factor. That is exact as long as
    `amin` lies at least `top_db` below the maximum, that is for a largest mel power of amin 10^(top_db / 10) = 0.01 or
    more; powers of counts are far larger. So `with_gain` has nothing to do for `train`, the study's division by the
    largest magnitude.

    Attributes:
      name: name in the registry.
      rate_hz: rate of the samples.
      nominal_rate_hz: the rate that the filters are made for.
      patch_length: samples of a patch at `rate_hz`.
      fft_length: samples of the window and of the FFT.
      hop_length: samples between frames.
      n_mels: number of mel filters.
      amin: smallest power.
      top_db: range below the maximum, in decibels.
      scaling: one of fdx.signal.scaling.SCALINGS.
    """

    name: str
    rate_hz: float
    nominal_rate_hz: float
    patch_length: int
    fft_length: int
    hop_length: int
    n_mels: int
    amin: float
    top_db: float
    scaling: str

    KIND = 'decibel_mel'
    unit = 'dB below maximum'

    def __post_init__(self):
        scaling.check_scaling(self.scaling)
        if self.patch_length < 1 or self.fft_length < 2 or self.amin <= 0 or self.top_db <= 0:
            raise ConfigError(
                f'front end {self.name}: patch_length={self.patch_length} must be at least 1, '
                f'fft_length={self.fft_length} at least 2, amin={self.amin} and top_db={self.top_db} above 0'
            )
        frames.num_frames(self.patch_length, self.fft_length, self.hop_length)
        self.filter_bank()

    def filter_bank(self) -> np.ndarray:
        """float64 [fft_length // 2 + 1, n_mels]."""
        return _bank(self.name, self.n_mels, self.fft_length, self.nominal_rate_hz)

    def centre_frequencies_hz(self) -> np.ndarray:
        """Centres of the filters in true Hz, float64 [n_mels]."""
        edges = mel_slaney.mel_edges_hz(self.n_mels, 0.0, self.nominal_rate_hz / 2)
        return edges[1:-1] * (self.rate_hz / self.nominal_rate_hz)

    def num_frames(self, num_samples: int) -> int:
        """Frames in `num_samples` samples, by the law of fdx.signal.frames for the padded signal."""
        return frames.num_centred_frames(num_samples, self.fft_length, self.hop_length)

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(n_mels, frames of a patch, channels)."""
        return self.n_mels, self.num_frames(self.patch_length), channels

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """Decibels of x float32 [T, C] at `rate_hz`, unscaled: float32 [n_mels, num_frames(T), C], 0 at the maximum."""
        power = centred_power_mel(x, self.fft_length, self.hop_length, self.filter_bank(), 'constant')
        level = 10.0 * np.log10(np.maximum(power, self.amin))
        level -= level.max(axis=(0, 1))
        return np.ascontiguousarray(np.maximum(level, -self.top_db).swapaxes(0, 1), np.float32)

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """Images of the signal times `gain`: the same images, since decibels below the maximum do not change."""
        del gain
        return patches
