"""Which files of some folders are there, complete, and not yet done."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
import time
from collections.abc import Callable, Collection, Sequence

from fdx.predict.folders import search

PIECE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A file as one look found it.

    Attributes:
      file: its name as the folder's name begins it.
      size: bytes.
      mtime_ns: when it was last written.
      changed_ns: when its content or its permissions last changed.
      inode: number of the file in its file system: another file that was moved here has another one.
    """

    file: str
    size: int
    mtime_ns: int
    changed_ns: int
    inode: int

    @property
    def path(self) -> str:
        """Its absolute name."""
        return os.path.abspath(self.file)


def look_at(file: str) -> Arrival | None:
    """A file as it is now; None where it is gone, or is a link to nothing or to a pipe."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Arrival(file, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def sha256_of(file: str) -> str:
    """The hash of a file's bytes; '' where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(file, 'rb') as opened:
            while piece := opened.read(PIECE):
                digest.update(piece)
    except OSError:
        return ''
    return digest.hexdigest()


class Arrivals:
    """Looks at folders again and again, and tells which files have settled.

    A file has settled when two looks that lie `settle_s` apart, and all looks between them, found the same size, time
    and inode. The clock is this process's own: the times of files on a network share may be those of another one.
    """

    def __init__(
        self,
        folders: Sequence[str],
        *,
        recursive: bool,
        settle_s: float,
        leave_out: Collection[str] = (),
        tell: Callable[[str, str], None] = lambda name, why: None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Args: see `search`; `tell` is called once with the name of everything that is no recording, and why."""
        self._folders = list(folders)
        self._recursive, self._settle_s, self._leave_out = recursive, settle_s, leave_out
        self._tell, self._clock = tell, clock
        self._told: set[tuple[str, str]] = set()
        self._since: dict[str, tuple[Arrival, float]] = {}

    @property
    def unsettled(self) -> int:
        """How many files the last look found that are neither done nor settled."""
        return len(self._since)

    def settled(self, is_done: Callable[[Arrival], bool]) -> list[Arrival]:
        """Looks once; the files that have settled and are not done, in the order in which they were written."""
        now, before, found = self._clock(), self._since, []
        self._since = {}
        for file in self._files():
            arrival = look_at(file)
            if arrival is None or is_done(arrival):
                continue
            seen, since = before.get(file, (None, now))
            since = since if seen == arrival else now
            if now - since >= self._settle_s:
                found.append(arrival)
            else:
                self._since[file] = (arrival, since)
        return sorted(found, key=lambda arrival: (arrival.mtime_ns, arrival.file))

    def _files(self) -> list[str]:
        files: dict[str, str] = {}
        for folder in self._folders:
            inside = search(folder, recursive=self._recursive, leave_out=self._leave_out)
            for name, why in [*((os.path.join(folder, n), why) for n, why in inside.skipped), *inside.closed]:
                if (name, why) not in self._told:
                    self._told.add((name, why))
                    self._tell(name, why)
            # A folder that is named twice, or lies in another one, gives each file once.
            files |= {os.path.abspath(file): file for file in inside.files if os.path.abspath(file) not in files}
        return list(files.values())
