"""The evidence of a whole recording as a front end, for simulated machines and for those that are judged."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal import scaling
from fdx.signal.evidence_image import SHAPE, evidence_image
from fdx.signal.fault_evidence import fault_evidence
from fdx.signal.fault_orders import check_turns
from fdx.signal.patch import UNKNOWN_CONDITION, Condition, one_channel, shaft_rate_hz
from fdx.signal.scaling import Gain
from fdx.types import ConfigError, DataError

NAME = 'evidence'
# To be raised by whoever changes what the image of a recording holds: the judge is trained again then.
EVIDENCE_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Evidence:
    """`evidence_image` of a chunk as long as it is, at any rate: the longer, the more certain.

    It belongs to no family of front ends that datasets offer, because datasets cut windows and this one takes whole
    recordings.

    Attributes:
      name: 'evidence'.
      rate_hz: of most recordings; it decides nothing.
      scaling: 'none', because pre-whitening drops the amplitude.
    """

    name: str = NAME
    rate_hz: float = 20000.0
    scaling: str = 'none'

    axes = 'FT'
    unit = 'deviations of control orders'
    plot_labels = ('cells of harmonics', 'demodulation band')
    hop_s = 1.0

    def __post_init__(self):
        scaling.check_scaling(self.scaling)

    def centre_frequencies_hz(self) -> np.ndarray:
        """Numbers of the rows, from 1."""
        return np.arange(1.0, SHAPE[0] + 1)

    def panels(self, channels: int) -> list[str]:
        """What each channel of the image shows."""
        del channels
        return ['inner_race', 'outer_race', 'ball', 'cage', 'shaft']

    def output_shape(self, channels: int = 1) -> tuple[int, int, int]:
        """SHAPE; ConfigError for recordings of several channels."""
        if channels != 1:
            raise ConfigError(f'front end {self.name} takes one channel and cannot take recordings of {channels}')
        return SHAPE

    def patch_samples(self, sample_rate_hz: float) -> int:
        """One second; the turns of the shaft are checked when the image is made."""
        return round(sample_rate_hz)

    def peaks(self, chunk: np.ndarray) -> np.ndarray:
        """Largest magnitude of the channel of a chunk [T, 1]: [1]."""
        return scaling.peak_magnitudes(chunk)

    def __call__(
        self, chunk: np.ndarray, sample_rate_hz: float, condition: Condition = UNKNOWN_CONDITION
    ) -> np.ndarray:
        """The image of a whole chunk float32 [T, 1]: float32 SHAPE.

        Raises:
          DataError: several channels, fewer than ten turns of the shaft, no speed or no geometry.
        """
        x = one_channel(chunk, self.name)
        if condition.geometry is None:
            raise DataError(f"front end {self.name} needs the bearing's geometry: give `bearing`")
        shaft_hz = shaft_rate_hz(condition, self.name)
        check_turns(len(x) / sample_rate_hz, shaft_hz, self.name)
        return evidence_image(fault_evidence(x, sample_rate_hz, condition.speed_rpm, condition.geometry))

    def with_gain(self, patches: np.ndarray, gain: Gain) -> np.ndarray:
        """The same images, since pre-whitening drops the amplitude."""
        del gain
        return patches

    def config(self) -> dict:
        """JSON-able description; `fdx.signal.front_ends.front_end_from_config` reads it."""
        return {'kind': NAME, **dataclasses.asdict(self)}
