"""Reads the samples of an entry, whole or in pieces."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from fdx.data.collection.entry import NOTHING_SHARED, Entry, Shared
from fdx.data.raw.files import read_raw_file
from fdx.types import DataError, Recording


def read_entry(entry: Entry, shared: Shared = NOTHING_SHARED, channels: Sequence[int | str] | None = None) -> Recording:
    """The recording of an entry: its files one after the other, with what the collection knows of it.

    Args:
      entry: which recording.
      shared: values that all recordings share.
      channels: which channels to keep, in this order; None keeps those that `entry.channel` names, or all.

    Returns:
      The recording. Between the files of a group time is missing, so that no window spans two of them.

    Raises:
      DataError: a file cannot be read, the files of a group differ in rate or channels, or the file is shorter than
        `start_s`.
    """
    parts = [_read_file(entry, file, shared, channels) for file in entry.files]
    recording = parts[0] if len(parts) == 1 else _joined(entry, parts)
    if entry.start_s or entry.stop_s is not None:
        recording = _piece(entry, recording)
    return dataclasses.replace(
        recording,
        recording=entry.recording,
        label=entry.label,
        fault_type=entry.fault_type,
        bearing=bearing_of(entry),
        domain=entry.domain,
        speed_rpm=recording.speed_rpm if math.isnan(entry.speed_rpm) else entry.speed_rpm,
        load=recording.load if math.isnan(entry.load) else entry.load,
        geometry=entry.geometry,
        # Two channels or pieces of one file are one physical run; the guard keeps them in one split.
        acquisition=entry.files[0].as_posix() if len(entry.files) == 1 else entry.recording,
    )


def bearing_of(entry: Entry) -> str:
    """The physical bearing; where it is not known, all recordings of one class and machine may be of the same one."""
    return entry.bearing_id or '-'.join(part for part in (entry.machine, entry.label) if part)


def read_entries(
    entries: Sequence[Entry], shared: Shared = NOTHING_SHARED, channels: Sequence[int | str] | None = None
) -> Iterator[Recording]:
    """`read_entry` of one entry after the other: one recording is in memory at a time."""
    return (read_entry(entry, shared, channels) for entry in entries)


def _read_file(entry: Entry, file: pathlib.Path, shared: Shared, channels: Sequence[int | str] | None) -> Recording:
    channel: str | Sequence[int | str] | None = channels if channels is not None else entry.channel or None
    text = file.suffix.lower() in ('.csv', '.tsv', '.txt')
    return read_raw_file(
        file,
        sample_rate_hz=entry.sample_rate_hz,
        variable=shared.variable if file.suffix.lower() == '.mat' else None,
        channel=channel,
        text_format=shared.text_format if text else None,
    )


def _joined(entry: Entry, parts: Sequence[Recording]) -> Recording:
    first = parts[0]
    for part in parts[1:]:
        for what, here, there in (
            ('a rate of', part.sample_rate_hz, first.sample_rate_hz),
            ('channels', part.samples.shape[1], first.samples.shape[1]),
        ):
            if here != there:
                raise DataError(
                    f'{part.source}: {what} {here} where {first.source} of the same group {entry.recording} has '
                    f'{there}; files of one group are one recording'
                )
    lengths = [len(part.samples) for part in parts]
    starts = np.cumsum([0, *lengths[:-1]])
    breaks = [int(b) + int(start) for part, start in zip(parts, starts) for b in part.time_breaks]
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    return dataclasses.replace(
        first,
        samples=np.concatenate([part.samples for part in parts]),
        time_breaks=tuple(sorted({*breaks, *(int(s) for s in starts[1:])})),
        notes=notes,
        source=f'{first.source} and {len(parts) - 1} more',
    )


def _piece(entry: Entry, recording: Recording) -> Recording:
    rate = recording.sample_rate_hz
    first, stop = round(entry.start_s * rate), len(recording.samples)
    if entry.stop_s is not None:
        stop = min(round(entry.stop_s * rate), stop)
    if first >= stop:
        raise DataError(
            f'{entry.place}: start_s {entry.start_s:g} lies behind the end of {recording.source} '
            f'({recording.duration_s:g} s)'
        )
    breaks = tuple(b - first for b in recording.time_breaks if first < b < stop)
    return dataclasses.replace(recording, samples=recording.samples[first:stop], time_breaks=breaks)
