"""One file over HTTP: streamed, counted and checked, and under its final name only when it is whole."""

from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import IO

from fdx.types import DataError

_CHUNK_BYTES = 1 << 16
_REMEDY = 'try again later, or fetch the file by other means and put it where it belongs'


class NetworkUnreachableError(DataError):
    """No connection: the name lookup, connecting, or the connection itself failed; the next file fares no better."""


NetworkUnreachable = NetworkUnreachableError


def looks_like_html(head: bytes) -> bool:
    """Says whether the first bytes of a file are those of an HTML page, as a server sends in place of a lost file."""
    return head.removeprefix(b'\xef\xbb\xbf').lstrip().lower().startswith((b'<!doctype', b'<html'))


def download(
    url: str,
    target: str | os.PathLike,
    *,
    timeout_s: float = 30.0,
    min_bytes: int = 1,
    looks_right: Callable[[pathlib.Path], str | None] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> pathlib.Path:
    """Fetches one file, without a second try.

    The bytes go to a '.part' file beside the target, which takes the target's name (and its place, if there is one)
    after every check has passed; on any failure it is removed.

    Args:
      url: address, http or https.
      target: the file to write; its folder is made if need be.
      timeout_s: longest wait for the connection and for each piece of the answer, in seconds.
      min_bytes: fewer bytes than this are a failure.
      looks_right: called with the path of the complete temporary file; returns None, or what is wrong with it.
      progress: called after every piece with (bytes so far, bytes announced or None).

    Returns:
      The target's path.

    Raises:
      NetworkUnreachableError: no connection, or it broke or timed out.
      DataError: an HTTP error status, an HTML page in place of the file, fewer bytes than announced, a file that
        `looks_right` refuses, or a target that cannot be written.
    """
    target = pathlib.Path(target)
    part = target.with_name(f'{target.name}.{uuid.uuid4().hex[:8]}.part')
    try:
        with _open(url, timeout_s) as response:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open('wb') as sink:
                size = _stream(url, response, sink, progress)
        if size < min_bytes:
            raise DataError(f'{url} sent {size} bytes, and at least {min_bytes} were expected; {_REMEDY}')
        complaint = looks_right(part) if looks_right else None
        if complaint:
            raise DataError(f'{url} sent something other than the file asked for: {complaint}; {_REMEDY}')
        os.replace(part, target)
    except OSError as error:
        raise DataError(f'cannot write {target}: {error}; free some space or choose another folder') from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return target


def _open(url: str, timeout_s: float) -> http.client.HTTPResponse:
    """Connects, follows redirects, and returns the answer if its status is a success."""
    if not url.lower().startswith(('http://', 'https://')):
        raise DataError(f'cannot fetch {url!r}: the address must begin with http:// or https://')
    try:
        # Some servers turn away the default agent of urllib.
        return urllib.request.urlopen(urllib.request.Request(url, headers={'User-Agent': 'fdx'}), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(f'{url} answered with status {error.code} ({error.reason}); {_REMEDY}') from error
    except OSError as error:
        raise _unreachable(url, error) from error
    except (http.client.HTTPException, ValueError) as error:
        raise DataError(f'cannot fetch {url}: {error!r}; check the address') from error


def _stream(
    url: str,
    response: http.client.HTTPResponse,
    sink: IO[bytes],
    progress: Callable[[int, int | None], None] | None,
) -> int:
    """Copies the body to `sink` and returns its size in bytes, which is the announced one."""
    announced, size = response.length, 0
    while chunk := _read_chunk(url, response):
        if size == 0:
            _refuse_html(url, response, chunk)
        sink.write(chunk)
        size += len(chunk)
        if progress:
            progress(size, announced)
    if announced is not None and size != announced:
        raise DataError(f'{url} sent {size} of {announced} bytes; {_REMEDY}')
    return size


def _read_chunk(url: str, response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK_BYTES)
    except OSError as error:
        raise _unreachable(url, error) from error
    except http.client.HTTPException as error:
        raise DataError(f'{url} broke off in the middle of the file ({error!r}); {_REMEDY}') from error


def _refuse_html(url: str, response: http.client.HTTPResponse, head: bytes) -> None:
    kind = response.headers.get_content_type() if 'Content-Type' in response.headers else ''
    if kind == 'text/html' or looks_like_html(head):
        moved = '' if response.url == url else f' (after a redirect to {response.url})'
        raise DataError(f'{url} sent an HTML page that begins {head[:40]!r}{moved}, not the file; {_REMEDY}')


def _unreachable(url: str, error: OSError) -> NetworkUnreachableError:
    reason = getattr(error, 'reason', error)
    return NetworkUnreachableError(f'no connection to {url}: {reason}; check the network and the proxy settings')
