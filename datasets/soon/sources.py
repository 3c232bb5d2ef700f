"""Finds the SOON files in the user's folder, or fetches them from Zenodo."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

from fdx.data.download import download
from fdx.data.published_files import complaint, fetch_missing, find_file
from fdx.types import DataError

from .files import RECORD_URL, URL_TEMPLATE, SoonFile, file_url
from .reader import load
from .subsets import SUBSETS, Subset

FOLDER = 'soon'
_SHOWN_STRANGERS = 5


def resolve_files(
    subset: Subset,
    manual_dir: str | os.PathLike | None,
    download_dir: str | os.PathLike | None,
    *,
    url_template: str = URL_TEMPLATE,
    downloader: Callable[..., pathlib.Path] = download,
) -> dict[int, pathlib.Path]:
    """Finds every file of a subset on disk, fetching what is missing.

    A file is searched in `manual_dir` and manual_dir/soon, then in `download_dir` and download_dir/soon. Otherwise it
    is fetched to the latter and kept only if it can be read as a recording. After the first failure of the network
    itself no further file is tried; if the server refuses one file, the others are still tried.

    Args:
      subset: the files.
      manual_dir: folder of files that the user has put there, or None.
      download_dir: folder of fetched files, or None: nothing is fetched.
      url_template: address of a file, with '{NAME}' in place of its quoted name.
      downloader: called as downloader(url, target, looks_right=...), like fdx.data.download.download.

    Returns:
      {file number: path}, in the subset's order.

    Raises:
      DataError: some files are missing and cannot be fetched; the text names all of them, the first reason, the subsets
        for which the files suffice, and files in the folder that may have been meant.
    """
    if '{NAME}' not in url_template:
        raise DataError(f"url_template {url_template!r} has no '{{NAME}}' in it, the place of the file's name")
    folders = [pathlib.Path(folder) for folder in (manual_dir, download_dir) if folder is not None]
    found = {file.number: find_file(file.name, folders, FOLDER) for file in subset.files}
    reason = 'no download folder is given'
    if download_dir is not None:
        names = {file.number: file.name for file in subset.files}
        reason = fetch_missing(
            found,
            names,
            pathlib.Path(download_dir) / FOLDER,
            url_of=lambda number: file_url(names[number], url_template),
            complaint_of=lambda number: complaint(load),
            downloader=downloader,
        )
    missing = [file for file in subset.files if found[file.number] is None]
    if missing:
        raise DataError(_missing_text(subset, missing, folders, manual_dir, reason))
    return found


def _missing_text(
    subset: Subset,
    missing: list[SoonFile],
    folders: list[pathlib.Path],
    manual_dir: str | os.PathLike | None,
    reason: str,
) -> str:
    names = ', '.join(repr(file.name) for file in missing)
    folder = 'a folder and name it with `manual_dir`' if manual_dir is None else f'`manual_dir`={manual_dir}'
    fit = [
        s.name
        for s in SUBSETS.values()
        if s is not subset and all(find_file(file.name, folders, FOLDER) for file in s.files)
    ]
    return (
        f'SOON {subset.name}: {len(missing)} of {len(subset.files)} files are missing: {names}. Either download them '
        f'from {RECORD_URL} (unpack them if they come as an archive) and put them into {folder}, or let them be '
        f'fetched one by one; what stopped that: {reason.rstrip(".")}.'
        + (f' The files that are there suffice for the configs {", ".join(fit)}.' if fit else '')
        + _strangers_text(manual_dir)
    )


def _strangers_text(manual_dir: str | os.PathLike | None) -> str:
    """Names tables and archives in the user's folder that may be the missing files under another name."""
    if manual_dir is None:
        return ''
    known = {file.name for file in SUBSETS['all'].files}
    places = (pathlib.Path(manual_dir), pathlib.Path(manual_dir) / FOLDER)
    strangers = sorted(
        path.name
        for place in places
        if place.is_dir()
        for path in place.iterdir()
        if path.suffix.lower() in ('.csv', '.zip', '.rar', '.7z') and path.name not in known
    )
    if not strangers:
        return ''
    more = f' and {len(strangers) - _SHOWN_STRANGERS} more' if len(strangers) > _SHOWN_STRANGERS else ''
    shown = ', '.join(repr(name) for name in strangers[:_SHOWN_STRANGERS])
    return f' Ignored there: {shown}{more}: unpack archives, and give files their names on Zenodo.'
