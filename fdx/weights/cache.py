"""The folder of downloaded files, and the download that leaves either the whole file or nothing."""

from __future__ import annotations

import hashlib
import http.client
import os
import pathlib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from fdx.types import WeightsError

CHUNK_BYTES = 1 << 20
_HTML_STARTS = (b'<!doctype html', b'<html')


def cache_folder(folder: str | os.PathLike | None = None) -> pathlib.Path:
    """`folder` if given, else the environment variable FDX_CACHE, else ~/.cache/fdx; it need not exist."""
    chosen = folder or os.environ.get('FDX_CACHE') or '~/.cache/fdx'
    return pathlib.Path(chosen).expanduser()


def download_file(
    url: str,
    target: str | os.PathLike,
    *,
    sha256_prefix: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    timeout_s: float = 30.0,
) -> pathlib.Path:
    """Downloads a file to `target`, by way of a '.part' file in the same folder.

    Args:
      url: http or https.
      target: the file to write; its folder is created.
      sha256_prefix: hexadecimal digits that the file's SHA-256 must begin with.
      progress: called as progress(bytes so far, total bytes or None) after each chunk.
      timeout_s: longest wait for the server to answer or to send more.

    Returns:
      The path of the file.

    Raises:
      WeightsError: no connection, an HTTP error, fewer bytes than announced, an HTML page, or another SHA-256. Nothing
        is kept then; the message names the URL and where to put the file by hand.
    """
    target = pathlib.Path(target)
    if urllib.parse.urlsplit(url).scheme not in ('http', 'https'):
        raise WeightsError(f'{url}: files are downloaded from http and https addresses only')
    remedy = f'download it by other means and put it at {target}'
    part = target.with_name(f'{target.name}.{os.getpid()}.part')
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=timeout_s) as response, part.open('xb') as stream:
            digest = _receive(response, stream, progress)
        if sha256_prefix and not digest.startswith(sha256_prefix.lower()):
            raise WeightsError(f'its SHA-256 is {digest}, it must begin with {sha256_prefix}')
        os.replace(part, target)
    except urllib.error.HTTPError as e:
        raise WeightsError(f'{url}: the server answered {e.code} {e.reason}; {remedy}') from e
    except (OSError, http.client.HTTPException, ValueError) as e:
        reason = getattr(e, 'reason', None) or str(e) or type(e).__name__
        raise WeightsError(f'{url}: the download failed: {reason}; {remedy}') from e
    finally:
        part.unlink(missing_ok=True)
    return target


def _receive(response: http.client.HTTPResponse, stream, progress: Callable[[int, int | None], None] | None) -> str:
    """Writes the body to `stream` and returns its SHA-256; WeightsError where it is not the whole file."""
    announced = response.headers.get('Content-Length')
    total = int(announced) if announced is not None else None
    digest, done = hashlib.sha256(), 0
    while chunk := response.read(CHUNK_BYTES):
        if done == 0 and (
            response.headers.get_content_type() == 'text/html' or chunk.lstrip().lower().startswith(_HTML_STARTS)
        ):
            raise WeightsError('the server sent an HTML page instead of the file')
        stream.write(chunk)
        digest.update(chunk)
        done += len(chunk)
        if progress is not None:
            progress(done, total)
    if done == 0 or (total is not None and done != total):
        raise WeightsError(f'{done} bytes came, {"some" if total is None else total} were announced')
    return digest.hexdigest()
