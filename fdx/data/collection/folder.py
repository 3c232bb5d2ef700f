"""Finds recordings in folders: a folder per class (`FOLDER/inner_race/*.csv`), as deep as the user nests them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

from fdx.data.raw.files import KNOWN_SUFFIXES
from fdx.types import DataError


def find_files(root: pathlib.Path) -> tuple[list[pathlib.Path], list[tuple[str, str]]]:
    """All recordings below a folder, and what else lies there.

    Hidden files and folders, macOS's `._` twins, other suffixes, pipes and devices are passed over. A link to a folder
    is followed once, so that a circle of links ends.

    Returns:
      (files sorted by their path below `root`, [(path below `root`, why it is no recording)]).

    Raises:
      DataError: the folder does not exist or cannot be listed.
    """
    if not root.is_dir():
        raise DataError(f'{root} is not a folder; check the path')
    files, ignored = [], []
    for path in _walk(root):
        why = _why_ignored(path)
        if why:
            ignored.append((path.relative_to(root).as_posix(), why))
        else:
            files.append(path)
    return sorted(files, key=lambda p: p.relative_to(root).as_posix()), ignored


def labels_of_folders(root: pathlib.Path, files: list[pathlib.Path]) -> dict[pathlib.Path, str]:
    """The class of every file: the name of the folder directly below `root` that holds it.

    A class may have folders of its own (`inner_race/monday/1.csv`). Files directly in `root` have no class.

    Returns:
      file -> class name; '' for all files where no file lies in a sub-folder.

    Raises:
      DataError: some files lie in folders of classes and others directly in `root`.
    """
    of_file = {f: (f.relative_to(root).parts[0] if f.parent != root else '') for f in files}
    loose = [f for f, label in of_file.items() if not label]
    if loose and len(loose) < len(files):
        raise DataError(
            f'{root}: {len(loose)} files lie beside the folders of the classes, e.g. {loose[0].name}; move them into '
            'the folder of their class, or describe the files in a manifest'
        )
    return of_file


def _walk(root: pathlib.Path) -> Iterator[pathlib.Path]:
    seen = set()

    def refuse(e: OSError) -> None:
        raise DataError(f'{e.filename or root} cannot be listed: {e.strerror or e}; check its permissions') from e

    for folder, folders, names in os.walk(root, followlinks=True, onerror=refuse):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith('.'))
        yield from (pathlib.Path(folder) / name for name in sorted(names))


def _why_ignored(path: pathlib.Path) -> str:
    if path.name.startswith('.'):
        return 'hidden'
    if path.suffix.lower() not in KNOWN_SUFFIXES:
        return 'another suffix'
    # A broken link was meant to be a recording, so it is kept and reading it reports the fault.
    return '' if path.is_file() or path.is_symlink() else 'no regular file'
