"""Published recordings that the user has fetched: finds their files by name and reads them, each as it must be."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Iterable, Sequence

from fdx.data.collection.entry import NOTHING_SHARED, Entry, Shared
from fdx.data.collection.read import read_entry
from fdx.types import DataError, Recording

_NAMED = 5


@dataclasses.dataclass(frozen=True)
class Published:
    """What is known of a published dataset's files before they are read.

    Attributes:
      title: its name, for messages.
      url: where users find it.
      folders: where its files lie below the folder that users name; '' is that folder itself. The first that holds one
        of the files counts.
      sample_rate_hz: the rate of every file.
      num_samples: samples of every file, None where they differ.
      channels: channels of every file.
      known_notes: beginnings of what readers note about every one of these files; users need not see them again.
      shared: how the files are written.
    """

    title: str
    url: str
    folders: tuple[str, ...]
    sample_rate_hz: float
    num_samples: int | None
    channels: int
    known_notes: tuple[str, ...] = ()
    shared: Shared = NOTHING_SHARED

    def folder(self, manual_dir: str | os.PathLike | None, names: Iterable[str]) -> pathlib.Path | None:
        """The folder that holds at least one of the files, None where there is no such folder."""
        if manual_dir is None:
            return None
        places = [pathlib.Path(manual_dir) / place for place in self.folders]
        wanted = set(names)
        return next((p for p in places if p.is_dir() and any(name in wanted for name in os.listdir(p))), None)

    def missing(self, names: Sequence[str], manual_dir: str | os.PathLike | None) -> DataError:
        """The error where files are not there: it names the first of them, the places and the remedy."""
        shown = ', '.join(names[:_NAMED]) + (f' and {len(names) - _NAMED} more' if len(names) > _NAMED else '')
        where = 'a folder and name it with `manual_dir`' if manual_dir is None else f'`manual_dir`={manual_dir}'
        below = ', '.join(f'{place}/' for place in self.folders if place)
        absent = '' if manual_dir is None or pathlib.Path(manual_dir).is_dir() else ' (this folder does not exist)'
        return DataError(
            f'{self.title}: files are missing: {shown}. Fetch them from {self.url} and put them into {where}{absent}, '
            f'or into {below} below it'
        )

    def read(self, entry: Entry, shared: Shared | None = None) -> Recording:
        """The recording of an entry, checked against what is known of these files.

        Args:
          entry: which recording.
          shared: as for `read_entry`; None: this dataset's.

        Raises:
          DataError: the file cannot be read, or has another rate, length or number of channels.
        """
        recording = read_entry(entry, self.shared if shared is None else shared)
        self._check(recording, entry)
        notes = tuple(note for note in recording.notes if not note.startswith(self.known_notes))
        return dataclasses.replace(recording, notes=notes)

    def _check(self, recording: Recording, entry: Entry) -> None:
        samples, channels = recording.samples.shape
        chosen = len(entry.channel.split(',')) if entry.channel else self.channels
        pairs = (
            ('a rate of {:g} Hz', recording.sample_rate_hz, self.sample_rate_hz),
            ('{} samples', samples, samples if self.num_samples is None else self.num_samples * len(entry.files)),
            ('{} channels', channels, chosen),
        )
        for words, found, known in pairs:
            if found != known:
                raise DataError(
                    f'{entry.files[0]}: it has {words.format(found)}, but the files of {self.title} have '
                    f'{words.format(known)}; replace it by a fresh copy from {self.url}'
                )
