"""Finds the recordings that a program's arguments name: files, and the files in folders."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

from absl import logging

from fdx.data.raw.files import KNOWN_SUFFIXES
from fdx.types import ConfigError

MAX_NAMES_SHOWN = 8


def recordings_of(names: Sequence[str]) -> list[tuple[str, str]]:
    """Files as they are named, and all files of a known format in a folder, sorted by name.

    Everything else in a folder (hidden files, macOS's `._` twins, other suffixes, folders, pipes) is skipped and named
    in one warning.

    Args:
      names: names of files and folders.

    Returns:
      (file, '') for each file; for a folder that cannot be listed, (its name, the reason).

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
        try:
            inside = sorted(pathlib.Path(name).iterdir())
        except OSError as e:
            found.append((name, f'{name} cannot be listed: {e.strerror or e}; check its permissions'))
            continue
        skipped = [(p.name, _why_skipped(p)) for p in inside]
        files = [str(p) for p, (_, why) in zip(inside, skipped) if not why]
        _warn(name, [(p, why) for p, why in skipped if why])
        if not files:
            raise ConfigError(f'{name} holds no file ending in {", ".join(KNOWN_SUFFIXES)}')
        found += [(file, '') for file in files]
    if not found:
        raise ConfigError('no files: name recordings, or a folder of them, after the flags')
    return found


def _why_skipped(path: pathlib.Path) -> str:
    if path.name.startswith('.'):
        return 'hidden'
    if path.is_dir():
        return 'a folder'
    if path.suffix.lower() not in KNOWN_SUFFIXES:
        return 'another suffix'
    # A broken link was meant to be a recording, so it is kept and the reader reports it.
    return '' if path.is_file() or path.is_symlink() else 'no regular file'


def _warn(folder: str, skipped: Sequence[tuple[str, str]]) -> None:
    if not skipped:
        return
    shown = ', '.join(f'{name} ({why})' for name, why in skipped[:MAX_NAMES_SHOWN])
    more = f' and {len(skipped) - MAX_NAMES_SHOWN} more' if len(skipped) > MAX_NAMES_SHOWN else ''
    logging.warning('%s: skipped %s%s', folder, shown, more)
