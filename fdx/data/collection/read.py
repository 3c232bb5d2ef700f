"""Reads the samples of an entry, whole or in pieces."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.data.collection.entry import NOTHING_SHARED, Entry, Shared
from fdx.data.left_out import warnings_kept_back
from fdx.data.raw.files import read_raw_file
from fdx.data.raw.request import BINARY_SUFFIXES, TABLE_SUFFIXES, VARIABLE_SUFFIXES
from fdx.types import DataError, Recording

# The logger of the readers, whose warnings are also notes of the recording.
READERS = read_raw_file.__module__


def read_entry(entry: Entry, shared: Shared = NOTHING_SHARED, **piece: Any) -> Recording:
    """The recording of an entry: its files one after the other, with what the collection knows of it.

    Args:
      entry: which recording.
      shared: values that all recordings share.
      **piece: `start_s` and `stop_s` of a part of a recording in a single file, counted from the entry's own start.

    Returns:
      The recording. Between the files of a group time is missing, so that no window spans two of them. What the readers
      noticed is in its notes and not logged, because it is often the same for thousands of files.

    Raises:
      DataError: a file cannot be read, the files of a group differ in rate or channels, or the file is shorter than
        `start_s`.
    """
    with warnings_kept_back(READERS):
        parts = [read_raw_file(file, **options_of(entry, file, shared, **piece)) for file in entry.files]
    return with_entry(parts[0] if len(parts) == 1 else joined(entry, parts), entry)


def with_entry(recording: Recording, entry: Entry) -> Recording:
    """A recording as its reader gives it, with what the collection knows of it."""
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
        source=entry.place if entry.variable else recording.source,
        # Two channels or pieces of one file are one physical run; the guard keeps them in one split.
        acquisition=entry.run or entry.recording,
    )


def options_of(
    entry: Entry, file: pathlib.Path, shared: Shared, start_s: float = 0.0, stop_s: float | None = None
) -> dict[str, Any]:
    """Options of `fdx.data.raw.files.read_raw_file` for one file of an entry; those of other formats are left out."""
    suffix = file.suffix.lower()
    stops = [stop for stop in (entry.stop_s, None if stop_s is None else entry.start_s + stop_s) if stop is not None]
    options = {
        'sample_rate_hz': entry.sample_rate_hz,
        'channel': entry.channel or None,
        'start_s': entry.start_s + start_s or None,
        'stop_s': min(stops, default=None),
        'variable': entry.variable or (shared.variable if suffix in VARIABLE_SUFFIXES else None),
        'text_format': shared.text_format if suffix in TABLE_SUFFIXES else None,
        'binary_format': shared.binary_format if suffix in BINARY_SUFFIXES else None,
    }
    return {name: value for name, value in options.items() if value is not None}


def bearing_of(entry: Entry) -> str:
    """The physical bearing; where it is not known, all recordings of one class and machine may be of the same one."""
    return entry.bearing_id or '-'.join(part for part in (entry.machine, entry.label) if part)


def joined(entry: Entry, parts: Sequence[Recording]) -> Recording:
    """The files of a group end to end, with time missing between them.

    Raises:
      DataError: they differ in rate or channels.
    """
    check_same(entry, [(part.source, part.sample_rate_hz, part.samples.shape[1]) for part in parts])
    first = parts[0]
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


def check_same(entry: Entry, files: Sequence[tuple[str, float | None, int]]) -> None:
    """Refuses a group whose files (source, rate, number of channels) are not of one recording."""
    first = files[0]
    for source, rate, channels in files[1:]:
        for what, here, there in (('a rate of', rate, first[1]), ('channels', channels, first[2])):
            if here != there:
                raise DataError(
                    f'{source}: {what} {here} where {first[0]} of the same group {entry.recording} has {there}; files '
                    'of one group are one recording'
                )
