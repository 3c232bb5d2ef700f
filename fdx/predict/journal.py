"""What a watch has done so far: an append-only file that no kill can spoil.

The first line says who diagnoses and how. Every further line is one result, written with its line end in one piece and
brought to the disk before anything is told about it. So a killed process leaves at most one unfinished line at the end,
of a result that nobody has seen; the next start cuts it off, and that file is diagnosed again.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Iterator
from typing import Any

from fdx.files import FileWriteError, atomic_write_text, boundary, parse_json, to_jsonable
from fdx.types import ConfigError, DataError

JOURNAL = 'watch.jsonl'
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Version:
    """One content of one path.

    Attributes:
      path: absolute.
      size: bytes.
      mtime_ns: when it was last written, in nanoseconds since 1970.
      sha256: of its bytes; '' where they cannot be read.
      changed_ns: for a file that cannot be read, when its permissions last changed: it is tried again after the next
        change; else 0.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str = ''
    changed_ns: int = 0

    @property
    def stamp(self) -> tuple[int, int, int]:
        """What a look at the folder tells without reading the file."""
        return self.size, self.mtime_ns, self.changed_ns


class Journal:
    """The results of a watch, in order.

    Attributes:
      file_rows: the rows of recordings, tables and errors.
    """

    def __init__(self, folder: str | os.PathLike, asked: dict[str, Any]):
        """Opens the journal of a folder, or begins one. The caller holds the folder's lock.

        Args:
          folder: where it lies.
          asked: who diagnoses and how, JSON-able; results of anything else do not belong into the same journal.

        Raises:
          ConfigError: the folder holds results that were made in another way.
          DataError: the journal is damaged in its middle.
          FileWriteError: it cannot be written.
        """
        self._path = pathlib.Path(folder) / JOURNAL
        self.file_rows: list[dict[str, Any]] = []
        self._last: dict[str, tuple[int, int, int]] = {}
        self._contents: set[tuple[str, str]] = set()
        if not self._path.exists():
            atomic_write_text(self._path, _line({'format': FORMAT, 'asked': asked}))
        self._open(json.loads(_line(asked)))
        self._file = open(self._path, 'ab', buffering=0)  # noqa: SIM115  Closed by `close`.

    def __len__(self) -> int:
        return len(self._contents)

    def knows(self, path: str, size: int, mtime_ns: int, changed_ns: int) -> bool:
        """Whether a file is one that has a result, as far as its size and times tell."""
        return self._last.get(path) in ((size, mtime_ns, 0), (size, mtime_ns, changed_ns))

    def has(self, path: str, sha256: str) -> bool:
        """Whether this content of this path has a result."""
        return (path, sha256) in self._contents

    def add(self, version: Version, rows: list[dict[str, Any]]) -> None:
        """Records a result; when it returns, no kill loses it. FileWriteError: the disk is full."""
        self._append({'version': dataclasses.asdict(version), 'at': round(time.time(), 3), 'rows': rows})
        self._take(version, rows)

    def same(self, version: Version) -> None:
        """Records that a file was written anew with a content that has a result: it is not diagnosed again."""
        self._append({'version': dataclasses.asdict(version)})
        self._take(version, [])

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows, windows too, read from the file as they may be many."""
        with open(self._path, 'rb') as file:
            next(file)
            for line in file:
                yield from json.loads(line).get('rows', ())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _append(self, entry: dict[str, Any]) -> None:
        data = _line(entry).encode()
        with boundary('cannot write', self._path, 'check that the disk has room', FileWriteError):
            # One call that may write a part only when the disk is full; what was written is then cut off again.
            end = os.fstat(self._file.fileno()).st_size
            written = self._file.write(data)
            if written != len(data):
                os.ftruncate(self._file.fileno(), end)
                raise OSError('No space left on device')
            os.fsync(self._file.fileno())

    def _take(self, version: Version, rows: list[dict[str, Any]]) -> None:
        self._last[version.path] = version.stamp
        if version.sha256:
            self._contents.add((version.path, version.sha256))
        self.file_rows += [row for row in rows if row['kind'] not in ('window', 'reading')]

    def _open(self, asked: dict[str, Any]) -> None:
        """Reads the file line by line, and cuts off an unfinished last one."""
        size, good, number = self._path.stat().st_size, 0, 0
        with open(self._path, 'rb') as file:
            for number, line in enumerate(file, start=1):
                last = good + len(line) == size
                try:
                    entry = parse_json(line)
                    if not line.endswith(b'\n'):
                        raise ValueError('it has no end')
                    self._read(entry, number, asked)
                except (ValueError, KeyError, TypeError) as e:
                    if isinstance(e, ConfigError):
                        raise
                    if last and number > 1:
                        break
                    raise DataError(
                        f'{self._path}, line {number}: damaged ({" ".join(str(e).split())[:100]}); restore the file, '
                        'or move it away together with its predictions: then all files are diagnosed anew'
                    ) from e
                good += len(line)
        if good < size:
            os.truncate(self._path, good)

    def _read(self, entry: dict[str, Any], number: int, asked: dict[str, Any]) -> None:
        if number > 1:
            self._take(Version(**entry['version']), entry.get('rows', []))
            return
        before = entry['asked']
        if entry['format'] != FORMAT or before != asked:
            names = [name for name in {**before, **asked} if before.get(name) != asked.get(name)]
            changes = '; '.join(f'{name}: {before.get(name)!r} then, {asked.get(name)!r} now' for name in names)
            raise ConfigError(
                f'{self._path} holds results of another diagnosis ({changes or "of another version of fdx"}): choose '
                'another `workdir`'
            )


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(to_jsonable(entry), allow_nan=False) + '\n'
