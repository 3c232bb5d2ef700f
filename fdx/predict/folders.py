"""What of a folder is a recording, and why the rest is not."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Collection

from fdx.data.raw.files import KNOWN_SUFFIXES


@dataclasses.dataclass
class Found:
    """What lies in a folder.

    Attributes:
      files: recordings, sorted by name in each folder.
      skipped: (name, why) of everything else.
      closed: (folder, why) of folders that cannot be listed, as a sentence.
    """

    files: list[str] = dataclasses.field(default_factory=list)
    skipped: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    closed: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    @property
    def has_folders(self) -> bool:
        """Whether folders were skipped."""
        return any(why == 'a folder' for _, why in self.skipped)


def search(folder: str | os.PathLike, *, recursive: bool = False, leave_out: Collection[str] = ()) -> Found:
    """The recordings of a folder: files whose suffix is known and that are not hidden.

    Args:
      folder: where to look.
      recursive: whether to look into its folders, too. Links to folders are not followed, as they may lead in a circle.
      leave_out: absolute names of files and folders that are no recordings, as fdx itself writes them.
    """
    found = Found()
    _search(pathlib.Path(folder), '', recursive, {os.path.abspath(name) for name in leave_out}, found)
    return found


def _search(folder: pathlib.Path, inside: str, recursive: bool, leave_out: Collection[str], found: Found) -> None:
    try:
        entries = sorted(folder.iterdir())
    except OSError as e:
        found.closed.append((str(folder), f'{folder} cannot be listed: {e.strerror or e}; check its permissions'))
        return
    for path in entries:
        why = 'fdx writes it' if os.path.abspath(path) in leave_out else _why_skipped(path, recursive)
        name = os.path.join(inside, path.name)
        if why:
            found.skipped.append((name, why))
        elif recursive and path.is_dir():
            _search(path, name, recursive, leave_out, found)
        else:
            found.files.append(str(path))


def _why_skipped(path: pathlib.Path, recursive: bool) -> str:
    if path.name.startswith('.'):
        return 'hidden'
    if path.is_dir():
        if not recursive:
            return 'a folder'
        return 'a link to a folder' if path.is_symlink() else ''
    if path.suffix.lower() not in KNOWN_SUFFIXES:
        return 'another suffix'
    # A broken link was meant to be a recording, so it is kept and the reader reports it.
    return '' if path.is_file() or path.is_symlink() else 'no regular file'
