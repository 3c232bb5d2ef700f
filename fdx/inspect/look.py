"""Looks at every recording of a collection once, one in memory at a time."""

from __future__ import annotations

import dataclasses
import logging
import math
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from fdx.data.collection.entry import Collection, Entry
from fdx.data.collection.read import read_entry
from fdx.data.fingerprint import SIZE, fingerprint
from fdx.data.raw.files import TEXT_SUFFIXES
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.measure import measure
from fdx.signal.shaft_speed import estimate_speed
from fdx.types import FdxError, Recording

if TYPE_CHECKING:
    from fdx.data.long_recording import LongRecording

_log = logging.getLogger(__name__)
Progress = Callable[[Iterable], Iterable]
# Pieces whose landmarks are kept: of a second each, or longer ones of long recordings.
PIECE_S, MAX_PIECES = 1.0, 64
# Recordings of more numbers (samples times channels) are measured in parts, where their format allows it.
LONG_VALUES, LARGE_BYTES = 2**24, 2**23
PARTS, PART_S = 8, 30.0
# A speed is estimated of so many recordings, spread evenly, and of so much of each.
MAX_ESTIMATES, ESTIMATE_S = 40, 30.0
# Range of the estimate around the stated speed.
LOW, HIGH = 1 / 1.5, 1.6


@dataclasses.dataclass(frozen=True)
class Look:
    """What is kept of a recording.

    Attributes:
      facts: its numbers.
      starts: int64 [M], first sample of each piece.
      length: samples of a piece.
      landmarks: int64 [M, 32], of the pieces (fdx.data.fingerprint).
    """

    facts: RecordingFacts
    starts: np.ndarray
    length: int
    landmarks: np.ndarray


def look_at_all(collection: Collection, progress: Progress = lambda entries: entries) -> Iterator[Look]:
    """A look at every entry, in their order. A file that cannot be read has its error in `facts.error`."""
    entries = collection.entries
    with_speed = [i for i, e in enumerate(entries) if not math.isnan(e.speed_rpm)]
    step = max(1, math.ceil(len(with_speed) / MAX_ESTIMATES))
    estimated = set(with_speed[::step])
    for i, entry in enumerate(progress(entries)):
        yield look_at(entry, collection, estimate=i in estimated or (not with_speed and i < MAX_ESTIMATES))


def look_at(entry: Entry, collection: Collection, *, estimate: bool = False) -> Look:
    """Reads and measures one entry.

    Args:
      entry: the recording.
      collection: of which it is.
      estimate: whether its speed is estimated, where one is stated.
    """
    facts = _stated(entry)
    try:
        facts = dataclasses.replace(facts, rate_from=_rate_from(entry, collection))
        long = _long(entry, collection) if _is_large(entry) else None
        if long is None:
            found = look_at_recording(read_entry(entry, collection.shared), facts, estimate)
            # Between the files of a group time is missing by intention.
            breaks = max(0, found.facts.breaks - len(entry.files) + 1)
            return dataclasses.replace(found, facts=dataclasses.replace(found.facts, breaks=breaks))
        found = look_at_recording(parts_of(long), facts, estimate)
        note = f'{PARTS} parts of {PART_S:g} s were measured, spread evenly over the recording'
        notes = (*found.facts.notes, note)
        more = dataclasses.replace(found.facts, samples=long.num_samples, breaks=0, notes=notes)
        return dataclasses.replace(found, facts=more)
    except FdxError as e:
        return unusable(dataclasses.replace(facts, error=str(e)))
    except Exception as e:
        # A defect of fdx or of a library must not end the survey of the other files.
        _log.debug('%s', entry.recording, exc_info=True)
        reason = f'{type(e).__name__}: {" ".join(str(e).split())[:300]}'
        return unusable(dataclasses.replace(facts, error=f'{entry.files[0]} cannot be inspected ({reason})'))


def look_at_recording(recording: Recording, facts: RecordingFacts, estimate: bool = False) -> Look:
    """Measures a recording that was read."""
    found = measure(recording, facts)
    if found.error:
        return unusable(found)
    if estimate and found.speed_rpm > 0:
        found = dataclasses.replace(found, estimate_rpm=_estimate(recording))
    x = recording.samples
    length = max(round(PIECE_S * recording.sample_rate_hz), math.ceil(len(x) / MAX_PIECES), 1)
    # The last piece may be short; a rest below half a piece is left out.
    starts = np.arange(0, max(len(x) - length // 2, 1), length, dtype=np.int64)
    landmarks = np.stack([fingerprint(x[s : s + length]) for s in starts])
    return Look(found, starts, length, landmarks)


def unusable(facts: RecordingFacts) -> Look:
    """The look at a recording without samples that can be used."""
    return Look(facts, np.zeros(0, np.int64), 1, np.zeros((0, SIZE), np.int64))


def parts_of(long: LongRecording) -> Recording:
    """PARTS parts of a recording that is too long to be measured whole, with time missing between them."""
    length = min(round(PART_S * long.about.sample_rate_hz), long.num_samples // PARTS)
    starts = np.linspace(0, long.num_samples - length, PARTS).astype(int)
    parts = [long.read(int(start), int(start) + length) for start in starts]
    breaks = {i * length + b for i, part in enumerate(parts) for b in part.time_breaks}
    breaks |= {i * length for i in range(1, PARTS)}
    return dataclasses.replace(
        long.about,
        samples=np.concatenate([part.samples for part in parts]),
        time_breaks=tuple(sorted(breaks)),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _long(entry: Entry, collection: Collection) -> LongRecording | None:
    # It comes with TFDS, which takes seconds to import and is not needed for anything else here.
    from fdx.data.collection.long import long_recording  # noqa: PLC0415

    return long_recording(entry, collection.shared, LONG_VALUES)


def _is_large(entry: Entry) -> bool:
    """Whether the files may hold too much to be measured whole: only then their lengths are asked for first."""
    return sum(file.stat().st_size for file in entry.files if file.is_file()) > LARGE_BYTES


def _stated(entry: Entry) -> RecordingFacts:
    file = entry.files[0]
    return RecordingFacts(
        recording=entry.recording,
        label=entry.label,
        fault_type=entry.fault_type,
        machine=entry.machine,
        bearing=entry.bearing_id,
        domain=entry.domain,
        split=entry.split,
        speed_rpm=entry.speed_rpm,
        load=entry.load,
        geometry=entry.geometry,
        format=file.suffix.lower().lstrip('.'),
        modified_s=_modified_s(file),
    )


def _modified_s(file: pathlib.Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return math.nan


def _rate_from(entry: Entry, collection: Collection) -> str:
    """Where a rate comes from, in words."""
    if entry.sample_rate_hz is not None:
        return 'given for all' if entry.sample_rate_hz == collection.shared.sample_rate_hz else 'manifest'
    suffix = entry.files[0].suffix.lower()
    return {'.wav': 'header', '.mat': 'variable'}.get(suffix, 'clock' if suffix in TEXT_SUFFIXES else 'file')


def _estimate(recording: Recording) -> float:
    """The speed that stands out around the stated one; NaN where none does."""
    stated, count = recording.speed_rpm, round(ESTIMATE_S * recording.sample_rate_hz)
    breaks = tuple(b for b in recording.time_breaks if b < count)
    part = dataclasses.replace(recording, samples=recording.samples[:count], time_breaks=breaks)
    try:
        return estimate_speed(part, LOW * stated, HIGH * stated).speed_rpm
    except FdxError:
        return math.nan
