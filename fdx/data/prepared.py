"""Prepares a recording for windows: checks it, repairs it and brings it to its dataset's rate and band.

Builders and the prediction of raw files both use this module, so that images are made in one way only.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.data.blocks import Windowing
from fdx.signal.checks import check_rate
from fdx.signal.patch import FrontEnd
from fdx.signal.resample import filter_reach_s, to_common_band
from fdx.signal.slow_part import SLOW_HZ, without_slow_part
from fdx.signal.usable import Usability, inspect_recording
from fdx.types import DataError, Recording


@dataclasses.dataclass(frozen=True)
class RecordSpec:
    """Settings that turn recordings into records, the same for a whole dataset config.

    Attributes:
      front_end: makes the spectrogram.
      common_rate_hz: the lowest rate among the recordings; all are brought to it and its band (law 3).
      windowing: how windows are cut at that rate.
      with_waveform: whether records keep the waveform.
      channels: number of channels of every recording.
      removed_below_hz: slower parts are removed from every window (fdx.signal.slow_part); 0 keeps them.
      match_level: whether every window is divided by its own level, so that nothing can be told by how loud it is.
    """

    front_end: FrontEnd
    common_rate_hz: float
    windowing: Windowing
    with_waveform: bool = True
    channels: int = 1
    removed_below_hz: float = SLOW_HZ
    match_level: bool = False


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A recording at its dataset's rate and band, and which of its samples can be used.

    Attributes:
      recording: samples float32 [T, C] at the common rate, wild ones replaced.
      usability: what was found in the samples as they were recorded.
      reach_s: how far the common band's filter spreads a dead stretch, in seconds.
      spec: the dataset's settings.
    """

    recording: Recording
    usability: Usability
    reach_s: float
    spec: RecordSpec

    def faults(self, starts: np.ndarray) -> list[str]:
        """Why the windows that start at `starts` (int [N]) cannot be used; '' for those that can."""
        return self.usability.faults(
            starts, self.spec.windowing.window_length, self.spec.common_rate_hz, self.reach_s
        )  # fmt: skip

    def window(self, start: int) -> np.ndarray:
        """float32 [window_length, C] for the front end, without its slow part unless the dataset keeps it."""
        chunk = self.recording.samples[start : start + self.spec.windowing.window_length]
        if self.spec.removed_below_hz:
            chunk = without_slow_part(chunk, self.spec.common_rate_hz, self.spec.removed_below_hz)
        return with_level_of_one(chunk) if self.spec.match_level else chunk


def with_level_of_one(chunk: np.ndarray) -> np.ndarray:
    """A window [T, C] divided by the root mean square of its vibration over all channels; the axes keep their ratio.

    Returns:
      float32 [T, C]; zeros where nothing vibrates.
    """
    level = float(np.sqrt(np.mean(np.var(chunk, axis=0, dtype=np.float64))))
    return (chunk / level if level > 0 else np.zeros_like(chunk)).astype(np.float32)


def prepare_recording(recording: Recording, spec: RecordSpec) -> Prepared:
    """Checks a recording [T] or [T, C], replaces wild samples and brings it to the dataset's rate and band.

    Raises:
      DataError: fdx.signal.checks refuses the recording, or it has another number of channels than the dataset.
      ConfigError: its rate is below the common one.
    """
    rate_hz = check_rate(recording.sample_rate_hz, recording.source or recording.recording)
    shortest = int(np.ceil(spec.windowing.window_length * rate_hz / spec.common_rate_hz))
    checked, usability = inspect_recording(recording, shortest)
    channels = checked.samples.shape[1]
    if channels != spec.channels:
        raise DataError(
            f'{recording.source or recording.recording}: {channels} channels where {spec.channels} are needed; '
            'choose and order them when the recording is read'
        )
    samples = to_common_band(checked.samples, rate_hz, spec.common_rate_hz)
    checked = dataclasses.replace(checked, samples=samples, sample_rate_hz=spec.common_rate_hz)
    return Prepared(checked, usability, filter_reach_s(rate_hz, spec.common_rate_hz), spec)
