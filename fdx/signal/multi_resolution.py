"""Three log-mels of one channel, fine to coarse in time, as the channels of one image."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal import frames, scaling
from fdx.signal.mel_front_end import LogMagnitudeMel
from fdx.signal.mel_spectrum import mel_spectrogram
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class MultiResolutionMel(LogMagnitudeMel):
    """log(mel magnitude + offset) with several windows, brought to the columns of the finest (Palanisamy et al., 2020).

    Image channel r holds window r (arXiv 2007.11154): short windows resolve times, long ones resolve
    frequencies. The
    coarser spectra are interpolated linearly at the centres of the finest's frames; beyond their own first and last
    centre, the value there is repeated. The mel magnitude is interpolated, not its logarithm, because it is linear in
    the signal, so that a gain can be applied to the image exactly (fdx.signal.scaling). The paper resizes pictures
    instead.

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: rate at which frames are cut; signals are resampled to it.
      window_lengths: samples of each periodic Hann window, the finest first.
      hop_lengths: samples between frames, in the same order.
      fft_lengths: length of each zero-padded FFT, in the same order.
      n_mels: number of mel filters, the same for all.
      f_min_hz: lower edge of the first filter.
      f_max_hz: upper edge of the last filter.
      log_offset: added before the logarithm.
      columns: frames of the finest resolution in a patch, and columns of the image.
      scaling: one of fdx.signal.scaling.SCALINGS.
    """

    name: str
    rate_hz: float
    window_lengths: tuple[int, ...]
    hop_lengths: tuple[int, ...]
    fft_lengths: tuple[int, ...]
    n_mels: int
    f_min_hz: float
    f_max_hz: float
    log_offset: float
    columns: int
    scaling: str

    KIND = 'multi_resolution_mel'
    ONE_CHANNEL = True

    def __post_init__(self):
        for field in ('window_lengths', 'hop_lengths', 'fft_lengths'):
            object.__setattr__(self, field, tuple(int(n) for n in getattr(self, field)))
        scaling.check_scaling(self.scaling)
        short = [f < w for f, w in zip(self.fft_lengths, self.window_lengths)]
        count = {len(self.window_lengths), len(self.hop_lengths), len(self.fft_lengths)}
        if len(count) > 1 or any(short) or self.columns < 1 or self.log_offset <= 0:
            raise ConfigError(
                f'front end {self.name}: window_lengths={self.window_lengths}, hop_lengths={self.hop_lengths} and '
                f'fft_lengths={self.fft_lengths} must be as many, each FFT at least its window; '
                f'columns={self.columns} at least 1 and log_offset={self.log_offset} above 0'
            )
        if max(self.window_lengths) > self.patch_length:
            raise ConfigError(
                f'front end {self.name}: a window of {max(self.window_lengths)} samples does not fit into the patch of '
                f'{self.patch_length}; raise columns (now {self.columns})'
            )
        for fft_length in self.fft_lengths:
            self.filters(fft_length)

    @property
    def hop_s(self) -> float:
        """Seconds between columns."""
        return self.hop_lengths[0] / self.rate_hz

    @property
    def patch_length(self) -> int:
        """Samples of a patch at `rate_hz`."""
        return frames.samples_for_frames(self.columns, self.window_lengths[0], self.hop_lengths[0])

    def panels(self, channels: int) -> list[str]:
        """What each channel of the image shows: its window."""
        del channels
        return [f'{1000 * w / self.rate_hz:.3g} ms windows' for w in self.window_lengths]

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(n_mels, columns, resolutions); ConfigError for recordings of several channels."""
        self.check_channels(channels)
        return self.n_mels, self.columns, len(self.window_lengths)

    def frame_centres(self, resolution: int) -> np.ndarray:
        """Centres of the frames of a patch, float64 [frames], in samples at `rate_hz`."""
        window, hop = self.window_lengths[resolution], self.hop_lengths[resolution]
        return window / 2 + hop * np.arange(frames.num_frames(self.patch_length, window, hop))

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """The image of x float32 [patch_length, 1] at `rate_hz`, unscaled: float32 [n_mels, columns, resolutions]."""
        image = np.empty((self.n_mels, self.columns, len(self.window_lengths)), np.float32)
        at = self.frame_centres(0)
        for r, (window, hop, fft) in enumerate(zip(self.window_lengths, self.hop_lengths, self.fft_lengths)):
            spectra = mel_spectrogram(x, window, hop, fft, self.filters(fft))[..., 0]
            own = self.frame_centres(r)
            columns = np.stack([np.interp(at, own, band) for band in spectra.T])
            image[..., r] = np.log(columns + self.log_offset)
        return image
