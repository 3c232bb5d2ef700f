"""Finds the recordings that a program's arguments name: files, and the files in folders."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Collection, Sequence

from absl import logging

from fdx.data.raw.built_folder import TABLE, is_built
from fdx.data.raw.files import KNOWN_SUFFIXES
from fdx.predict.folders import search
from fdx.types import ConfigError

MAX_NAMES_SHOWN = 8


def recordings_of(
    names: Sequence[str], *, recursive: bool = False, leave_out: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Files as they are named, and all files of a known format in a folder, sorted by name.

    Everything else in a folder (hidden files, macOS's `._` twins, other suffixes, folders, pipes) is skipped and named
    in one warning.

    Args:
      names: names of files and folders.
      recursive: whether to search the folders in a folder, too.
      leave_out: files and folders that this program writes; they are no recordings.

    Returns:
      (file, '') for each file, and for the table of a folder that bearing-datasets has built; for a folder that cannot
      be listed, (its name, the reason).

    Raises:
      ConfigError: there is no name, a name is empty, or a folder holds no recording.
    """
    found = []
    for name in names:
        if not name:
            raise ConfigError('an argument is empty (an unset variable of the shell?): name a file or a folder')
        if not os.path.isdir(name):  # pathlib's function raises an error for a name that is too long
            found.append((name, ''))
            continue
        if is_built(pathlib.Path(name)):
            found.append((os.path.join(name, TABLE), ''))
            continue
        inside = search(name, recursive=recursive, leave_out=leave_out)
        warn_of_skipped(name, inside.skipped)
        if not inside.files and not inside.closed:
            remedy = '; --recursive searches its folders, too' if inside.has_folders else ''
            raise ConfigError(f'{name} holds no file ending in {", ".join(KNOWN_SUFFIXES)}{remedy}')
        found += [(file, '') for file in inside.files] + inside.closed
    if not found:
        raise ConfigError('no files: name recordings, or a folder of them, after the flags')
    return found


def warn_of_skipped(folder: str, skipped: Sequence[tuple[str, str]]) -> None:
    """One warning that names what a search left out, or none where it left out nothing."""
    if not skipped:
        return
    shown = ', '.join(f'{name} ({why})' for name, why in skipped[:MAX_NAMES_SHOWN])
    more = f' and {len(skipped) - MAX_NAMES_SHOWN} more' if len(skipped) > MAX_NAMES_SHOWN else ''
    logging.warning('%s: skipped %s%s', folder, shown, more)
