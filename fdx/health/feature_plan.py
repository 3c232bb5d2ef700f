"""Which numbers are made of a recording: the plan is fixed with the baseline, so that all recordings give the same."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from fdx.signal.control_orders import FAULTS
from fdx.types import BearingGeometry, ConfigError

# Set -> what it reads, in words.
FEATURE_SETS: Mapping[str, str] = MappingProxyType(
    {
        'levels': 'root mean square (dB), crest factor and kurtosis of each channel',
        'bands': 'levels of third-octave bands (dB)',
        'shape': 'the same without the level of the whole: a changed gain or unit does not show',
        'impacts': 'how impulsive each octave is (kurtosis of its envelope); a changed gain or unit does not show',
        'shaft': 'levels at one, two and three times the speed of the shaft (dB)',
        'orders': "how far the bearing's fault orders stand out of the envelope spectrum; needs bearing and speed",
        'log_mel': 'mean of each band of a log-mel spectrogram',
        'judge': 'how the judge of fdx.zero_shot sees the recording; needs bearing and speed',
        'network': 'how the network of a run of your own sees it (`checkpoint`)',
    }
)
# What needs no knowledge of the machine, and what is added where it is known.
ALWAYS = ('bands', 'impacts')
NEEDS_SPEED, NEEDS_BEARING = ('shaft', 'orders', 'judge'), ('orders', 'judge')
# Of networks' embeddings so many directions are read (fdx.health.embeddings); a run sees all channels at once.
NUMBERS = 32
OF_ALL_CHANNELS = ('network',)
# Sets that a changed gain, unit or sensor would move as a whole.
WITH_LEVEL = ('levels', 'bands', 'shaft', 'log_mel')
FRAME_S, TURNS_PER_FRAME, TURNS_OF_ORDERS = 0.5, 8.0, 20.0
# Share of the lowest Nyquist frequency that is read: anti-alias filters end somewhere above it.
TOP_SHARE = 0.9
LOWEST_HZ, MEL_BANDS = 10.0, 32
# A band needs so many independent values per frame: its width times the length of a frame.
BINS_OF_BAND, BINS_OF_OCTAVE = 2.0, 20.0
SHAFT_ORDERS = (1, 2, 3)


@dataclasses.dataclass(frozen=True)
class Feature:
    """One number of a recording.

    Attributes:
      set: the set that it belongs to.
      channel: name or number of the channel.
      what: which one: '1250 Hz', 'kurtosis', 'outer_race', '1 x shaft'.
    """

    set: str
    channel: str
    what: str

    def __str__(self) -> str:
        return f'{self.set}/{self.channel}/{self.what}'


@dataclasses.dataclass(frozen=True)
class Network:
    """The network of a run.

    Attributes:
      path: absolute, of the run's workdir.
      digest: of its checkpoint.
    """

    path: str
    digest: str


@dataclasses.dataclass(frozen=True)
class FeaturePlan:
    """How a recording becomes a row of numbers.

    Attributes:
      sets: names of FEATURE_SETS.
      channels: names or numbers of the channels, in order.
      frame_s: length of the pieces whose spectra are averaged, in seconds.
      top_hz: nothing above it is read: the upper end of the band that all recordings have.
      geometry: of the bearing, for `orders`.
      piece_s: seconds of the pieces that count as recordings of their own; None: a recording is one unit.
      network: for `network`.
      judge: digest of the judge's weights, for `judge`; else ''.
    """

    sets: tuple[str, ...]
    channels: tuple[str, ...]
    frame_s: float
    top_hz: float
    geometry: BearingGeometry | None = None
    piece_s: float | None = None
    network: Network | None = None
    judge: str = ''

    def __post_init__(self):
        """Checks the names and numbers."""
        unknown = [name for name in self.sets if name not in FEATURE_SETS]
        if unknown or not self.sets:
            raise ConfigError(f'`features`={",".join(self.sets)}: choose from {", ".join(FEATURE_SETS)}')
        for name in NEEDS_BEARING:
            if name in self.sets and self.geometry is None:
                raise ConfigError(f'`features`: {name} needs the bearing: give `bearing`, or leave it out')
        if ('network' in self.sets) != (self.network is not None):
            raise ConfigError('`checkpoint` and `features`=network belong together: name the run whose network is read')
        if not self.band_centres_hz().size:
            raise ConfigError(
                f'recordings of {self.frame_s:g} s up to {self.top_hz:g} Hz hold no third-octave band: record longer '
                'or at a higher rate'
            )

    def features(self) -> list[Feature]:
        """What every number of a row is, in order: by set, then by channel."""
        kinds: dict[str, list[str]] = {
            'levels': ['rms', 'crest factor', 'kurtosis'],
            'bands': [hz_words(f) for f in self.band_centres_hz()],
            'shape': [hz_words(f) for f in self.band_centres_hz()],
            'impacts': [hz_words(f) for f in self.octaves_hz()],
            'shaft': [f'{k} x shaft' for k in SHAFT_ORDERS],
            'orders': list(FAULTS),
            'log_mel': [f'mel {i}' for i in range(MEL_BANDS)],
            'judge': [f'direction {i}' for i in range(NUMBERS)],
            'network': [f'direction {i}' for i in range(NUMBERS)],
        }
        channels = {s: ('',) if s in OF_ALL_CHANNELS else self.channels for s in self.sets}
        return [Feature(s, channel, what) for s in self.sets for channel in channels[s] for what in kinds[s]]

    def band_centres_hz(self) -> np.ndarray:
        """Centres of the third octaves (IEC 61260-1: 1000 Hz times powers of 10^(1/10)), float64 [N]."""
        low = max(LOWEST_HZ, BINS_OF_BAND / self.frame_s / (10**0.05 - 10**-0.05))
        centres = 1000 * 10.0 ** (np.arange(-20, 21) / 10)
        return centres[(centres >= low) & (centres * 10**0.05 <= self.top_hz)]

    def octaves_hz(self) -> np.ndarray:
        """Centres of the octaves whose impulsiveness is read (1000 Hz times powers of 10^(3/10)), float64 [N]."""
        low = max(LOWEST_HZ, BINS_OF_OCTAVE / self.frame_s / (10**0.15 - 10**-0.15))
        centres = 1000 * 10.0 ** (3 * np.arange(-7, 8) / 10)
        return centres[(centres >= low) & (centres * 10**0.15 <= self.top_hz)]


def hz_words(frequency_hz: float) -> str:
    """A band's centre as it is usually written: '1250 Hz', '31.5 Hz'."""
    digits = 2 - math.floor(math.log10(frequency_hz))
    rounded = round(frequency_hz, digits)
    nominal = min(_NOMINAL, key=lambda n: abs(math.log(n * 10 ** math.floor(math.log10(rounded)) / rounded)))
    return f'{nominal * 10 ** math.floor(math.log10(rounded)):g} Hz'


