"""The folder of downloaded weights, and a download that checks their SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
from collections.abc import Callable, Iterator

from fdx.data.download import download
from fdx.files import reason_of
from fdx.locks import LOCK, hold
from fdx.types import DataError, WeightsError


def cache_folder(folder: str | os.PathLike | None = None) -> pathlib.Path:
    """`folder` if given, else the environment variable FDX_CACHE, else ~/.cache/fdx; it need not exist."""
    chosen = folder or os.environ.get('FDX_CACHE') or '~/.cache/fdx'
    return pathlib.Path(chosen).expanduser()


@contextlib.contextmanager
def making(target: pathlib.Path) -> Iterator[None]:
    """Holds the lock of a cached file while the body makes it; waits if another program is making it.

    Raises:
      WeightsError: the cache cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(hold(target.with_name(f'.{target.name}{LOCK}'), str(target), wait=True))
        except OSError as e:  # It includes FileWriteError.
            reason = reason_of(e.__cause__ or e)
            raise WeightsError(f'{target}: cannot be written ({reason}); FDX_CACHE names another folder') from e
        yield


def download_file(
    url: str,
    target: str | os.PathLike,
    *,
    sha256_prefix: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    timeout_s: float = 30.0,
) -> pathlib.Path:
    """Downloads a file of weights (see `fdx.data.download.download`).

    Args:
      url: http or https.
      target: the file to write; its folder is created.
      sha256_prefix: hexadecimal digits that the file's SHA-256 must begin with.
      progress: called as progress(bytes so far, total bytes or None) after each chunk.
      timeout_s: longest wait for the server to answer or to send more.

    Returns:
      The path of the file.

    Raises:
      WeightsError: no connection, an HTTP error, fewer bytes than announced, an HTML page, or another SHA-256. Then
        nothing is kept, and the message names the URL and where to put the file by hand.
    """
    target = pathlib.Path(target)

    def wrong_digest(part: pathlib.Path) -> str | None:
        with part.open('rb') as stream:
            digest = hashlib.file_digest(stream, 'sha256').hexdigest()
        if sha256_prefix and not digest.startswith(sha256_prefix.lower()):
            return f'its SHA-256 is {digest}, it must begin with {sha256_prefix}'
        return None

    try:
        return download(url, target, timeout_s=timeout_s, looks_right=wrong_digest, progress=progress)
    except DataError as e:
        raise WeightsError(f'{e}. By hand: download {url} by other means and put it at {target}') from e
