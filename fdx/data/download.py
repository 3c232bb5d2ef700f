"""One file over HTTP: streamed, counted and checked. It gets its final name only when it is complete.

Time and size are limited, so that a server that sends slowly or never stops cannot block a program.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import queue
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import IO, NamedTuple

from fdx.files import lock_temporary, reason_of, remove_temporaries
from fdx.types import DataError

_CHUNK_BYTES = 1 << 16
_PART = re.compile(r'.+\.[0-9a-f]{8}\.part')
MAX_BYTES = 4 << 30
MAX_SECONDS = 3600.0
# Status codes whose body is the whole file. Proxies turn 200 into 203; 206 brings a part of the file, 204 no body.
_WHOLE = (200, 203)
_REMEDY = 'try again later, or fetch the file by other means and put it where it belongs'


class NetworkUnreachableError(DataError):
    """No connection: the name lookup, connecting, or the connection itself failed; other files would fail as well."""


NetworkUnreachable = NetworkUnreachableError


class _Bounds(NamedTuple):
    """Limits on bytes and seconds, and the moment (`time.monotonic`) when the seconds are over."""

    max_bytes: int
    max_seconds: float
    ends: float

    def check_time(self, url: str) -> None:
        """Raises DataError when the time is over."""
        if time.monotonic() > self.ends:
            raise DataError(f'{url} has not sent the whole file within {self.max_seconds:g} s; {_REMEDY}')

    def check_size(self, url: str, size: int) -> None:
        """Raises DataError when a file is too large."""
        if size > self.max_bytes:
            raise DataError(f'{url} sends more than {self.max_bytes} bytes ({size} so far or announced); {_REMEDY}')


def looks_like_html(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an HTML page, which servers send in place of a missing file."""
    return head.removeprefix(b'\xef\xbb\xbf').lstrip().lower().startswith((b'<!doctype', b'<html'))


def download(
    url: str,
    target: str | os.PathLike,
    *,
    timeout_s: float = 30.0,
    min_bytes: int = 1,
    max_bytes: int = MAX_BYTES,
    max_seconds: float = MAX_SECONDS,
    looks_right: Callable[[pathlib.Path], str | None] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> pathlib.Path:
    """Fetches one file, without a second try.

    The bytes go to a '.part' file beside the target. After every check has passed, it takes the target's name, and
    replaces an older file. A failure removes it; if the download is killed, the next download removes it.

    Args:
      url: address, http or https.
      target: the file to write; its folder is made if needed.
      timeout_s: longest wait for the connection and for each piece of the answer, in seconds.
      min_bytes: fewer bytes than this are a failure.
      max_bytes: more bytes than this, announced or sent, are a failure, too.
      max_seconds: limit for the whole download, from the first connection on.
      looks_right: called with the path of the complete temporary file; returns None, or what is wrong with it.
      progress: called after every piece with (bytes so far, bytes announced or None).

    Returns:
      The target's path.

    Raises:
      NetworkUnreachableError: no connection, or it broke or timed out.
      DataError: an HTTP status other than 200 or 203 (206 brings a part of the file), a compressed answer, an HTML page
        in place of the file, fewer bytes than announced, too many bytes, too much time, a file that `looks_right`
        refuses, or a target that cannot be written.
    """
    target = pathlib.Path(target)
    bounds = _Bounds(max_bytes, max_seconds, time.monotonic() + max_seconds)
    part = target.with_name(f'{target.name}.{uuid.uuid4().hex[:8]}.part')
    try:
        with _open(url, timeout_s, bounds) as response:
            _refuse_partial(url, response)
            target.parent.mkdir(parents=True, exist_ok=True)
            remove_temporaries(target.parent, f'{target.name}.', _PART)
            with part.open('wb') as sink:
                lock_temporary(sink)
                size = _stream(url, response, sink, progress, bounds)
        if size < min_bytes:
            raise DataError(f'{url} sent {size} bytes, and at least {min_bytes} were expected; {_REMEDY}')
        complaint = looks_right(part) if looks_right else None
        if complaint:
            raise DataError(f'{url} sent something other than the file asked for: {complaint}; {_REMEDY}')
        os.replace(part, target)
    except OSError as error:
        raise DataError(
            f'cannot write {target}: {reason_of(error)}; free some space or choose another folder'
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return target


def _open(url: str, timeout_s: float, bounds: _Bounds) -> http.client.HTTPResponse:
    """`_connect` within the time limit, in a thread, because name lookup and slow headers ignore the time-out."""
    done: queue.Queue = queue.Queue()

    def connect() -> None:
        try:
            done.put((_connect(url, timeout_s), None))
        except BaseException as error:
            done.put((None, error))

    threading.Thread(target=connect, daemon=True).start()
    try:
        response, error = done.get(timeout=max(0.0, bounds.ends - time.monotonic()))
    except queue.Empty:
        raise NetworkUnreachableError(f'{url} has not answered within {bounds.max_seconds:g} s; {_REMEDY}') from None
    if error is not None:
        raise error
    return response


def _refuse_partial(url: str, response: http.client.HTTPResponse) -> None:
    """Refuses an answer whose body is not the unchanged, whole file."""
    if response.status not in _WHOLE:
        words = ': a part of the file' if response.status == http.client.PARTIAL_CONTENT else ''
        raise DataError(f'{url} answered with status {response.status} ({response.reason}){words}; {_REMEDY}')
    coding = response.headers.get('Content-Encoding', 'identity').strip().lower()
    if coding not in ('', 'identity'):
        raise DataError(f'{url} sent the file compressed ({ascii(coding)}), which was not asked for; {_REMEDY}')


def _connect(url: str, timeout_s: float) -> http.client.HTTPResponse:
    """Connects, follows redirects, and returns the answer if its status is a success."""
    if not url.lower().startswith(('http://', 'https://')):
        raise DataError(f'cannot fetch {url!r}: the address must begin with http:// or https://')
    try:
        # Some servers refuse the default user agent of urllib.
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
    bounds: _Bounds,
) -> int:
    """Copies the body to `sink` and returns its size in bytes, which is the announced one."""
    announced, size = response.length, 0
    bounds.check_size(url, announced or 0)
    while chunk := _read_chunk(url, response, bounds):
        if size == 0:
            _refuse_html(url, response, chunk)
        size += len(chunk)
        bounds.check_size(url, size)
        sink.write(chunk)
        if progress:
            progress(size, announced)
    if announced is not None and size != announced:
        raise DataError(f'{url} sent {size} of {announced} bytes; {_REMEDY}')
    return size


def _read_chunk(url: str, response: http.client.HTTPResponse, bounds: _Bounds) -> bytes:
    """The next 64 KiB, or what is left; the time is checked after every packet."""
    chunk = b''
    try:
        while len(chunk) < _CHUNK_BYTES:
            bounds.check_time(url)
            piece = response.read1(_CHUNK_BYTES - len(chunk))
            if not piece:
                break
            chunk += piece
        return chunk
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
