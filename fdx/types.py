"""The words that every room of fdx shares: a recording, its bearing, axes and units, and the errors that users see.

Axis legend, used in every docstring of fdx:

    B  examples of a batch          T  time (samples of a signal, frames of a spectrogram)
    F  frequency (mel bins)         C  channels (sensor axes, image channels)
    K  classes                      N  rows of a table

Units are in the names: `_hz`, `_s`, `_rpm`; acceleration is in g unless a dataset says otherwise.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

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
class BearingGeometry:
    """What decides how often a rolling element passes a damaged spot.

    The orders are events per turn of the shaft, for a turning inner ring, a standing outer ring and pure rolling; with
    Z rolling elements of diameter d on the pitch diameter D at the contact angle a, and r = d / D cos(a)
    (Harris & Kotzalas, "Rolling Bearing Analysis", 5th ed., 2006; Randall & Antoni, MSSP 25(2):485-520, 2011):

        FTF  = (1 - r) / 2              cage
        BPFO = Z (1 - r) / 2            rolling elements over a spot of the outer race
        BPFI = Z (1 + r) / 2            rolling elements over a spot of the inner race
        BSF  = D / (2 d) (1 - r^2)      spin of a rolling element

    Attributes:
      pitch_diameter_mm: D.
      ball_diameter_mm: d, of a ball or a roller; below D.
      num_balls: Z, of one row.
      contact_angle_deg: a, from 0 (radial contact) to below 90.

    Raises:
      ConfigError: no such bearing can exist.
    """

    pitch_diameter_mm: float
    ball_diameter_mm: float
    num_balls: int
    contact_angle_deg: float = 0.0

    def __post_init__(self):
        """Checks the numbers, so that every order below is finite and positive."""
        for name in ('pitch_diameter_mm', 'ball_diameter_mm', 'num_balls'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f'bearing geometry: {name} is {value}; it must be positive and finite')
        if self.num_balls != int(self.num_balls):
            raise ConfigError(f'bearing geometry: num_balls is {self.num_balls}; it must be a whole number')
        if self.ball_diameter_mm >= self.pitch_diameter_mm:
            raise ConfigError(
                f'bearing geometry: ball_diameter_mm {self.ball_diameter_mm} must be below '
                f'pitch_diameter_mm {self.pitch_diameter_mm}'
            )
        if not 0 <= self.contact_angle_deg < 90:
            raise ConfigError(f'bearing geometry: contact_angle_deg is {self.contact_angle_deg}; it must be in [0, 90)')

    @property
    def diameter_ratio(self) -> float:
        """The ratio r = d / D cos(a), the one number that rolling without slip depends on."""
        return self.ball_diameter_mm / self.pitch_diameter_mm * math.cos(math.radians(self.contact_angle_deg))

    @property
    def ftf(self) -> float:
        """Fundamental train (cage) frequency as a multiple of the shaft's."""
        return (1 - self.diameter_ratio) / 2

    @property
    def bpfo(self) -> float:
        """Ball pass frequency of the outer race as a multiple of the shaft's."""
        return self.num_balls * self.ftf

    @property
    def bpfi(self) -> float:
        """Ball pass frequency of the inner race as a multiple of the shaft's."""
        return self.num_balls * (1 - self.ftf)

    @property
    def bsf(self) -> float:
        """Ball spin frequency as a multiple of the shaft's; a damaged ball strikes both races, so at twice this."""
        return self.pitch_diameter_mm / (2 * self.ball_diameter_mm) * (1 - self.diameter_ratio**2)

    def numbers(self) -> tuple[float, float, float, float]:
        """(pitch_diameter_mm, ball_diameter_mm, num_balls, contact_angle_deg), as a record keeps them."""
        return self.pitch_diameter_mm, self.ball_diameter_mm, float(self.num_balls), self.contact_angle_deg


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
