"""The squared-envelope spectrum of the whole band in shaft orders, a 1-D input that needs the speed only."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal import envelope, scaling
from fdx.signal.fault_orders import check_turns
from fdx.signal.patch import UNKNOWN_CONDITION, Condition, one_channel, shaft_rate_hz
from fdx.signal.scaling import Gain
from fdx.types import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class EnvelopeOrders:
    """log of the squared-envelope spectrum over its median, at orders that are multiples of `max_order / points`.

    The plain tool of bearing diagnosis (Randall and Antoni, MSSP 25(2):485-520, 2011), without bands, pre-whitening or
    the bearing. What a network learns from it therefore holds for the bearing that it was trained on.

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: the dataset's common rate.
      window_s: shortest window; longer ones are used whole.
      points: P, length of the spectrum.
      max_order: highest shaft order.
      scaling: 'none', because a ratio to the median has no amplitude.
      taper: share of the window over which its ends are brought to 0 before its FFT (`envelope.tapered`).
    """

    name: str
    rate_hz: float
    window_s: float
    points: int
    max_order: float
    scaling: str
    taper: float = 0.0

    axes = 'TF'
    unit = 'log ratio to median'
    plot_labels = ('shaft order', '')

    def __post_init__(self):
        scaling.check_scaling(self.scaling)
        if self.points < 1 or self.max_order <= 0 or self.window_s <= 0:
            raise ConfigError(
                f'front end {self.name}: points={self.points} must be at least 1, max_order={self.max_order} and '
                f'window_s={self.window_s} above 0'
            )

    @property
    def hop_s(self) -> float:
        """Orders from point to point, where other front ends have seconds."""
        return self.max_order / self.points

    def centre_frequencies_hz(self) -> np.ndarray:
        """A single row, with no frequency of its own."""
        return np.ones(1)

    def panels(self, channels: int) -> list[str]:
        """One panel without a name."""
        del channels
        return ['']

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(points, 1, 1); ConfigError for recordings of several channels."""
        if channels != 1:
            raise ConfigError(f'front end {self.name} takes one channel and cannot take recordings of {channels}')
        return self.points, 1, 1

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Samples of `window_s`."""
        return round(self.window_s * sample_rate_hz)

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of the channel of a chunk [T, 1]: [1]."""
        return scaling.peak_magnitudes(chunk)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The spectrum of a whole chunk float32 [T, 1]: float32 [points, 1, 1].

        Raises:
          DataError: several channels, too short a chunk (also below 10 turns of the shaft), no speed, or a rate that
            does not reach `max_order`.
        """
        x = one_channel(chunk, self.name)
        if len(x) < self.patch_samples(sample_rate_hz):
            raise DataError(f'front end {self.name}: {len(x)} samples are fewer than the {self.window_s} s of a window')
        shaft_hz = shaft_rate_hz(condition, self.name)
        check_turns(len(x) / sample_rate_hz, shaft_hz, self.name)
        spectrum = np.fft.rfft(envelope.tapered(x, self.taper))
        spectra = envelope.envelope_spectra(spectrum, len(x), sample_rate_hz, np.array([[0.0, 1.0]]))
        orders = self.hop_s * np.arange(1, self.points + 1)
        values = spectra.at(orders * shaft_hz)[0] - spectra.background(0.0, self.max_order * shaft_hz)[0]
        if not np.isfinite(values).all():
            raise DataError(
                f'front end {self.name}: {sample_rate_hz:g} Hz do not reach order {self.max_order:g} of a shaft at '
                f'{60 * shaft_hz:g} rpm'
            )
        return values.astype(np.float32)[:, None, None]

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """The same spectra, since a ratio has no amplitude."""
        del gain
        return patches

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': 'envelope_orders', **dataclasses.asdict(self)}
