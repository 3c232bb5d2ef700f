"""One writer at a time for a folder or a cache entry, over processes and hosts.

The lock is the operating system's (`flock`, by way of the filelock package). It ends with its process, however that
ends, so that no lock outlives its holder. The lock file says who holds it, for messages. It is removed on release; a
file that was left behind tells the next holder that the one before was killed.

Readers need no lock: a file is either complete or not there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
import os
import pathlib
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator

import filelock

from fdx.files import FileWriteError, parse_json, reason_of
from fdx.types import FdxError

logger = logging.getLogger(__name__)

LOCK = '.fdx.lock'
MAX_COMMAND = 100
POLL_S = 0.2
# File systems without locks: some network and user-space ones.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL}


class LockedError(FdxError, RuntimeError):
    """Another process is writing there."""


@dataclasses.dataclass(frozen=True)
class Held:
    """A lock that this process holds.

    Attributes:
      left_since: when a holder that was killed had taken it, in seconds since 1970; None where nobody was killed.
    """

    left_since: float | None = None


@contextlib.contextmanager
def hold(
    path: str | os.PathLike,
    what: str,
    *,
    remedy: str = 'wait for it to end',
    wait: bool = False,
    notify: Callable[[str], None] = logger.info,
) -> Iterator[Held]:
    """Holds the lock of a file's name while the body runs; the thread that holds it may take it again.

    Args:
      path: the lock file; folders are made for it, and removed afterwards where nothing else came into them.
      what: what is locked, in words, for messages.
      remedy: how the error's sentence ends.
      wait: whether to wait for another holder, or to refuse.
      notify: called with one line before waiting.

    Raises:
      LockedError: another process (or thread) holds it, and `wait` is False; the text says which.
      FileWriteError: the lock file cannot be written.
    """
    path = pathlib.Path(path).absolute()
    made = _make_folders(path.parent, what)
    # One object per path and thread, so that taking the lock twice counts instead of blocking. Only the kernel's lock,
    # which ends with its process, will do (no `fallback_to_soft`).
    lock = filelock.FileLock(path, is_singleton=True, thread_local=True, fallback_to_soft=False)
    again = lock.is_locked
    try:
        held = _acquire(lock, path, what, remedy, wait, notify)
        try:
            yield Held() if again or not held else _sign(path)
        finally:
            if held:
                if not again:
                    # Removed while it is held: whoever waits on the old file sees that it is gone and makes a new one.
                    _unlink(path)
                lock.release()
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def prepared_lock(data_dir: str | os.PathLike, builder: str, notify: Callable[[str], None] = logger.info):
    """The lock of a builder's prepared datasets, as a context; waits for another program that prepares some.

    Raises:
      FileWriteError: the folder cannot be written.
    """
    path = pathlib.Path(data_dir).expanduser() / f'.{builder}{LOCK}'
    return hold(path, f'the dataset {builder} in {data_dir}', wait=True, notify=notify)


def _make_folders(folder: pathlib.Path, what: str) -> list[pathlib.Path]:
    """Makes a folder and those above it; returns the new ones, the deepest first."""
    missing = []
    while not folder.exists() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    try:
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f'{folder} is no folder')
    except OSError as e:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise _unwritable(what, e) from e
    return missing


def _acquire(lock, path: pathlib.Path, what: str, remedy: str, wait: bool, notify: Callable) -> bool:
    """Takes the lock; False on file systems that have none."""
    try:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            holder = _holder(path)
            if not wait:
                raise LockedError(f'{what} is in use by {holder}: {remedy}') from None
            notify(f'waiting for {holder}, which writes {what}')
            _wait(lock, path)
    except FdxError:
        raise
    except (OSError, NotImplementedError) as e:
        if isinstance(e, NotImplementedError) or e.errno in NO_LOCKS:
            logger.warning('%s lies on a file system without locks: start no second program that writes there', what)
            return False
        raise _unwritable(what, e) from e
    return True


def _wait(lock, path: pathlib.Path) -> None:
    """Takes the lock when its holder has let go; a holder that failed has also removed the folders that it made."""
    while True:
        try:
            lock.acquire(poll_interval=POLL_S)
            return
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)


def _unwritable(what: str, e: OSError) -> FileWriteError:
    return FileWriteError(
        f'cannot write {what}: {reason_of(e)}; check that it is a writable folder and that the disk has room, or name '
        'another one'
    )


def _sign(path: pathlib.Path) -> Held:
    """Writes into the lock file who holds it, and returns what a killed holder left."""
    before = _read(path)
    since = before.get('since')
    command = shlex.join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv else ''
    said = {'pid': os.getpid(), 'host': socket.gethostname(), 'since': time.time(), 'command': command[:MAX_COMMAND]}
    with contextlib.suppress(OSError):  # A full disk: the lock holds without a name on it.
        path.write_text(json.dumps(said))
    return Held(float(since) if isinstance(since, int | float) else None)


def _read(path: pathlib.Path) -> dict:
    try:
        said = parse_json(path.read_bytes()[:4096])
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _holder(path: pathlib.Path) -> str:
    """Who holds a lock, in words."""
    said = _read(path)
    if not isinstance(said.get('pid'), int) or not isinstance(said.get('since'), int | float):
        return 'another program'
    host = said.get('host')
    there = '' if host == socket.gethostname() else f' on {host}'
    clock = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(said['since']))
    return f'process {said["pid"]}{there} since {clock} ({said.get("command") or "unknown command"})'


def _unlink(path: pathlib.Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