_NOMINAL = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8, 10)


def plan_features(
    *,
    shortest_s: float,
    lowest_rate_hz: float,
    channels: Sequence[str],
    slowest_rpm: float = math.nan,
    geometry: BearingGeometry | None = None,
    sets: Sequence[str] | None = None,
    piece_s: float | None = None,
    network: Network | None = None,
    judge: str = '',
) -> FeaturePlan:
    """The plan that fits recordings.

    Args:
      shortest_s: length of the shortest recording, in seconds.
      lowest_rate_hz: the lowest sampling rate among them.
      channels: names or numbers of their channels.
      slowest_rpm: the lowest speed of the shaft among them; NaN where a speed is not known.
      geometry: of the bearing, where it is known.
      sets: names of FEATURE_SETS; None: bands and impacts, and shaft and orders where speed, bearing and length
        allow them.
      piece_s: see FeaturePlan.
      network: see FeaturePlan; it is read beside the sets that fit.
      judge: digest of the judge's weights.

    Raises:
      ConfigError: a set that the recordings do not allow.
    """
    length_s = shortest_s if piece_s is None else min(piece_s, shortest_s)
    knows_speed = math.isfinite(slowest_rpm) and slowest_rpm > 0
    wanted = TURNS_PER_FRAME * 60 / slowest_rpm if knows_speed else 0.0
    frame_s = min(length_s, max(FRAME_S, wanted))
    turns = length_s * slowest_rpm / 60 if knows_speed else 0.0
    # A frame with four turns has the shaft's line apart from its second multiple; the evidence needs ten, and scatters.
    possible = {
        'shaft': knows_speed and frame_s * slowest_rpm / 60 >= 4,
        'orders': geometry is not None and turns >= TURNS_OF_ORDERS,
        'judge': geometry is not None and turns >= TURNS_OF_ORDERS,
    }
    fitting = (*ALWAYS, *(name for name in ('shaft', 'orders') if possible[name]), *(('network',) if network else ()))
    chosen = tuple(sets) if sets else fitting
    for name in chosen:
        if not possible.get(name, True):
            short = (
                f'recordings of {length_s:.3g} s at {slowest_rpm:g} rpm are too short'
                if knows_speed
                else ('the speed of every recording is needed: give `speed_rpm`, `pattern` or a manifest')
            )
            raise ConfigError(f'`features`={name}: {short}; leave {name} out')
    top_hz = TOP_SHARE * lowest_rate_hz / 2
    seen_by = judge if 'judge' in chosen else ''
    return FeaturePlan(chosen, tuple(channels), frame_s, top_hz, geometry, piece_s, network, seen_by)
