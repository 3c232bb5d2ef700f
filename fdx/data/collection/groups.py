"""Files of one group become one recording: FEMTO's snippets of 0.1 s, or a logger that begins a file every minute."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

from fdx.data.collection.entry import Entry
from fdx.types import DataError

# Everything else must be the same for all files of a group.
_OF_FILE = ('recording', 'files', 'run', 'place')


def merged_groups(entries: Sequence[Entry], groups: Sequence[str], root: pathlib.Path) -> list[Entry]:
    """The entries with those of one group merged into one, whose files are in the order of their names.

    Args:
      entries: one per file.
      groups: name of each entry's group, '' for a file that is a recording by itself.
      root: folder of the collection, for the order of the names.

    Raises:
      DataError: files of a group differ in a value such as label or rate, or are pieces of files.
    """
    del root
    found = [e for e, group in zip(entries, groups) if not group]
    members: dict[str, list[Entry]] = {}
    for entry, group in zip(entries, groups):
        if group:
            members.setdefault(group, []).append(entry)
    for group, files in members.items():
        first = files[0]
        for field in dataclasses.fields(Entry):
            if field.name in _OF_FILE:
                continue
            other = next((e for e in files if repr(getattr(e, field.name)) != repr(getattr(first, field.name))), None)
            if other is not None:
                raise DataError(
                    f'{other.place}: group {group} has {field.name} {getattr(other, field.name)!r} here and '
                    f'{getattr(first, field.name)!r} at {first.place}; files of one group are one recording'
                )
        if len(files) > 1 and (first.start_s or first.stop_s is not None):
            raise DataError(f'{first.place}: group {group} holds pieces of files; leave out start_s and stop_s')
        ordered = sorted((f for e in files for f in e.files), key=lambda path: path.as_posix())
        found.append(dataclasses.replace(first, recording=group, run=group, files=tuple(ordered)))
    return found
