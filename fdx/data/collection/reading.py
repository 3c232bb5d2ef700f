"""The records of a collection's recordings, made by this process or, where it pays, by one per core."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

from fdx.data.builder import AnyRecording, examples_of
from fdx.data.collection.entry import Entry, Shared
from fdx.data.collection.long import long_recording
from fdx.data.collection.own import Surveyed
from fdx.data.collection.read import read_entry
from fdx.data.collection.snippets import examples_of_snippets
from fdx.data.left_out import LeftOut
from fdx.data.long_recording import LONG_VALUES
from fdx.data.prepared import RecordSpec
from fdx.data.processes import cores, in_processes

# Numbers of all recordings (samples times channels) from which on further processes pay for the seconds that they need
# to start, and numbers that a process is given at a time.
MANY_VALUES = 2**25
TASK_VALUES = 2**18


@dataclasses.dataclass(frozen=True)
class Sized:
    """An entry and how much it holds: samples times channels."""

    entry: Entry
    values: float

    @property
    def is_long(self) -> bool:
        """Whether it may have to be read in pieces."""
        return self.values > LONG_VALUES


def sized_entries(looked_at: Surveyed) -> list[Sized]:
    """All entries of a collection with their sizes."""
    found = looked_at.survey
    return [
        Sized(entry, seconds * rate_hz * found.channels)
        for entry, rate_hz, seconds in zip(looked_at.collection.entries, found.rates_hz, found.durations_s)
    ]


def read(of: Sized, shared: Shared) -> AnyRecording:
    """The recording of an entry; a long one is not read yet."""
    long = long_recording(of.entry, shared) if of.is_long else None
    return read_entry(of.entry, shared) if long is None else long


def _examples(of: Sized, shared: Shared, spec: RecordSpec, left_out: LeftOut) -> Iterator[tuple[str, dict]]:
    """The records of one entry."""
    if len(of.entry.files) > 1:
        return examples_of_snippets(of.entry, shared, spec, left_out)
    return examples_of(read(of, shared), spec, left_out)


def examples_of_all(
    entries: Sequence[Sized], shared: Shared, spec: RecordSpec, left_out: LeftOut, workers: int | None
) -> Iterator[tuple[str, dict]]:
    """The records of all entries in their order, the same ones for any number of processes, as (key, example).

    Args:
      entries: the recordings.
      shared: values that all recordings share.
      spec: how recordings become records.
      left_out: takes what is noticed.
      workers: number of processes that read and make records, beside this one, which writes them. None: one per core
        where there is much to do, else 1. With 1, all is done in this process.

    Raises:
      DataError: a recording cannot be used, or a process was ended from outside.
    """
    if workers is None:
        workers = cores() if sum(of.values for of in entries) >= MANY_VALUES else 1
    if workers == 1:
        for of in entries:
            yield from _examples(of, shared, spec, left_out)
        return
    # Processes do the runs of short recordings; long ones are streamed by this process.
    for is_long, run in itertools.groupby(entries, key=lambda of: of.is_long):
        if is_long:
            for of in run:
                yield from _examples(of, shared, spec, left_out)
            continue
        short = list(run)
        tasks = _tasks(short)
        results = in_processes(_made, (short, shared, spec), tasks, min(workers, len(tasks)), _name(short))
        for examples, noticed in results:
            left_out.merge(noticed)
            yield from examples


def _tasks(entries: Sequence[Sized]) -> list[tuple[int, int]]:
    """Half-open ranges of the entries, with some TASK_VALUES numbers each."""
    ends, values = [], 0.0
    for number, of in enumerate(entries):
        values += of.values
        if values >= TASK_VALUES or number == len(entries) - 1:
            ends.append(number + 1)
            values = 0.0
    return list(zip([0, *ends], ends))


def _name(entries: Sequence[Sized]) -> Callable[[tuple[int, int]], str]:
    def name(task: tuple[int, int]) -> str:
        first, last = entries[task[0]].entry, entries[task[1] - 1].entry
        return first.recording if first is last else f'{first.recording} to {last.recording}'

    return name


def _made(known: tuple[Sequence[Sized], Shared, RecordSpec], task: tuple[int, int]) -> tuple[list, LeftOut]:
    """What a process does: the records of some recordings, and what was noticed about them."""
    (entries, shared, spec), left_out = known, LeftOut()
    return [item for of in entries[slice(*task)] for item in _examples(of, shared, spec, left_out)], left_out
