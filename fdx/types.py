"""The words that every room of fdx shares: a recording, its axes and units, and the errors that users see.

Axis legend, used in every docstring of fdx:

    B  examples of a batch          T  time (samples of a signal, frames of a spectrogram)
    F  frequency (mel bins)         C  channels (sensor axes, image channels)
    K  classes                      N  rows of a table

Units are in the names: `_hz`, `_s`, `_rpm`; acceleration is in g unless a dataset says otherwise.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fdx.signal.bearings import BearingGeometry

UNKNOWN = math.nan


class FdxError(Exception):
    """Base of every error that fdx raises for a user: it says what was wrong, where, and what to do."""


class DataError(FdxError, ValueError):
    """A recording, file or dataset cannot be used."""


class ConfigError(FdxError, ValueError):
    """A flag or a configuration value cannot be used."""


class SplitError(FdxError, ValueError):
    """A protocol cannot split this data, or two splits share samples."""


class WeightsError(FdxError, ValueError):
    """A file of weights cannot be read, fetched or merged."""


class CheckpointError(FdxError, RuntimeError):
    """A checkpoint is missing, damaged or of another run."""


@dataclasses.dataclass(frozen=True)
class Recording:
    """One continuous acquisition: the unit of truth (law 1).

    Attributes:
      samples: float32 [T, C], in the unit of the dataset.
      sample_rate_hz: the rate at which `samples` were taken.
      recording: stable id, unique in its dataset config.
      label: class name of the dataset's finest label.
      fault_type: coarse class: normal, inner_race, outer_race, ball, ...
      bearing: the physical bearing (or machine part) that was recorded.
      domain: operating condition or machine that transfer moves between.
      speed_rpm: shaft speed, NaN when unknown.
      load: load in the dataset's own unit, NaN when unknown.
      source: where it came from (file name), for messages.
      geometry: of the bearing, None when unknown; fault frequencies follow from it and the speed.
      channel_names: C names, or () where the source has none.
      unit: of `samples` as the source states it ('g', 'm/s2', 'counts', ...), '' when unknown.
      time_breaks: ascending indices of samples before which time is missing: no window may hold one inside.
      notes: what the reader noticed about the source, one sentence each; users see them beside the verdict.
      acquisition: id of the physical run, the same for two channels of it that are recordings of their own; '': the
        recording's own id.
    """

    samples: np.ndarray
    sample_rate_hz: float
    recording: str
    label: str
    fault_type: str
    bearing: str
    domain: str
    speed_rpm: float = UNKNOWN
    load: float = UNKNOWN
    source: str = ''
    geometry: BearingGeometry | None = None
    channel_names: tuple[str, ...] = ()
    unit: str = ''
    time_breaks: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    acquisition: str = ''

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.shape[0] / self.sample_rate_hz
