"""What the user knows about the machine of a recording: its speed and its bearing."""

from __future__ import annotations

import dataclasses
import logging
import math

from fdx.signal.bearings import BearingGeometry
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM, estimate_speed
from fdx.types import ConfigError, Recording

ESTIMATE = 'estimate'
# Two speeds that differ by less, relatively, are one: slip and rounding stay below.
SPEED_TOLERANCE = 0.01
_log = logging.getLogger(__name__)


def check_positive(name: str, value: float | None, unit: str) -> None:
    """ConfigError unless an option is None or a finite number above 0.

    Args:
      name: of the parameter.
      value: its value.
      unit: in the plural, for the message.
    """
    if value is not None and not (math.isfinite(value) and value > 0):
        raise ConfigError(f'`{name}`={value}: a number of {unit} above 0')


def checked_speed(speed_rpm: float | str | None) -> float | str | None:
    """A speed as a float, 'estimate' and None as they are; ConfigError for anything but a finite number above 0."""
    if speed_rpm is None or speed_rpm == ESTIMATE:
        return speed_rpm
    try:
        speed = float(speed_rpm)
    except (TypeError, ValueError):
        speed = math.nan
    if not (math.isfinite(speed) and speed > 0):
        raise ConfigError(f'`speed_rpm`={speed_rpm}: a number above 0, or estimate')
    return speed


def with_condition(
    recording: Recording,
    speed_rpm: float | str | None = None,
    geometry: BearingGeometry | None = None,
    speed_range_rpm: tuple[float, float] = DEFAULT_RANGE_RPM,
) -> Recording:
    """A recording with what its user knows about the machine.

    Args:
      recording: samples [T, C].
      speed_rpm: a number, which wins over the file's own, with a note and a logged warning where they differ;
        'estimate', which reads it from the first channel (fdx.signal.shaft_speed); None keeps the file's.
      geometry: of the bearing; None keeps what is there.
      speed_range_rpm: where an estimate is looked for.

    Raises:
      ConfigError: an unusable speed or range.
      DataError: no speed stands out of the recording.
    """
    notes, own, given = recording.notes, recording.speed_rpm, checked_speed(speed_rpm)
    speed = given if isinstance(given, float) else None
    if given == ESTIMATE:
        estimate = estimate_speed(recording, *speed_range_rpm)
        speed = estimate.speed_rpm
        notes += (estimate.in_words(),)
    if speed is not None and abs(own - speed) > SPEED_TOLERANCE * own:  # never true of an unknown speed, NaN
        notes += (f'`speed_rpm` {speed:g} wins over the {own:g} rpm of the file',)
        _log.warning('%s: %s', recording.source or recording.recording, notes[-1])
    return dataclasses.replace(
        recording,
        speed_rpm=own if speed is None else speed,
        geometry=geometry or recording.geometry,
        notes=notes,
    )
