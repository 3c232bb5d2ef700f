"""Recordings in LabVIEW measurement files (.lvm); fdx.data.raw.lvm_segments reads their text."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from fdx.data.raw.channels import Channel, Track, of_tracks
from fdx.data.raw.clock import read_clock, round_rate
from fdx.data.raw.lines import read_lines
from fdx.data.raw.lvm_segments import Segment, of_channel, read_segments, read_settings
from fdx.data.raw.signal import StoredSignal
from fdx.data.raw.time import TimeColumn
from fdx.types import DataError


def open_lvm(file: pathlib.Path, channel: Channel | None, *, need_rate: bool) -> StoredSignal:
    """Reads a LabVIEW measurement file.

    Separator, decimal sign and X_Columns are those of its header. The rate is 1 / Delta_X, else that of the column of
    x; the unit is Y_Unit_Label. Several segments of the same channels follow each other; where their X0 does not go on,
    time is missing between them. The file is read as a whole.

    Args:
      file: the file.
      channel: the wanted channels.
      need_rate: whether the file alone must tell the sampling rate.

    Raises:
      DataError: the file is of another kind or damaged (it names row and column), its segments have different channels,
        or the wanted channels have different rates or lengths.
    """
    lines = read_lines(file)
    separator, decimal, columns = read_settings(file, lines)
    segments = list(read_segments(file, lines, separator, decimal, columns))
    first = segments[0]
    for number, segment in enumerate(segments[1:], 2):
        if segment.names != first.names or _steps(segment) != _steps(first):
            raise DataError(
                f'{file}: segment {number} has other channels or another Delta_X than the first; save each in a file'
            )
    rates = [_rate(file, first, i, need_rate=need_rate) for i in range(len(first.names))]
    units = [of_channel(first.header, 'Y_Unit_Label', i) for i in range(len(first.names))]
    tracks, notes = [], []
    if lines[-1].strip():
        notes.append('its last line has no end: it may be cut off inside its last number')
    for i, name in enumerate(_unique(first.names)):
        if 'freq' in of_channel(first.header, 'X_Dimension', i).lower():
            notes.append(f'channel {name} is a spectrum and was left out')
            continue
        values = np.concatenate([segment.values[i] for segment in segments])
        unit = '' if units[i].lower() in ('undefined', 'none') else units[i]
        tracks.append(Track(name, values.size, rates[i], unit, _reader(values)))
    breaks = _breaks(segments)
    if breaks:
        notes.append(
            f'it has {len(segments)} segments, and time is missing between them: first before sample {breaks[0]}'
        )
    stored = of_tracks(file, tracks, channel, rate_origin='Delta_X', notes=notes)
    facts = dataclasses.replace(stored.facts, time_breaks=tuple(breaks))
    return dataclasses.replace(stored, facts=facts, seekable=False)


def _reader(values: np.ndarray) -> Callable[[int, int], np.ndarray]:
    return lambda start, stop: values[start:stop]


def _steps(segment: Segment) -> list[float]:
    return [_number(of_channel(segment.header, 'Delta_X', i)) for i in range(len(segment.names))]


def _number(text: str) -> float:
    try:
        value = float(text.replace(',', '.'))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _rate(file: pathlib.Path, segment: Segment, i: int, *, need_rate: bool) -> float | None:
    step = _steps(segment)[i]
    if step > 0:
        return round_rate(1.0 / step, 1e-5)
    if not segment.times or segment.times[i].size < 2:
        return None
    column = TimeColumn(file, 'X_Value', segment.times[i], lambda index: index + 1, 1.0)
    return read_clock(column, need_rate=need_rate).rate_hz


def _unique(names: Sequence[str]) -> list[str]:
    """Names that repeat are counted: 'Untitled', 'Untitled 2'."""
    out: list[str] = []
    for name in (' '.join(n.split()) or 'channel' for n in names):
        fresh, number = name, 2
        while fresh in out:
            fresh, number = f'{name} {number}', number + 1
        out.append(fresh)
    return out


def _breaks(segments: Sequence[Segment]) -> list[int]:
    """Samples before which time is missing, by X0 and the number of samples of the first channel."""
    breaks, at = [], 0
    for before, after in zip(segments, segments[1:]):
        at += before.values[0].size
        step = _steps(before)[0]
        starts = [_number(of_channel(s.header, 'X0', 0)) for s in (before, after)]
        goes_on = step > 0 and abs(starts[1] - starts[0] - before.values[0].size * step) < 0.5 * step
        if not goes_on:
            breaks.append(at)
    return breaks
