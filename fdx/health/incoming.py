"""Which recordings the files hold that a monitor scores, and what is known of each."""

from __future__ import annotations

import dataclasses
import os

from fdx.data.collection.collect import entry_of_file, open_collection
from fdx.data.collection.entry import Entry
from fdx.data.collection.spec import CollectionSpec
from fdx.health.dates import in_time
from fdx.health.known import Known
from fdx.health.parts import PartReader, cut, part_of
from fdx.types import ConfigError, DataError, FdxError, Recording


class Incoming:
    """Files as the healthy recordings were read, with what is known better."""

    def __init__(self, spec: CollectionSpec, known: Known):
        """Args: how the healthy recordings were read; what is known of those that come."""
        self._spec, self._known = spec, known
        self._reader = PartReader(spec.shared)

    def entry(self, path: str | os.PathLike) -> Entry:
        """What the name of a file, the baseline and the user tell of it.

        Raises:
          DataError: there is no such file, or its name does not follow the pattern of the healthy recordings.
        """
        try:
            found = entry_of_file(path, self._spec)
        except DataError:
            # What the name does not tell was said otherwise.
            if self._known.speed_rpm is None and self._known.load is None:
                raise
            found = entry_of_file(path, dataclasses.replace(self._spec, pattern=''))
        return self._known.of(found)

    def known_better(self, entry: Entry) -> Entry:
        """What a manifest tells of a recording, with what the user knows better."""
        return self._known.of(entry)

    def part(self, entry: Entry) -> str:
        """What tells a recording from others of its file; '' for a whole file."""
        return part_of(entry, self._spec.shared)

    def read(self, entry: Entry) -> Recording:
        """Reads a recording; DataError where it cannot be read."""
        return self._reader.read(entry)

    def recordings(self, file: str | os.PathLike) -> list[Entry | None]:
        """The recordings of a file: the whole (None), or its stretches of `cut_s` seconds.

        A file that cannot be read is one recording, whose row says why.
        """
        if self._known.cut_s is None:
            return [None]
        try:
            parts = cut(self.entry(file), self._spec.shared, self._known.cut_s)
        except FdxError:
            return [None]
        return list(parts)

    def last_part(self, file: str | os.PathLike) -> str:
        """What tells the last recording of a file from the others."""
        last = self.recordings(file)[-1]
        try:
            return self.part(self.entry(file) if last is None else last)
        except FdxError:
            return ''

    def manifest(self, source: str | os.PathLike) -> list[Entry]:
        """The recordings that a manifest names, with their speeds and loads, in the order of time.

        Raises:
          DataError: the manifest cannot be used.
          ConfigError: a row names several files: a row of the history is about one.
        """
        spec = dataclasses.replace(self._spec, source=os.fspath(source), pattern='', labels=())
        entries = list(open_collection(spec).entries)
        for entry in entries:
            if len(entry.files) != 1:
                raise ConfigError(
                    f'{entry.place}: {len(entry.files)} files of one group cannot be monitored as one recording; leave '
                    'the column group out, or join the files'
                )
        # A slash in the name of a signal is none of a folder.
        names = [f'{entry.files[0]}:{self.part(entry).replace("/", " ")}' for entry in entries]
        return [entries[i] for i in in_time(names)]
