"""What a user hands over to be diagnosed: the path of a file or a Recording, with what is known about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.files import read_raw_file
from fdx.data.raw.text import TextFormat
from fdx.predict.condition import ESTIMATE, check_positive, with_condition
from fdx.signal.bearings import BearingGeometry, parse_bearing
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM
from fdx.types import ConfigError, DataError, Recording


def given(options: Mapping[str, Any]) -> list[str]:
    """Names of the options that say something, in order."""
    return [name for name, value in options.items() if value is not None]


def read_source(
    source: Recording | np.ndarray | str | os.PathLike,
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
      source: a path; or a recording, which then leaves no room for the options of files; or real samples [T] or [T, C],
        which need `sample_rate_hz`.
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
    elif isinstance(source, np.ndarray):
        recording = _of_array(source, of_file)
    elif isinstance(source, str | os.PathLike):
        recording = read_raw_file(source, **of_file)
    else:
        raise ConfigError(
            '`source`: the path of a file, a Recording or an array of samples can be diagnosed, not '
            f'{type(source).__name__}'
        )
    geometry = parse_bearing(bearing) if isinstance(bearing, str) else bearing
    return with_condition(recording, speed_rpm, geometry, speed_range_rpm or DEFAULT_RANGE_RPM)


def _of_array(samples: np.ndarray, of_file: Mapping[str, Any]) -> Recording:
    """A Recording of samples [T] or [T, C] that the caller holds in memory.

    Raises:
      ConfigError: no rate, an option of files, or a channel that is not there.
      DataError: an array of another shape or of values that are not real numbers.
    """
    rate_hz, channel = of_file['sample_rate_hz'], of_file['channel']
    if rate_hz is None:
        raise ConfigError('an array does not tell its sampling rate; pass `sample_rate_hz` in Hz')
    unread = [name for name in given(of_file) if name not in ('sample_rate_hz', 'channel')]
    if unread:
        names = ', '.join(f'`{name}`' for name in unread)
        raise ConfigError(f'{names}: says how a file is read, but an array was given: leave it out')
    if samples.ndim not in (1, 2) or samples.dtype.kind not in 'fiu':
        raise DataError(
            f'an array of {samples.dtype} {list(samples.shape)}: samples are real numbers [T], or [T, C] of C channels'
        )
    table = samples.reshape(len(samples), -1)
    if channel is not None:
        wanted = [channel] if isinstance(channel, int | str) else list(channel)
        known = [c for c in wanted if isinstance(c, int) and 0 <= c < table.shape[1]]
        if len(known) < len(wanted):
            raise ConfigError(f'`channel`={channel}: the array has the channels 0 to {table.shape[1] - 1}')
        table = table[:, known]
    return Recording(table, float(rate_hz), recording='array', label='', fault_type='', bearing='', domain='')
