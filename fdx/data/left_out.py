"""What was left out of a dataset's recordings, and what was noticed about them; told once per kind, not per file."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sequence

from fdx.data.prepared import Prepared
from fdx.signal.usable import counted

# Notes that differ in numbers only are of one kind.
_NUMBER = re.compile(r'-?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?')


class LeftOut:
    """Counts the windows and samples of a dataset's recordings that were not written, and keeps notes on them."""

    def __init__(self) -> None:
        """Nothing is left out yet."""
        self._windows: dict[str, int] = {}
        self._wild: dict[str, int] = {}
        # Kind of note -> (first recording, its note, how many recordings have such a note).
        self._notes: dict[str, tuple[str, str, int]] = {}
        self._short: list[tuple[str, float]] = []

    def add(self, prepared: Prepared, faults: Sequence[str]) -> None:
        """Counts windows by their faults (see `Prepared.faults`); a recording may be added once per split."""
        self.count(prepared.recording.recording, prepared.usability.wild_samples, faults)

    def count(self, name: str, wild_samples: int, faults: Sequence[str]) -> None:
        """Counts the wild samples of a recording and its windows by their faults, '' for those that can be used."""
        found = counted(list(faults))
        self._wild[name] = wild_samples
        for fault, count in found.items():
            self._windows[fault] = self._windows.get(fault, 0) + count
        if found:
            words = ', '.join(f'{n} {fault}' for fault, n in found.items())
            self.note(name, [f'{sum(found.values())} of {len(faults)} windows are left out: {words}'])

    def note(self, name: str, notes: Sequence[str]) -> None:
        """Keeps what was noticed about a recording, one sentence each."""
        for kind in dict.fromkeys(_NUMBER.sub('#', note) for note in notes):
            note = next(n for n in notes if _NUMBER.sub('#', n) == kind)
            self._add_note(kind, name, note, 1)

    def short(self, name: str, seconds: float) -> None:
        """Keeps that a recording is too short for the five time blocks."""
        self._short.append((name, seconds))

    def merge(self, other: LeftOut) -> None:
        """Adds what another process counted of the recordings that follow."""
        for fault, count in other._windows.items():
            self._windows[fault] = self._windows.get(fault, 0) + count
        self._wild.update(other._wild)
        for kind, (name, note, count) in other._notes.items():
            self._add_note(kind, name, note, count)
        self._short += other._short

    def metadata(self) -> dict:
        """The counts for a dataset's metadata, JSON-able."""
        return {
            'left_out_windows': dict(sorted(self._windows.items())),
            'wild_samples': sum(self._wild.values()),
        }

    def sentences(self) -> list[str]:
        """One sentence for each kind of note."""
        total = len(self._wild)
        found = [
            f'{name}: {note}' if count == 1 else f'{count} of {total} recordings, e.g. {name}: {note}'
            for name, note, count in self._notes.values()
        ]
        if self._short:
            name, seconds = self._short[0]
            words = f'{name} lasts {seconds:.2f} s: too short for blocks, block -1'
            found.append(words if len(self._short) == 1 else f'{len(self._short)} of {total} recordings, e.g. {words}')
        return found

    def _add_note(self, kind: str, name: str, note: str, count: int) -> None:
        first, text, before = self._notes.get(kind, (name, note, 0))
        self._notes[kind] = (first, text, before + count)


@contextlib.contextmanager
def warnings_kept_back(*loggers: str) -> Iterator[None]:
    """The loggers give no warnings meanwhile: what they say is in the notes, too, which are told once per kind."""

    def silent(record: logging.LogRecord) -> bool:
        return record.levelno != logging.WARNING

    for name in loggers:
        logging.getLogger(name).addFilter(silent)
    try:
        yield
    finally:
        for name in loggers:
            logging.getLogger(name).removeFilter(silent)
