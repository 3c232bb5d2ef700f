"""Front ends by name.

A name is a base, optionally followed by its scaling; without one it has the base's default scaling, the first of
its list: `vggish` (the study's peak scaling), `vggish_train`, `vggish_none`.

    vggish                one channel; the AudioSet release of VGGish, at 16 kHz whatever the dataset's rate
    multi_resolution_mel  one channel; windows of 25, 50 and 100 ms as three image channels (Palanisamy et al., 2020)
    fault_orders          one channel; envelope spectra at the bearing's fault orders: one image for all machines
    fault_orders_shaft    the same with cage and shaft as further channels
    fault_orders_stacked  the same, its channels side by side in a picture that VGGish takes
    envelope_spectrum     one channel; the squared-envelope spectrum in shaft orders, for 1-D networks
    waveform              one channel; 1024 samples with mean 0 and standard deviation 1, for 1-D networks
    musicnn               one channel; what the weights of musicnn were made with, at 16 kHz whatever the dataset's rate
    triaxial_mel          several channels; each axis an image channel, the whole band of the dataset, no empty filter
    triaxial_mel_paper    several channels; the study's librosa settings, kept as they are

To add one, write a function that makes it into BASES (and a new class with the methods of fdx.signal.patch.FrontEnd
into KINDS).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from fdx.signal.decibel_mel import DecibelMel
from fdx.signal.envelope_orders import EnvelopeOrders
from fdx.signal.fault_orders import FaultOrders
from fdx.signal.log_mel import LogMel
from fdx.signal.mel import smallest_fft_length
from fdx.signal.multi_resolution import MultiResolutionMel
from fdx.signal.musicnn_mel import MusicnnMel
from fdx.signal.patch import FrontEnd
from fdx.signal.readings import ReadingsInput
from fdx.signal.waveform import Waveform
from fdx.types import ConfigError

# 25 ms windows every 10 ms in a 512 FFT: the AudioSet release of VGGish.
VGGISH = {
    'rate_hz': 16000.0,
    'window_length': 400,
    'hop_length': 160,
    'fft_length': 512,
    'n_mels': 64,
    'f_min_hz': 125.0,
    'f_max_hz': 7500.0,
    'log_offset': 0.01,
    'patch_frames': 96,
}
# 61 frames: 0.975 s, as VGGish, so that the short healthy recording of CWRU keeps its blocks (the original: 3 s).
MUSICNN = {
    'rate_hz': 16000.0,
    'fft_length': 512,
    'hop_length': 256,
    'n_mels': 96,
    'compression': 10000.0,
    'patch_length': 15600,
}
# Windows of 0.48 s tell lines 4 Hz apart: a motor's shaft line from the mains and its sidebands. At the 533 Hz of the
# study's sensor they have 256 samples and hops 32; 24 columns span 1.86 s, about the study's 1000 samples.
TRIAXIAL_WINDOW_S, TRIAXIAL_HOP_S, TRIAXIAL_FRAMES = 0.48, 0.06, 24
# The finest resolution decides the patch: 96 columns in 0.975 s, as VGGish, so that CWRU's short healthy recording
# keeps its blocks (Palanisamy: 250 columns of 5 s). No upper limit below Nyquist: the paper uses the whole band, too.
RESOLUTIONS_S = ((0.025, 0.010), (0.050, 0.025), (0.100, 0.050))
RESOLUTION_COLUMNS = 96
N_MELS = 128
LOG_OFFSET = 0.01
STUDY = {
    'nominal_rate_hz': 1000.0,
    'patch_length': 1000,
    'fft_length': 256,
    'hop_length': 512,
    'n_mels': 128,
    'amin': 1e-10,
    'top_db': 80.0,
}
# Three harmonics within 2 % in halves; 0.975 s are 29 turns at 1800 rpm and keep the blocks of CWRU's short recording.
FAULT_ORDERS = {'window_s': 0.975, 'harmonics': 3, 'cells': 2, 'slip': 0.02}
RACES_AND_BALL = ('inner_race', 'outer_race', 'ball')
# Up to the third harmonic of an inner race of CWRU's drive end; a point is half a bin of 0.975 s at 1800 rpm.
ENVELOPE_ORDERS = {'window_s': 0.975, 'points': 1024, 'max_order': 17.0}
WAVEFORM_SAMPLES = 1024


def _vggish(name: str, scaling: str, rate_hz: float | None) -> LogMel:
    del rate_hz  # The weights know one analysis rate: signals are resampled to it.
    return LogMel(name=name, scaling=scaling, **VGGISH)


def _musicnn(name: str, scaling: str, rate_hz: float | None) -> MusicnnMel:
    del rate_hz  # As for vggish.
    return MusicnnMel(name=name, scaling=scaling, **MUSICNN)


def _triaxial_mel(name: str, scaling: str, rate_hz: float | None) -> LogMel:
    rate = _needed(name, rate_hz)
    window = max(2, round(TRIAXIAL_WINDOW_S * rate))
    return LogMel(
        name=name,
        rate_hz=rate,
        window_length=window,
        hop_length=max(1, round(TRIAXIAL_HOP_S * rate)),
        fft_length=smallest_fft_length(window, N_MELS, rate, 0.0, rate / 2),
        n_mels=N_MELS,
        f_min_hz=0.0,
        f_max_hz=rate / 2,
        log_offset=LOG_OFFSET,
        patch_frames=TRIAXIAL_FRAMES,
        scaling=scaling,
        axes='FT',
        remove_static=True,
    )


def _triaxial_mel_paper(name: str, scaling: str, rate_hz: float | None) -> DecibelMel:
    return DecibelMel(name=name, rate_hz=_needed(name, rate_hz), scaling=scaling, **STUDY)


def _multi_resolution_mel(name: str, scaling: str, rate_hz: float | None) -> MultiResolutionMel:
    rate = _needed(name, rate_hz)
    # Whole samples, rounded down: no patch is longer than 0.975 s.
    windows, hops = ([max(1, math.floor(s * rate + 1e-6)) for s in column] for column in zip(*RESOLUTIONS_S))
    return MultiResolutionMel(
        name=name,
        rate_hz=rate,
        window_lengths=tuple(windows),
        hop_lengths=tuple(hops),
        fft_lengths=tuple(smallest_fft_length(w, N_MELS, rate, 0.0, rate / 2) for w in windows),
        n_mels=N_MELS,
        f_min_hz=0.0,
        f_max_hz=rate / 2,
        log_offset=LOG_OFFSET,
        columns=RESOLUTION_COLUMNS,
        scaling=scaling,
    )


def _fault_orders(name: str, scaling: str, rate_hz: float | None) -> FaultOrders:
    channels = (*RACES_AND_BALL, 'cage', 'shaft') if name.startswith('fault_orders_shaft') else RACES_AND_BALL
    layout = 'stacked' if name.startswith('fault_orders_stacked') else 'image'
    return FaultOrders(
        name=name, rate_hz=_needed(name, rate_hz), channels=channels, layout=layout, scaling=scaling, **FAULT_ORDERS
    )


def _envelope_spectrum(name: str, scaling: str, rate_hz: float | None) -> EnvelopeOrders:
    return EnvelopeOrders(name=name, rate_hz=_needed(name, rate_hz), scaling=scaling, **ENVELOPE_ORDERS)


def _waveform(name: str, scaling: str, rate_hz: float | None) -> Waveform:
    return Waveform(name=name, rate_hz=_needed(name, rate_hz), patch_length=WAVEFORM_SAMPLES, scaling=scaling)


def _needed(name: str, rate_hz: float | None) -> float:
    if rate_hz is None or not (math.isfinite(rate_hz) and rate_hz > 0):
        raise ConfigError(
            f"front end {name} follows the dataset's rate: rate_hz={rate_hz} must be a number of Hz above 0"
        )
    return float(rate_hz)


@dataclasses.dataclass(frozen=True)
class Base:
    """A family of front ends that differ in scaling.

    Attributes:
      make: (name, scaling, rate_hz or None) -> front end.
      scalings: the ones it comes in, the default first.
      suits: whether datasets of recordings with that many channels offer it.
    """

    make: Callable[[str, str, float | None], FrontEnd]
    scalings: tuple[str, ...]
    suits: Callable[[int], bool]


def _one(channels: int) -> bool:
    return channels == 1


def _several(channels: int) -> bool:
    return channels > 1


BASES = {
    'vggish': Base(_vggish, ('peak', 'train', 'none'), _one),
    'multi_resolution_mel': Base(_multi_resolution_mel, ('peak', 'train', 'none'), _one),
    'musicnn': Base(_musicnn, ('rms', 'peak', 'train', 'none'), _one),
    'fault_orders': Base(_fault_orders, ('none',), _one),
    'fault_orders_shaft': Base(_fault_orders, ('none',), _one),
    'fault_orders_stacked': Base(_fault_orders, ('none',), _one),
    'envelope_spectrum': Base(_envelope_spectrum, ('none',), _one),
    'waveform': Base(_waveform, ('standard',), _one),
    'triaxial_mel': Base(_triaxial_mel, ('train', 'peak', 'none'), _several),
    # Decibels below the maximum are the same in every scaling.
    'triaxial_mel_paper': Base(_triaxial_mel_paper, ('train',), _several),
}
# They need the speed of the shaft (and fault_orders* the bearing).
ORDERS = ('fault_orders', 'fault_orders_shaft', 'fault_orders_stacked', 'envelope_spectrum')
KINDS = {
    'log_mel': LogMel,
    'multi_resolution_mel': MultiResolutionMel,
    'musicnn_mel': MusicnnMel,
    'decibel_mel': DecibelMel,
    'fault_orders': FaultOrders,
    'envelope_orders': EnvelopeOrders,
    'waveform': Waveform,
    'readings': ReadingsInput,
}
# A dataset's config may be named without these (fdx.data.names), in this order.
DEFAULT_FRONT_END = 'vggish'
DEFAULT_TRIAXIAL = 'triaxial_mel'


def _known() -> dict[str, tuple[Base, str]]:
    """Every name with its base and scaling."""
    return {
        name if i == 0 else f'{name}_{scaling}': (base, scaling)
        for name, base in BASES.items()
        for i, scaling in enumerate(base.scalings)
    }


def front_end_names(channels: int | None = None) -> list[str]:
    """Names that `create_front_end` accepts: all, or those that suit recordings with that many channels."""
    return [name for name, (base, _) in _known().items() if channels is None or base.suits(channels)]


def reads_orders(name: str) -> bool:
    """Whether a front end needs the speed, and windows of at least ten turns of the shaft."""
    return name in ORDERS


def create_front_end(name: str, rate_hz: float | None = None) -> FrontEnd:
    """The front end of that name.

    Args:
      name: one of `front_end_names()`.
      rate_hz: the dataset's common rate; `vggish` and `musicnn` have an analysis rate of their own and leave it aside.

    Raises:
      ConfigError: an unknown name (the text lists the known ones), or no rate for a front end that follows it.
    """
    known = _known()
    if name not in known:
        raise ConfigError(f'unknown front end {name!r}; fdx has: {", ".join(known)}')
    base, scaling = known[name]
    return base.make(name, scaling, rate_hz)


def front_end_from_config(config: dict) -> FrontEnd:
    """Rebuilds a front end from `config()`, as a dataset's metadata or a checkpoint stores it."""
    fields = dict(config)
    kind = fields.pop('kind', None)
    if kind not in KINDS:
        raise ConfigError(f'unknown kind of front end {kind!r}; fdx has: {", ".join(KINDS)}')
    return KINDS[kind](**fields)
