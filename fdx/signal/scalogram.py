"""Scalograms: wavelet images of vibrations for networks that were trained on photographs.

Shao et al., "Highly accurate machine fault diagnosis using deep transfer learning", IEEE TII 15(4):2446-2455, 2019
(doi 10.1109/TII.2018.2864759), turn signals into time-frequency images of 224 x 224 x 3 by a wavelet transform and
fine-tune VGG16 on them. The description that fdx follows leaves open, and fdx chooses:

  wavelet      complex Morlet with omega0 = 6, six radians of phase per standard deviation of its envelope
  scales       as many as rows, centre frequencies of equal ratios from ten periods per patch up to 0.42 of the rate.
               The wavelet of the top row still has half of its height at Nyquist, so the rows cover the whole band
  columns      means of the magnitude over the samples of a column, so that an impact between two samples of the image
               is not lost; a resized picture would lose it or not, depending on the program
  ends         zeros beyond the patch: low rows fade towards its ends within one deviation of their wavelet
  brightness   logarithm of the magnitude; black (0) is silence and white (1) a sine of amplitude 1. In between lie
               60 dB. Signals are scaled to a peak of 1, in the chunk or in the training data, so that white has a
               meaning; there is no front end for unscaled samples
  colours      grey: three equal channels. A colour map would add nothing but a network's habits with colours, and a
               gain could not be applied to the image afterwards
  rows         the first row is the lowest frequency, as in all images of fdx; pictures in papers are upside down to it
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal import scaling
from fdx.signal.mel_front_end import MelFrontEnd
from fdx.signal.scaling import Gain
from fdx.signal.scalogram_morlet import log_spaced, mean_of_columns, morlet_magnitudes
from fdx.types import ConfigError, DataError

CHANNELS = 3


@dataclasses.dataclass(frozen=True)
class Scalogram(MelFrontEnd):
    """Grey image of the wavelet transform's magnitude of one channel, rows of frequency from low to high.

    A value is log(1 + magnitude / floor) / log(1 + 1 / floor): 0 for silence, 1 for a sine of amplitude 1.

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: rate of the transform; signals are resampled to it.
      rows: scales of the transform, rows of the image.
      columns: columns of the image.
      hop_length: samples of a column.
      f_min_hz: centre frequency of the first row.
      f_max_hz: centre frequency of the last row.
      omega0: see fdx.signal.scalogram_morlet.
      floor: magnitude below which the image is nearly linear and dark.
      scaling: one of fdx.signal.scaling.SCALINGS.
    """

    name: str
    rate_hz: float
    rows: int
    columns: int
    hop_length: int
    f_min_hz: float
    f_max_hz: float
    omega0: float
    floor: float
    scaling: str

    KIND = 'scalogram'
    ONE_CHANNEL = True
    unit = 'grey level, 0 silence to 1 a sine of amplitude 1'

    def __post_init__(self):
        scaling.check_scaling(self.scaling)
        counts = {name: getattr(self, name) for name in ('rows', 'columns', 'hop_length')}
        if any(count < 1 for count in counts.values()):
            raise ConfigError(f'front end {self.name}: {counts} must each be at least 1')
        if not (0 < self.f_min_hz < self.f_max_hz <= self.rate_hz / 2 and self.omega0 > 0 and self.floor > 0):
            raise ConfigError(
                f'front end {self.name}: f_min_hz={self.f_min_hz:g} must be above 0 and below '
                f'f_max_hz={self.f_max_hz:g}, which must be at most {self.rate_hz / 2:g}; omega0={self.omega0} and '
                f'floor={self.floor} must be above 0'
            )

    @property
    def patch_length(self) -> int:
        """Samples of a patch at `rate_hz`."""
        return self.columns * self.hop_length

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(rows, columns, 3); ConfigError for recordings of several channels."""
        self.check_channels(channels)
        return self.rows, self.columns, CHANNELS

    def panels(self, channels: int) -> list[str]:
        """The equal channels of the image."""
        del channels
        return ['red', 'green', 'blue']

    def centre_frequencies_hz(self) -> np.ndarray:
        """Centre frequencies of the rows, float64 [rows]."""
        return log_spaced(self.f_min_hz, self.f_max_hz, self.rows)

    def magnitudes(self, x: np.ndarray) -> np.ndarray:
        """Mean magnitudes of the transform of x float [T] at `rate_hz`: float32 [rows, T // hop_length]."""
        frequencies = self.centre_frequencies_hz() / self.rate_hz
        return mean_of_columns(morlet_magnitudes(x, frequencies, self.omega0), self.hop_length)

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """The image of x float32 [T, 1] at `rate_hz`, unscaled: float32 [rows, T // hop_length, 3]."""
        return np.repeat(self._grey(self.magnitudes(x[:, 0]))[..., None], CHANNELS, axis=2)

    def _grey(self, magnitudes: np.ndarray) -> np.ndarray:
        return (np.log1p(magnitudes / self.floor) / np.log1p(1 / self.floor)).astype(np.float32)

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """Patches of the signal times `gain` (fdx.signal.scaling.fit_gain), exactly: the magnitude is linear.

        Raises:
          DataError: more gains than the one of the channel.
        """
        if np.size(gain) != 1:
            raise DataError(f'{np.size(gain)} gains do not fit a scalogram of 1 channel')
        factor = float(np.reshape(gain, ()))
        if factor == 1.0:
            return patches
        magnitudes = self.floor * np.expm1(patches.astype(np.float64) * np.log1p(1 / self.floor))
        return self._grey(factor * magnitudes)
