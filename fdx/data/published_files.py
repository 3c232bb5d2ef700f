"""Published files of recordings: finds them in a user's folder, fetches missing ones and refuses wrong ones."""

from __future__ import annotations

import logging
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from fdx.data.download import NetworkUnreachableError, looks_like_html
from fdx.types import DataError

_log = logging.getLogger(__name__)
Key = TypeVar('Key')
Complaint = Callable[[pathlib.Path], str | None]


def find_file(name: str, folders: Sequence[pathlib.Path], subfolder: str) -> pathlib.Path | None:
    """The first file `name` in one of the folders or in their `subfolder`; None where there is none."""
    candidates = (folder / place / name for folder in folders for place in ('', subfolder))
    return next((path for path in candidates if path.is_file()), None)


def fetch_missing(
    found: dict[Key, pathlib.Path | None],
    names: Mapping[Key, str],
    folder: pathlib.Path,
    *,
    url_of: Callable[[Key], str],
    complaint_of: Callable[[Key], Complaint],
    downloader: Callable[..., pathlib.Path],
) -> str:
    """Fetches the files that are None in `found`, and enters them there.

    After the first failure of the network itself no further file is tried, because each would wait for its own timeout.
    If the server refuses one file, the others are still tried.

    Args:
      found: file -> its path, or None; changed in place.
      names: file -> its name in `folder`.
      folder: where fetched files are kept.
      url_of: file -> its address.
      complaint_of: file -> function that says what is wrong with a fetched file, or None.
      downloader: called as downloader(url, target, looks_right=...), like fdx.data.download.download.

    Returns:
      The reason of the first failure, or ''.
    """
    reason = ''
    for key in [key for key, path in found.items() if path is None]:
        url = url_of(key)
        _log.info('fetching %s', url)
        try:
            found[key] = downloader(url, folder / names[key], looks_right=complaint_of(key))
        except NetworkUnreachableError as error:
            return reason or str(error)
        except DataError as error:
            reason = reason or str(error)
    return reason


def complaint(load: Callable[[pathlib.Path], object]) -> Complaint:
    """The function path -> the DataError that `load` raises for it, as text, or None."""

    def check(path: pathlib.Path) -> str | None:
        try:
            load(path)
        except DataError as error:
            return str(error)
        return None

    return check


def refuse_other_than_mat_v5(path: pathlib.Path) -> None:
    """Raises DataError, without the file's name, unless the file begins as one of MATLAB 5 does."""
    try:
        with path.open('rb') as stream:
            head = stream.read(128)
    except OSError as error:
        raise DataError(f'the file cannot be read: {error.strerror or error}') from error
    if looks_like_html(head):
        raise DataError(f'this is an HTML page, not a MATLAB file: it begins {head[:40]!r}')
    if not head.startswith(b'MATLAB 5.0 MAT-file'):
        raise DataError(f'this is not a file of MATLAB 5: it begins {head[:40]!r}')
