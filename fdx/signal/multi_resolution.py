"""Three log-mels of one channel, fine to coarse in time, as the channels of one image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.signal import frames, mel, resample, scaling
from fdx.signal.log_mel import UNIT
from fdx.signal.mel_spectrum import mel_spectrogram
from fdx.signal.patch import TIME_AND_FREQUENCY, UNKNOWN_CONDITION, Condition, first_patch
from fdx.types import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class MultiResolutionMel:
    """log(mel magnitude + offset) with several windows, brought to the columns of the finest (Palanisamy et al., 2020).

    Image channel r holds window r (arXiv 2007.11154: short windows see when, long ones at which frequency). The
    coarser spectra are interpolated linearly at the centres of the finest's frames; beyond their own first and last
    centre they are held. What is interpolated is the mel magnitude, not its logarithm: it stays linear in the signal,
    so that a gain can be applied to the image exactly (fdx.signal.scaling). The paper resizes pictures instead.

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: rate at which frames are cut; signals are resampled to it.
      window_lengths: samples of each periodic Hann window, the finest first.
      hop_lengths: samples between frames, likewise.
      fft_lengths: length of each zero-padded FFT, likewise.
      n_mels: number of mel filters of each.
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

    axes = 'FT'
    plot_labels = TIME_AND_FREQUENCY
    unit = UNIT

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
            self.filter_bank(fft_length)

    @property
    def hop_s(self) -> float:
        """Seconds between columns."""
        return self.hop_lengths[0] / self.rate_hz

    @property
    def patch_length(self) -> int:
        """Samples of a patch at `rate_hz`."""
        return frames.samples_for_frames(self.columns, self.window_lengths[0], self.hop_lengths[0])

    def filter_bank(self, fft_length: int) -> np.ndarray:
        """float64 [fft_length // 2 + 1, n_mels]."""
        return mel.mel_filter_bank(self.n_mels, fft_length, self.rate_hz, self.f_min_hz, self.f_max_hz)

    def centre_frequencies_hz(self) -> np.ndarray:
        """Centres of the filters, float64 [n_mels]."""
        return mel.mel_edges_hz(self.n_mels, self.f_min_hz, self.f_max_hz)[1:-1]

    def panels(self, channels: int) -> list[str]:
        """What each channel of the image shows: its window."""
        del channels
        return [f'{1000 * w / self.rate_hz:.3g} ms windows' for w in self.window_lengths]

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(n_mels, columns, resolutions); ConfigError for recordings of several channels."""
        if channels != 1:
            raise ConfigError(
                f'front end {self.name} turns one channel into {len(self.window_lengths)} and cannot take recordings '
                f'of {channels}: choose triaxial_mel'
            )
        return self.n_mels, self.columns, len(self.window_lengths)

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Fewest samples at `sample_rate_hz` that make one patch."""
        return resample.samples_before_resampling(self.patch_length, sample_rate_hz, self.rate_hz)

    def frame_centres(self, resolution: int) -> np.ndarray:
        """Centres of the frames of a patch, float64 [frames], in samples at `rate_hz`."""
        window, hop = self.window_lengths[resolution], self.hop_lengths[resolution]
        return window / 2 + hop * np.arange(frames.num_frames(self.patch_length, window, hop))

    def spectrogram(self, x: np.ndarray) -> np.ndarray:
        """The image of x float32 [patch_length, 1] at `rate_hz`, unscaled: float32 [n_mels, columns, resolutions]."""
        image = np.empty((self.n_mels, self.columns, len(self.window_lengths)), np.float32)
        at = self.frame_centres(0)
        for r, (window, hop, fft) in enumerate(zip(self.window_lengths, self.hop_lengths, self.fft_lengths)):
            spectra = mel_spectrogram(x, window, hop, fft, self.filter_bank(fft))[..., 0]
            own = self.frame_centres(r)
            columns = np.stack([np.interp(at, own, band) for band in spectra.T])
            image[..., r] = np.log(columns + self.log_offset)
        return image

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of each channel of a chunk [T, C]: [C]."""
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
          float32 [n_mels, columns, resolutions]. With scaling `train` it is unscaled: see `with_gain`.

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
        """Images of the signal times `gain` (fdx.signal.scaling.fit_gain)."""
        return scaling.apply_gain(patches, gain, self.log_offset)

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        fields = {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}
        return {'kind': 'multi_resolution_mel', **fields}
