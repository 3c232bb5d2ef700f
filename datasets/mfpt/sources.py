"""Finds the MFPT files in the user's folder, or extracts them from the society's archive."""

from __future__ import annotations

import contextlib
import logging
import os
import pathlib
import uuid
import zipfile
import zlib
from collections.abc import Callable, Sequence

from fdx.data.download import download
from fdx.types import DataError

from .files import ARCHIVE_URL, MIRROR_URL, MfptFile, Subset
from .reader import load

FOLDER = 'mfpt'
ARCHIVE = ARCHIVE_URL.rpartition('/')[2]
# Files have 1 to 5 MB, so a member that claims more than this is not a recording.
MAX_MEMBER_BYTES = 64 << 20
# RuntimeError: a member under a password; NotImplementedError: a compression that Python does not know.
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
_log = logging.getLogger(__name__)


def resolve_files(
    subset: Subset,
    manual_dir: str | os.PathLike | None,
    download_dir: str | os.PathLike | None,
    *,
    url: str = ARCHIVE_URL,
    downloader: Callable[..., pathlib.Path] = download,
) -> dict[str, pathlib.Path]:
    """Finds every file of a subset on disk, fetching the archive if any is missing.

    NAME.mat is searched in `manual_dir`, in manual_dir/mfpt and in every folder below (an unpacked archive), then in
    `download_dir` and download_dir/mfpt. Missing files are extracted from the archive: the user's, if it is in one
    of these places, otherwise that of `url`, which is fetched once to download_dir/mfpt. Files are found by their names
    in any folder of the archive; they go to download_dir/mfpt and are kept only if they agree with the table.

    Args:
      subset: the files.
      manual_dir: folder of files that the user has put there, or None.
      download_dir: folder of fetched files, or None: nothing is fetched or unpacked.
      url: address of the archive.
      downloader: called as downloader(url, target, looks_right=...), like fdx.data.download.download.

    Returns:
      {stem of the file: path}, in the subset's order.

    Raises:
      DataError: some files are missing and cannot be fetched; the text names all of them, the first reason and both
        remedies.
    """
    manual, downloads = _places(manual_dir), _places(download_dir)
    found = {file.stem: _find(file.name, manual) for file in subset.files}
    below = _files_below(manual_dir, {file.name for file in subset.files if found[file.stem] is None})
    for file in subset.files:
        found[file.stem] = found[file.stem] or below.get(file.name) or _find(file.name, downloads)
    reason = 'no download folder is given'
    if download_dir is not None:
        reason = _complete(subset, found, _find(ARCHIVE, manual + downloads), downloads[-1], url, downloader)
    missing = [file for file in subset.files if found[file.stem] is None]
    if missing:
        raise DataError(_missing_text(subset, missing, manual_dir, url, reason))
    return found


def _places(folder: str | os.PathLike | None) -> list[pathlib.Path]:
    return [] if folder is None else [pathlib.Path(folder), pathlib.Path(folder) / FOLDER]


def _find(name: str, places: Sequence[pathlib.Path]) -> pathlib.Path | None:
    return next((place / name for place in places if (place / name).is_file()), None)


def _files_below(root: str | os.PathLike | None, names: set[str]) -> dict[str, pathlib.Path]:
    """Paths of the named files below a folder; if a name occurs twice, the first in the order of folders counts."""
    paths: dict[str, pathlib.Path] = {}
    if root is None or not names:
        return paths
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in names.intersection(files):
            path = pathlib.Path(folder) / name
            if path.is_file():  # A dangling link is not a file.
                paths.setdefault(name, path)
    return paths


def _complete(
    subset: Subset,
    found: dict[str, pathlib.Path | None],
    archive: pathlib.Path | None,
    folder: pathlib.Path,
    url: str,
    downloader: Callable[..., pathlib.Path],
) -> str:
    """Extracts the files that are None in `found`, in place; returns the reason of the first failure, or ''."""
    missing = [file for file in subset.files if found[file.stem] is None]
    if not missing:
        return ''
    try:
        if archive is None:
            _log.info('fetching %s', url)
            archive = downloader(url, folder / ARCHIVE, looks_right=_complaint)
    except DataError as error:
        return str(error)
    return _unpack(archive, missing, found, folder)


def _complaint(path: pathlib.Path) -> str | None:
    """What is wrong with a fetched archive, or None."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except _ZIP_ERRORS as error:
        return f'it is not a whole zip archive ({type(error).__name__}: {error})'
    return None if broken is None else f'its member {broken!r} is damaged'


def _unpack(
    path: pathlib.Path, files: list[MfptFile], found: dict[str, pathlib.Path | None], folder: pathlib.Path
) -> str:
    """Extracts files from an archive and enters them in `found`; returns the reason of the first failure, or ''."""
    reason = ''
    try:
        with zipfile.ZipFile(path) as archive:
            # Only the base name of a member is used, so no member can be written outside `folder`.
            members = {m.filename.replace('\\', '/').rpartition('/')[2]: m for m in reversed(archive.infolist())}
            for file in files:
                member = members.get(file.name)
                if member is None:
                    reason = reason or f'{path} holds no {file.name}'
                    continue
                try:
                    found[file.stem] = _take_out(archive, member, file, folder)
                except DataError as error:
                    reason = reason or f'{file.name} in {path}: {error}'
    except _ZIP_ERRORS as error:
        return reason or f'{path} cannot be unpacked ({type(error).__name__}: {error}): remove or replace it'
    return reason


def _take_out(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: MfptFile, folder: pathlib.Path) -> pathlib.Path:
    """Writes one member to folder/NAME.mat; it gets this name only after it was read as a recording."""
    if member.file_size > MAX_MEMBER_BYTES:
        raise DataError(f'{member.file_size} bytes are too many for a recording')
    try:
        content = archive.read(member)
    except _ZIP_ERRORS as error:
        raise DataError(f'it is damaged ({type(error).__name__}: {error}); replace the archive') from error
    part = folder / f'{file.name}.{uuid.uuid4().hex[:8]}.part'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        load(part, file)
        return part.replace(folder / file.name)
    except OSError as error:
        raise DataError(f'cannot write to {folder}: {error}; free some space or choose another folder') from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _missing_text(
    subset: Subset, missing: list[MfptFile], manual_dir: str | os.PathLike | None, url: str, reason: str
) -> str:
    names = ', '.join(file.name for file in missing)
    folder = 'a folder and name it with `manual_dir`' if manual_dir is None else f'`manual_dir`={manual_dir}'
    absent = '' if manual_dir is None or pathlib.Path(manual_dir).is_dir() else ' (this folder does not exist)'
    return (
        f'MFPT subset {subset.name}: {len(missing)} of {len(subset.files)} files are missing: {names}. Either put '
        f'them, or the archive {ARCHIVE}, into {folder}{absent}, or let the archive be fetched from {url} (the files '
        f'are also at {MIRROR_URL}); what stopped that: {reason}'
    )
