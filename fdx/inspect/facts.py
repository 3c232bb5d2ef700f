"""What was measured of one recording: numbers of its channels, and what its file says."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from fdx.types import UNKNOWN, BearingGeometry


@dataclasses.dataclass(frozen=True)
class ChannelFacts:
    """Numbers of one channel, in the unit of the recording.

    Attributes:
      name: of the channel, or its number.
      bias: mean.
      rms: root mean square around the mean.
      peak: largest distance from the mean.
      crest: peak / rms.
      kurtosis: fourth moment over the square of the second, 3 for Gaussian noise.
      clipped: samples in flat peaks at the extreme values (fdx.signal.checks.count_clipped).
      step: distance between neighbouring values of the converter or the text, None where single precision hides it.
      noise_floor: density of the quietest tenth of the band in the quietest tenth of the time, in unit / sqrt(Hz).
      band_edge_hz: where the spectrum ends as if cut off; half of the rate where it does not.
    """

    name: str
    bias: float = UNKNOWN
    rms: float = UNKNOWN
    peak: float = UNKNOWN
    crest: float = UNKNOWN
    kurtosis: float = UNKNOWN
    clipped: int = 0
    step: float | None = None
    noise_floor: float = UNKNOWN
    band_edge_hz: float = UNKNOWN


@dataclasses.dataclass(frozen=True)
class RecordingFacts:
    """What is known of one recording.

    Attributes:
      recording: its id.
      label, fault_type, machine, bearing, domain, split: as the collection says, '' where it does not.
      speed_rpm, load: of the collection or else of the file, NaN where unknown.
      geometry: of the bearing, None where unknown.
      format: suffix of the file without its dot.
      sample_rate_hz: of the samples.
      rate_from: where the rate comes from, in words.
      samples: length, in samples.
      longest: samples of the longest part without missing time, 0 for all.
      unit: as the file states it, '' where it does not.
      channels: one per channel.
      dead_share: share of the samples in dead stretches of any channel.
      wild: number of samples that no vibration makes.
      breaks: number of places at which time is missing.
      modified_s: when the file was last written, in seconds of the system's clock; NaN where it has no file.
      digest: of the samples; the same for exact copies.
      estimate_rpm: speed that stands out of the samples, NaN where none does or none was asked for.
      notes: what the reader noticed, one sentence each.
      error: why the recording cannot be read or used, '' where it can.
    """

    recording: str
    label: str = ''
    fault_type: str = ''
    machine: str = ''
    bearing: str = ''
    domain: str = ''
    split: str = ''
    speed_rpm: float = UNKNOWN
    load: float = UNKNOWN
    geometry: BearingGeometry | None = None
    format: str = ''
    sample_rate_hz: float = UNKNOWN
    rate_from: str = ''
    samples: int = 0
    longest: int = 0
    unit: str = ''
    channels: tuple[ChannelFacts, ...] = ()
    dead_share: float = 0.0
    wild: int = 0
    breaks: int = 0
    modified_s: float = UNKNOWN
    digest: str = ''
    estimate_rpm: float = UNKNOWN
    notes: tuple[str, ...] = ()
    error: str = ''

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate_hz if self.samples else UNKNOWN

    @property
    def longest_s(self) -> float:
        """Seconds of the longest part without missing time: no window is longer."""
        return (self.longest or self.samples) / self.sample_rate_hz if self.samples else UNKNOWN

    @property
    def clipped(self) -> int:
        """Clipped samples of all channels."""
        return sum(c.clipped for c in self.channels)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: unknown numbers are None."""
        found = {**dataclasses.asdict(self), 'duration_s': self.duration_s}
        found['geometry'] = None if self.geometry is None else list(self.geometry.numbers())
        return _without_nan(found)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
