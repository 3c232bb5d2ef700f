"""Recordings in many files with time missing between them, such as FEMTO's 0.1 s every 10 s.

Every file is checked, resampled and cut by itself, so that a window may be as long as a file and no filter reaches from
one file into the next. Five files or more are dealt to the five time blocks in their order; of fewer, each has blocks
of its own where it is long enough.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from fdx.data.blocks import NUM_BLOCKS, Windowing, cut_windows
from fdx.data.collection.entry import Entry, Shared
from fdx.data.collection.read import check_same, read_entry
from fdx.data.left_out import LeftOut
from fdx.data.prepared import RecordSpec, prepare_recording
from fdx.data.records import records_of_windows
from fdx.signal.frames import window_starts
from fdx.types import Recording


def examples_of_snippets(
    entry: Entry,
    shared: Shared,
    spec: RecordSpec,
    left_out: LeftOut,
    read: Callable[[Entry, Shared], Recording] = read_entry,
) -> Iterator[tuple[str, dict]]:
    """The records of an entry with several files, as (key, example); one file is in memory at a time.

    Args:
      entry: which recording.
      shared: values that all recordings share.
      spec: how recordings become records.
      left_out: takes what is noticed.
      read: reads the entry of one file; builders of published files check them there.

    Raises:
      DataError: a file cannot be used, is shorter than a window, or has another rate or number of channels than the
        first.
    """
    first, wild, alike = 0, 0, None
    faults: list[str] = []
    notes: list[str] = []
    for number, file in enumerate(entry.files):
        recording = read(dataclasses.replace(entry, files=(file,)), shared)
        same = (str(file), recording.sample_rate_hz, recording.samples.shape[1])
        alike = alike or same
        check_same(entry, [alike, same])
        prepared = prepare_recording(recording, spec)
        num_samples = len(prepared.recording.samples)
        starts, block = _windows(num_samples, spec.windowing, number, len(entry.files))
        found = prepared.faults(starts)
        faults += found
        wild += prepared.usability.wild_samples
        notes += prepared.recording.notes
        yield from records_of_windows(prepared, starts + first, block, found, first)
        first += num_samples
    left_out.count(entry.recording, wild, faults)
    left_out.note(entry.recording, notes)


def _windows(num_samples: int, windowing: Windowing, number: int, files: int) -> tuple[np.ndarray, np.ndarray]:
    """(first samples, blocks) of the windows of file `number`, counted in that file."""
    if files < NUM_BLOCKS:
        return cut_windows(num_samples, windowing)
    starts = window_starts(num_samples, windowing.window_length, windowing.hop_length)
    return starts, np.full(len(starts), number * NUM_BLOCKS // files, np.int32)
