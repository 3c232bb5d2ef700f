"""The front end that looks the same on every machine: envelope spectra at the bearing's own fault frequencies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.signal import envelope, scaling
from fdx.signal.order_picture import picture
from fdx.signal.patch import UNKNOWN_CONDITION, Condition, one_channel, shaft_rate_hz
from fdx.signal.scaling import Gain
from fdx.types import BearingGeometry, ConfigError, DataError

MIN_TURNS = 10.0
LAYOUTS = ('image', 'stacked')
# The stacked picture has the shape that VGGish takes. Each band has 4 rows, each cell 3 columns; the last 10 columns
# are empty.
STACKED_SHAPE = (96, 64, 1)
STACKED_ROWS, STACKED_COLUMNS = 4, 3


def inner_race(g: BearingGeometry) -> float:
    """BPFI, in shaft orders."""
    return g.bpfi


def outer_race(g: BearingGeometry) -> float:
    """BPFO, in shaft orders."""
    return g.bpfo


def ball(g: BearingGeometry) -> float:
    """Twice BSF, because a damaged ball strikes both races in each of its turns."""
    return 2 * g.bsf


def cage(g: BearingGeometry) -> float:
    """FTF, in shaft orders."""
    return g.ftf


def shaft(g: BearingGeometry) -> float:
    """The shaft itself, order 1."""
    del g
    return 1.0


CHANNELS = {'inner_race': inner_race, 'outer_race': outer_race, 'ball': ball, 'cage': cage, 'shaft': shaft}


@dataclasses.dataclass(frozen=True)
class FaultOrders:
    """An image whose axes mean the same on every machine, made from the speed and the bearing's geometry.

    Rows are demodulation bands, fixed fractions of the used band (fdx.signal.envelope), the widest first. Columns are
    orders in units of one characteristic frequency, around its first harmonics: each harmonic h has `cells` columns
    that divide h (1 - slip) to h (1 + slip) among them. A column is the largest value of the spectrum in its cell,
    because the rolling elements slip by 1 to 2 % (Randall and Antoni, MSSP 25(2):485-520, 2011) and a line is near its
    order, not on it. Channels are the characteristic frequencies: inner race, outer race, ball (twice the spin), and,
    if `channels` names them, cage and shaft. A value is the natural logarithm of the squared-envelope spectrum over its
    local background, the median from half an order below to half an order above the harmonic. It is 0 where a band is
    too narrow for it.

    The signal is pre-whitened first (`envelope.prewhitened_spectrum`). Wider columns, which include sidebands and
    neighbouring orders, distinguished machines instead of faults: networks trained on one machine failed on the other.

    Attributes:
      name: name in the registry, its scaling included.
      rate_hz: the dataset's common rate.
      window_s: shortest window; longer ones are used whole.
      harmonics: number of harmonics of each characteristic frequency.
      cells: columns of a harmonic.
      slip: half width of a harmonic's columns, relative to its frequency.
      channels: keys of CHANNELS.
      layout: 'image' [bands, harmonics * cells, channels]; 'stacked' [96, 64, 1], the channels side by side.
      scaling: 'none', because pre-whitening drops the amplitude.
      taper: share of the window over which its ends are brought to 0 before its FFT (`envelope.tapered`).
    """

    name: str
    rate_hz: float
    window_s: float
    harmonics: int
    cells: int
    slip: float
    channels: tuple[str, ...]
    layout: str
    scaling: str
    taper: float = 0.0

    axes = 'FT'
    unit = 'log ratio to background'
    plot_labels = ('cells of harmonics', 'demodulation band')
    hop_s = 1.0  # Columns are not times, so plots count them.

    def __post_init__(self):
        object.__setattr__(self, 'channels', tuple(self.channels))
        scaling.check_scaling(self.scaling)
        unknown = [c for c in self.channels if c not in CHANNELS]
        good = 0 < self.slip < 0.25 and self.harmonics >= 1 and self.cells >= 1 and self.window_s > 0
        if unknown or not self.channels or not good or self.layout not in LAYOUTS:
            raise ConfigError(
                f'front end {self.name}: channels={self.channels} are among {", ".join(CHANNELS)}; slip={self.slip} '
                f'lies between 0 and 0.25; harmonics={self.harmonics} and cells={self.cells} are at least 1, '
                f'window_s={self.window_s} is above 0, and layout={self.layout!r} is {" or ".join(LAYOUTS)}'
            )
        rows, columns = STACKED_SHAPE[0] // STACKED_ROWS, STACKED_SHAPE[1] // STACKED_COLUMNS
        if self.layout == 'stacked' and (len(self._edges()) != rows or len(self.channels) * self._columns > columns):
            raise ConfigError(
                f'front end {self.name}: {len(self.channels)} channels of {self._columns} columns do not fit side by '
                f'side into {STACKED_SHAPE}: at most {columns} columns in all'
            )

    @property
    def _columns(self) -> int:
        return self.harmonics * self.cells

    @staticmethod
    def _edges() -> np.ndarray:
        return envelope.band_edges()

    def centre_frequencies_hz(self) -> np.ndarray:
        """Numbers of the rows, from 1; rows are bands, the widest first, and are not ordered by frequency."""
        rows = STACKED_SHAPE[0] if self.layout == 'stacked' else len(self._edges())
        return np.arange(1.0, rows + 1)

    def panels(self, channels: int) -> list[str]:
        """What each channel of the image shows."""
        del channels
        return [', '.join(self.channels)] if self.layout == 'stacked' else list(self.channels)

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """(bands, harmonics * cells, characteristic frequencies), or (96, 64, 1) stacked.

        Raises:
          ConfigError: recordings of several channels.
        """
        if channels != 1:
            raise ConfigError(f'front end {self.name} takes one channel and cannot take recordings of {channels}')
        if self.layout == 'stacked':
            return STACKED_SHAPE
        return len(self._edges()), self._columns, len(self.channels)

    def patch_samples(self, sample_rate_hz: float) -> int:
        """Samples of `window_s`."""
        return round(self.window_s * sample_rate_hz)

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of the channel of a chunk [T, 1]: [1]."""
        return scaling.peak_magnitudes(chunk)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The image of a whole chunk.

        Args:
          chunk: float32 [T, 1], at least `window_s` and 10 turns of the shaft long.
          sample_rate_hz: its rate, which may be any.
          condition: speed and geometry; both are needed.

        Returns:
          float32, see `output_shape`.

        Raises:
          DataError: several channels, too short a chunk, no speed or no geometry.
        """
        x = one_channel(chunk, self.name)
        if len(x) < self.patch_samples(sample_rate_hz):
            raise DataError(f'front end {self.name}: {len(x)} samples are fewer than the {self.window_s} s of a window')
        if condition.geometry is None:
            raise DataError(
                f"front end {self.name} needs the bearing's geometry: a dataset whose recordings have one, or `bearing`"
            )
        shaft_hz = shaft_rate_hz(condition, self.name)
        check_turns(len(x) / sample_rate_hz, shaft_hz, self.name)
        spectrum = envelope.prewhitened_spectrum(envelope.tapered(x, self.taper))
        spectra = envelope.envelope_spectra(spectrum, len(x), sample_rate_hz, self._edges())
        orders = [CHANNELS[c](condition.geometry) for c in self.channels]
        images = [picture(spectra, order * shaft_hz, self.harmonics, self.cells, self.slip) for order in orders]
        return _stacked(images) if self.layout == 'stacked' else np.stack(images, -1).astype(np.float32)

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """The same images, since pre-whitening drops the amplitude."""
        del gain
        return patches

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': 'fault_orders', **dataclasses.asdict(self), 'channels': list(self.channels)}


def check_turns(duration_s: float, shaft_hz: float, name: str) -> None:
    """DataError where a window holds fewer than MIN_TURNS turns, because its lines would be wider than the slip."""
    if duration_s * shaft_hz < MIN_TURNS:
        raise DataError(
            f'front end {name}: {duration_s:.3g} s at {60 * shaft_hz:g} rpm are {duration_s * shaft_hz:.1f} turns of '
            f'the shaft; at least {MIN_TURNS:g} are needed: use windows of {MIN_TURNS / shaft_hz:.3g} s or more'
        )


def _stacked(images: Sequence[np.ndarray]) -> np.ndarray:
    """Images [24, n] side by side, enlarged by repetition: float32 [96, 64, 1], 0 where nothing is."""
    wide = np.concatenate(images, axis=1)
    large = np.repeat(np.repeat(wide, STACKED_ROWS, axis=0), STACKED_COLUMNS, axis=1)
    canvas = np.zeros(STACKED_SHAPE, np.float32)
    canvas[: large.shape[0], : large.shape[1], 0] = large
    return canvas
