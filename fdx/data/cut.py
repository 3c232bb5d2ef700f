"""Cuts a recording into windows, checks them and makes images of them, as for the records of a dataset."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.data.prepared import RecordSpec, prepare_recording
from fdx.data.records import window_level
from fdx.signal.frames import window_starts
from fdx.signal.patch import Condition
from fdx.types import DataError, Recording


@dataclasses.dataclass(frozen=True)
class Cut:
    """The windows of one recording.

    Attributes:
      starts_s: float [N], where each window begins.
      window_s: their length in seconds.
      faults: why a window cannot be used (fdx.signal.usable), '' for those that can.
      images: float32 [M, ...], what the front end makes of the M windows that can be used, in order.
      levels: float32 [N, C], root mean square of each window around its mean; NaN where it cannot be used.
      wild_samples: how many samples of the recording were replaced.
      notes: what was noticed about the recording, sentences for the user.
    """

    starts_s: np.ndarray
    window_s: float
    faults: list[str]
    images: np.ndarray
    levels: np.ndarray
    wild_samples: int
    notes: tuple[str, ...]

    @property
    def live(self) -> np.ndarray:
        """Numbers of the windows that can be used, int64 [M]."""
        return np.flatnonzero([not fault for fault in self.faults])


def cut_recording(recording: Recording, spec: RecordSpec) -> Cut:
    """Cuts a whole recording with the same code as the records of a dataset.

    Args:
      recording: samples [T, C] with as many channels as `spec` says; speed and geometry where the front end reads them.
      spec: of the dataset.

    Raises:
      DataError: fdx.signal.checks or the front end refuses the recording, which the text names.
      ConfigError: the recording's rate is below the dataset's.
    """
    prepared = prepare_recording(recording, spec)
    rate, length = spec.common_rate_hz, spec.windowing.window_length
    starts = window_starts(len(prepared.recording.samples), length, spec.windowing.hop_length)
    faults = prepared.faults(starts)
    condition = Condition(prepared.recording.speed_rpm, prepared.recording.geometry)
    live = [i for i, fault in enumerate(faults) if not fault]
    windows = [prepared.window(starts[i]) for i in live]
    try:
        images = [spec.front_end(window, rate, condition) for window in windows]
    except DataError as e:
        raise DataError(f'{recording.source or recording.recording}: {e}') from e
    levels = np.full((len(starts), spec.channels), np.nan, np.float32)
    if live:
        levels[live] = [window_level(window) for window in windows]
    return Cut(
        starts_s=starts / rate,
        window_s=length / rate,
        faults=faults,
        images=np.stack(images) if images else np.empty((0,), np.float32),
        levels=levels,
        wild_samples=prepared.usability.wild_samples,
        notes=prepared.recording.notes,
    )
