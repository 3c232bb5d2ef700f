"""What a monitor has said so far: one SQLite file per machine that no kill can spoil and that several programs share.

Every recording is one transaction: its state follows from the rows before it, and both are on the disk or neither is.
The write-ahead log lets others read meanwhile (https://www.sqlite.org/wal.html). A content of a path has one row,
whoever writes it first.
"""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

from fdx.files import FileWriteError, boundary
from fdx.health.history_rows import FORMAT, FROM_FORMAT_1, INSERT, SELECT, TABLES, Content, Finding, as_dict, values_of
from fdx.health.states import JUDGED, NORMAL, UNUSABLE, Reading
from fdx.types import DataError

HISTORY = 'history.sqlite'
# Another program's transaction takes milliseconds; on a network share it may take longer.
PATIENCE_S = 60.0


class History:
    """The rows of a workdir. Use it as a context, or close it."""

    def __init__(self, workdir: str | os.PathLike):
        """Opens the history of a workdir, or begins one.

        Raises:
          FileWriteError: it cannot be written.
          DataError: the file is damaged, or of a newer fdx.
        """
        self.path = pathlib.Path(workdir) / HISTORY
        with self._errors('cannot open'):
            self._db = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)
            self._db.execute('PRAGMA journal_mode=WAL')
            # Every row is on the disk before anything is told about it.
            self._db.execute('PRAGMA synchronous=FULL')
            with self._transaction():
                for statement in filter(str.strip, TABLES.split(';')):
                    self._db.execute(statement)
                found = self._db.execute('SELECT format FROM about').fetchone()
                if found is None:
                    self._db.execute('INSERT INTO about VALUES (?)', (FORMAT,))
                elif found[0] == 1:
                    for statement in FROM_FORMAT_1:
                        self._db.execute(statement)
            if found is not None and found[0] > FORMAT:
                raise DataError(f'{self.path} has format {found[0]}, this fdx reads {FORMAT}: update fdx')

    def __enter__(self) -> History:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._db.execute('SELECT COUNT(*) FROM recordings').fetchone()[0])

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def knows(self, file: str, size: int, mtime_ns: int, part: str = '') -> bool:
        """Whether a file, or a part of it, has a row, as far as a look at it tells."""
        query = 'SELECT 1 FROM recordings WHERE file = ? AND size = ? AND mtime_ns = ? AND part = ?'
        return self._db.execute(query, (file, size, mtime_ns, part)).fetchone() is not None

    def row_of(self, file: str, sha256: str, part: str = '') -> dict[str, Any] | None:
        """The row of a content of a path, or of a part of it, or None."""
        query = f'{SELECT} WHERE file = ? AND sha256 = ? AND part = ?'
        found = self._db.execute(query, (file, sha256, part)).fetchone()
        return None if found is None else as_dict(found)

    def same(self, content: Content) -> None:
        """Remembers that a file was written anew with a content that has a row."""
        with self._errors('cannot write'), self._transaction():
            self._db.execute(
                'UPDATE recordings SET size = ?, mtime_ns = ? WHERE file = ? AND sha256 = ? AND part = ?',
                (content.size, content.mtime_ns, content.file, content.sha256, content.part),
            )

    def add(
        self,
        content: Content,
        finding: Finding,
        baseline: int,
        memory: int,
        state_after: Callable[[Reading, list[Reading], str], str],
    ) -> tuple[dict[str, Any], bool]:
        """Adds a row, once: when it returns, no kill loses it.

        Args:
          content: the file, and which part of it.
          finding: what is known of it.
          baseline: number of the baseline that scored it; rows of others have no say in its state.
          memory: how many recordings before it decide.
          state_after: (what was read, what was read before it, the state before it) -> its state.

        Returns:
          (the row, whether it is new); a row that another program was first to write is returned as it is, unless
          it says that the file cannot be used and now it can.

        Raises:
          FileWriteError: the disk is full, or the file cannot be written.
        """
        with self._errors('cannot write'), self._transaction():
            there = self.row_of(content.file, content.sha256, content.part)
            if there is not None and (there['state'] != UNUSABLE or finding.state == UNUSABLE):
                return there, False
            if there is not None:  # It can be read now, e.g. by other options.
                self._db.execute('DELETE FROM recordings WHERE id = ?', (there['id'],))
            state = finding.state
            if not state:
                before = self._judged(baseline, memory)
                reading = Reading(finding.score, finding.rise)
                state = state_after(reading, [r for r, _ in before], before[-1][1] if before else NORMAL)
            self._db.execute(INSERT, values_of(content, finding, time.time(), baseline, state))
            row = self.row_of(content.file, content.sha256, content.part)
        if row is None:
            raise FileWriteError(f'{self.path} lost a row that was just written: check the disk')
        return row, True

    def rows(self, *, last: int | None = None, since: float | None = None, baseline: int | None = None) -> list[dict]:
        """Rows in the order in which they were judged.

        Args:
          last: only so many, the newest.
          since: only recordings taken at this time (seconds since 1970) or later.
          baseline: only those of this baseline.
        """
        where, values = [], []
        for condition, value in (('recorded_at >= ?', since), ('baseline = ?', baseline)):
            if value is not None:
                where.append(condition)
                values.append(value)
        query = SELECT + (f' WHERE {" AND ".join(where)}' if where else '') + ' ORDER BY id DESC'
        if last is not None:
            query, values = query + ' LIMIT ?', [*values, last]
        with self._errors('cannot read'):
            return [as_dict(row) for row in self._db.execute(query, values).fetchall()][::-1]

    def _judged(self, baseline: int, count: int) -> list[tuple[Reading, str]]:
        marks = ', '.join('?' * len(JUDGED))
        query = (
            f'SELECT score, rise, state FROM recordings WHERE baseline = ? AND state IN ({marks}) '
            'ORDER BY id DESC LIMIT ?'
        )
        found = self._db.execute(query, (baseline, *JUDGED, max(count, 1))).fetchall()[::-1]
        return [(Reading(score, math.inf if rise is None else rise), state) for score, rise, state in found]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute('BEGIN IMMEDIATE')
        try:
            yield
        except BaseException:
            self._db.execute('ROLLBACK')
            raise
        self._db.execute('COMMIT')

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as e:
            text = str(e)
            if 'malformed' in text or 'not a database' in text:
                raise DataError(f'{self.path} is damaged ({text}): restore it, or move it away to begin anew') from e
            with boundary(what, self.path, 'check that the folder is writable and the disk has room', FileWriteError):
                raise
