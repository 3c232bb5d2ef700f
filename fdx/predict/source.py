"""What a user hands over to be diagnosed: the path of a file or a Recording, with what is known about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.files import read_raw_file
from fdx.data.raw.text import TextFormat
from fdx.predict.condition import ESTIMATE, check_positive, with_condition
from fdx.signal.bearings import BearingGeometry, parse_bearing
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM
from fdx.types import ConfigError, Recording


def given(options: Mapping[str, Any]) -> list[str]:
    """Names of the options that say something, in order."""
    return [name for name, value in options.items() if value is not None]


def read_source(
    source: Recording | str | os.PathLike,
    *,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: int | str | Sequence[int | str] | None = None,
    text_format: TextFormat | None = None,
    binary_format: BinaryFormat | None = None,
    speed_rpm: float | str | None = None,
    bearing: BearingGeometry | str | None = None,
    speed_range_rpm: tuple[float, float] | None = None,
) -> Recording:
    """The recording that is to be diagnosed, with its speed and bearing.

    Args:
      source: a path, or a recording, which then leaves no room for the options of files.
      sample_rate_hz: of a file, see fdx.data.raw.files.read_raw_file; likewise `variable`, `channel` and `text_format`.
      variable: of a .mat file.
      channel: the channels to keep, in order.
      text_format: how a text file is written.
      binary_format: how a file without header is written.
      speed_rpm: see fdx.predict.condition.with_condition.
      bearing: its geometry, or as fdx.signal.bearings.parse_bearing takes it; None keeps the recording's own.
      speed_range_rpm: where speed_rpm='estimate' looks; None: DEFAULT_RANGE_RPM.

    Raises:
      ConfigError: an option of files beside a recording, or one that cannot be used.
      DataError: what is wrong with the file.
    """
    of_file: dict[str, Any] = {
        'sample_rate_hz': sample_rate_hz,
        'variable': variable,
        'channel': channel,
        'text_format': text_format,
        'binary_format': binary_format,
    }
    check_positive('sample_rate_hz', sample_rate_hz, 'Hz')
    if speed_range_rpm is not None and speed_rpm != ESTIMATE:
        raise ConfigError(f'`speed_range_rpm`={speed_range_rpm} goes with `speed_rpm`={ESTIMATE!r}: leave it out')
    if isinstance(source, Recording):
        if given(of_file):
            names = ', '.join(f'`{name}`' for name in given(of_file))
            raise ConfigError(f'{names}: says how a file is read, but a Recording was given: leave it out')
        recording = source
    elif isinstance(source, str | os.PathLike):
        recording = read_raw_file(source, **of_file)
    else:
        raise ConfigError(f'`source`: the path of a file or a Recording can be diagnosed, not {type(source).__name__}')
    geometry = parse_bearing(bearing) if isinstance(bearing, str) else bearing
    return with_condition(recording, speed_rpm, geometry, speed_range_rpm or DEFAULT_RANGE_RPM)
