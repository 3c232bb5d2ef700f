"""Front ends by name.

A name is a base, optionally followed by a scaling: `vggish`, `vggish_train`, `vggish_none`. Without one, the scaling is
the first in the base's list; for `vggish` that is the study's peak scaling.

    vggish                one channel; the AudioSet release of VGGish, at 16 kHz whatever the dataset's rate
    yamnet                one channel; the same spectrum with YAMNet's smaller offset, for its weights
    multi_resolution_mel  one channel; windows of 25, 50 and 100 ms as three image channels (Palanisamy et al., 2020)
    scalogram             one channel; wavelet image of 224 x 224 x 3 over the whole band (Shao et al., 2019)
    scalogram_small       one channel; the same with 64 x 64 x 3 in 0.25 s
    fault_orders          one channel; envelope spectra at the bearing's fault orders, one image for all machines
    fault_orders_shaft    the same with cage and shaft as further channels
    fault_orders_stacked  the same with its channels side by side, in a picture that VGGish takes
    envelope_spectrum     one channel; the squared-envelope spectrum in shaft orders, for 1-D networks
    waveform              one channel; 1024 samples with mean 0 and standard deviation 1, for 1-D networks
    musicnn               one channel; as the weights of musicnn were trained, at 16 kHz whatever the dataset's rate
    band_mel              any number of channels; patches of 0.25 s over the whole band, for short recordings
    snippet_mel           any number of channels; patches of 0.1 s over the whole band, for snippets of recordings
    triaxial_mel          several channels; each axis is an image channel, over the whole band, without empty filters
    triaxial_mel_paper    several channels; the study's librosa settings unchanged, with gravity and drift

To add one, write its maker in fdx.signal.front_end_makers and name it in BASES (and enter a new class with the methods
of fdx.signal.patch.FrontEnd in KINDS).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from fdx.signal import front_end_makers as makers
from fdx.signal.decibel_mel import DecibelMel
from fdx.signal.envelope_orders import EnvelopeOrders
from fdx.signal.evidence_front_end import Evidence
from fdx.signal.fault_orders import FaultOrders
from fdx.signal.log_mel import LogMel
from fdx.signal.multi_resolution import MultiResolutionMel
from fdx.signal.musicnn_mel import MusicnnMel
from fdx.signal.patch import FrontEnd
from fdx.signal.readings import ReadingsInput
from fdx.signal.scalogram import Scalogram
from fdx.signal.waveform import Waveform
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class Base:
    """A family of front ends that differ in scaling.

    Attributes:
      make: (name, scaling, rate_hz or None) -> front end.
      scalings: the scalings that it offers, the default first.
      suits: function of the number of channels: whether datasets of such recordings offer it.
    """

    make: Callable[[str, str, float | None], FrontEnd]
    scalings: tuple[str, ...]
    suits: Callable[[int], bool]


def _one(channels: int) -> bool:
    return channels == 1


def _any(channels: int) -> bool:
    return channels >= 1


def _several(channels: int) -> bool:
    return channels > 1


BASES = {
    'vggish': Base(makers.vggish, ('peak', 'train', 'none'), _one),
    'multi_resolution_mel': Base(makers.multi_resolution_mel, ('peak', 'train', 'none'), _one),
    'musicnn': Base(makers.musicnn, ('rms', 'peak', 'train', 'none'), _one),
    'yamnet': Base(makers.yamnet, ('peak', 'train', 'none'), _one),
    # White is a magnitude of 1, which unscaled samples know nothing of.
    'scalogram': Base(makers.scalogram, ('peak', 'train'), _one),
    'scalogram_small': Base(makers.scalogram, ('peak', 'train'), _one),
    'fault_orders': Base(makers.fault_orders, ('none',), _one),
    'fault_orders_shaft': Base(makers.fault_orders, ('none',), _one),
    'fault_orders_stacked': Base(makers.fault_orders, ('none',), _one),
    'envelope_spectrum': Base(makers.envelope_spectrum, ('none',), _one),
    'waveform': Base(makers.waveform, ('standard',), _one),
    'triaxial_mel': Base(makers.triaxial_mel, ('train', 'peak', 'none'), _several),
    # Decibels below the maximum are the same in every scaling.
    'triaxial_mel_paper': Base(makers.triaxial_mel_paper, ('train',), _several),
    # Last, so that the first config of every dataset stays what it was.
    'band_mel': Base(makers.band_mel, ('peak', 'train', 'none'), _any),
    'snippet_mel': Base(makers.snippet_mel, ('peak', 'train', 'none'), _any),
}
# These reproduce a paper that keeps gravity and the sensor's offset in its images, where they distinguish one mounting
# from another. All other front ends get windows without their slow part (fdx.signal.slow_part).
KEEP_SLOW_PART = ('triaxial_mel_paper',)
# These need the speed of the shaft, and fault_orders* need the bearing, too.
ORDERS = ('fault_orders', 'fault_orders_shaft', 'fault_orders_stacked', 'envelope_spectrum')
KINDS: dict[str, Callable[..., Any]] = {
    **{kind.KIND: kind for kind in (LogMel, MultiResolutionMel, MusicnnMel, DecibelMel, Scalogram)},
    'fault_orders': FaultOrders,
    'envelope_orders': EnvelopeOrders,
    'evidence': Evidence,
    'waveform': Waveform,
    'readings': ReadingsInput,
}
# The name of a dataset's config may leave these out (fdx.data.names).
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


def keeps_slow_part(name: str) -> bool:
    """Whether a front end keeps the sensor's offset and drift in its windows, as the paper does that it reproduces."""
    return name in KEEP_SLOW_PART


def create_front_end(name: str, rate_hz: float | None = None) -> FrontEnd:
    """The front end of that name.

    Args:
      name: one of `front_end_names()`.
      rate_hz: the dataset's common rate; `vggish`, `yamnet` and `musicnn` do not use it: they have an analysis rate of
        their own.

    Raises:
      ConfigError: an unknown name (the text lists the known ones), or no rate for a front end that follows it.
    """
    known = _known()
    if name not in known:
        raise ConfigError(f'unknown front end {name!r}; fdx has: {", ".join(known)}')
    base, scaling = known[name]
    return base.make(name, scaling, rate_hz)


def front_end_from_config(config: dict) -> Any:
    """Rebuilds a front end from `config()`, as a dataset's metadata or a checkpoint stores it: one of KINDS."""
    fields = dict(config)
    kind = fields.pop('kind', None)
    if kind not in KINDS:
        raise ConfigError(f'unknown kind of front end {kind!r}; fdx has: {", ".join(KINDS)}')
    return KINDS[kind](**fields)
