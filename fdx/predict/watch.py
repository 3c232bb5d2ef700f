"""Diagnoses files as they arrive in folders: each content of each path once, whatever happens to this process.

The journal (fdx.predict.journal) is the truth; predictions.jsonl, predictions.csv and page.html are made from it anew
and take the place of the older ones in one piece each.
"""

from __future__ import annotations

import contextlib
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from fdx.locks import LOCK, hold
from fdx.predict.arrivals import Arrival, Arrivals, look_at, sha256_of
from fdx.predict.asking import Asked, OneProcess, Outcome, Task
from fdx.predict.journal import JOURNAL, Journal, Version
from fdx.predict.reports import write_csv, write_json_lines, write_page
from fdx.predict.watch_settings import Settings
from fdx.predict.workers import default_workers, diagnosing
from fdx.types import ConfigError

WRITTEN = ('predictions.jsonl', 'predictions.csv', 'page.html')
# Of its time, a watch spends at most this share on writing its pages anew.
WRITING_SHARE = 0.1


class Watch:
    """One watch over folders, from its start to its end."""

    def __init__(
        self,
        settings: Settings,
        asked: Asked,
        options_of: Callable[[str], dict[str, Any]],
        *,
        options: dict[str, Any],
        model: str,
        rows_of: Callable[[Outcome], list[dict[str, Any]]],
        tell: Callable[[str, str], None] = lambda name, why: None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        """Args follow.

        Args:
          settings: see there.
          asked: who diagnoses.
          options_of: the options of `diagnose` for a file.
          options: what all of them say, JSON-able, to tell this watch from another one on the same workdir.
          model: who diagnoses, in words, for the page.
          rows_of: the rows that are kept and shown of an outcome.
          tell: called once for everything in the folders that is no recording, with its name and why.
          sleep: waits for a number of seconds, or less if `stop` says True before.
        """
        settings.check()
        self._settings, self._asked, self._options_of = settings, asked, options_of
        self._options, self._model, self._rows_of = options, model, rows_of
        self._sleep = sleep
        self._arrivals = Arrivals(
            settings.folders,
            recursive=settings.recursive,
            settle_s=settings.settle_s,
            leave_out=(settings.workdir,),
            tell=tell,
        )
        self._written_rows, self._next_writing = -1, 0.0
        self.failed = self.done = 0

    @property
    def unsettled(self) -> int:
        """How many files were still being written when it last looked."""
        return self._arrivals.unsettled

    def run(
        self,
        show: Callable[[list[dict[str, Any]]], None],
        stop: Callable[[], bool],
        wrap: Callable[[Iterable, int], Iterable] = lambda outcomes, total: outcomes,
    ) -> None:
        """Watches until it ends by its settings or `stop` says True.

        Args:
          show: called with the rows of each file once they are safe.
          stop: whether to end; files that are being diagnosed are finished first.
          wrap: wraps the outcomes of one lot of files, e.g. in a progress bar.

        Raises:
          LockedError: another watch writes to the workdir.
          ConfigError: the workdir holds something else, or results of another diagnosis.
          FdxError: the run cannot be loaded, or results cannot be written.
        """
        deadline = None if self._settings.for_s is None else time.monotonic() + self._settings.for_s
        over = lambda: stop() or (deadline is not None and time.monotonic() >= deadline)  # noqa: E731
        remedy = 'wait until it ends, or choose another `workdir`'
        workdir = pathlib.Path(self._settings.workdir)
        with hold(workdir / LOCK, f'the workdir {workdir}', remedy=remedy):
            self._check_workdir(workdir)
            asked = {**self._asked.identity(), 'options': self._options}
            with contextlib.closing(Journal(workdir, asked)) as journal, contextlib.ExitStack() as stack:
                crew = stack.enter_context(diagnosing(self._asked, self._settings.workers or 1))
                try:
                    self._watch(journal, crew, show, over, wrap)
                finally:
                    self._write(journal)

    def _watch(self, journal: Journal, crew: Any, show: Callable, over: Callable[[], bool], wrap: Callable) -> None:
        self._write(journal)  # What a killed watch has recorded and not yet written.
        looks = 0
        while not over():
            lot = self._arrivals.settled(
                lambda a: journal.knows(a.path, a.size, a.mtime_ns, a.changed_ns),
            )
            looks += 1
            if lot:
                with self._crew_for(len(lot), crew) as chosen:
                    for rows in wrap(self._diagnose(lot, journal, chosen, over), len(lot)):
                        show(rows)
                        self._write_if_due(journal)
            self._write_if_due(journal)
            # The second look of --once lies `settle_s` after the first one, which has only seen what is there.
            if self._settings.once and (looks > 1 or not self.unsettled):
                return
            self._wait(self._settings.settle_s if self._settings.once else self._settings.poll_s, over)

    def _crew_for(self, files: int, crew: Any) -> contextlib.AbstractContextManager:
        """The processes for a lot of files: for very many at once more than one, unless their number is given."""
        workers = default_workers(files, self._asked) if self._settings.workers is None else 1
        return contextlib.nullcontext(crew) if workers == 1 else diagnosing(self._asked, workers)

    def _diagnose(
        self, lot: Sequence[Arrival], journal: Journal, crew: OneProcess, over: Callable[[], bool]
    ) -> Iterator[list[dict[str, Any]]]:
        """Diagnoses a lot of files; gives the rows of each when they are recorded."""
        begun: list[tuple[Arrival, Version]] = []

        def tasks() -> Iterator[Task]:
            for arrival in lot:
                sha256 = sha256_of(arrival.file)
                changed_ns = 0 if sha256 else arrival.changed_ns
                version = Version(arrival.path, arrival.size, arrival.mtime_ns, sha256, changed_ns)
                if sha256 and journal.has(arrival.path, sha256):
                    if look_at(arrival.file) == arrival:
                        journal.same(version)
                    continue
                begun.append((arrival, version))
                yield Task(arrival.file, self._options_of(arrival.file))

        for number, outcome in enumerate(crew.run(tasks(), over)):
            arrival, version = begun[number]
            now = look_at(arrival.file)
            # Written to in the meantime, or gone before it was read: what was read is no content of this path.
            if now != arrival and (now is not None or outcome.error):
                continue
            rows = self._rows_of(outcome)
            journal.add(version, rows)
            self.done += 1
            self.failed += outcome.failed
            yield rows

    def _wait(self, seconds: float, over: Callable[[], bool]) -> None:
        until = time.monotonic() + seconds
        while not over() and (left := until - time.monotonic()) > 0:
            self._sleep(min(left, 0.2))

    def _check_workdir(self, workdir: pathlib.Path) -> None:
        found = [name for name in WRITTEN if (workdir / name).exists()]
        if found and not (workdir / JOURNAL).exists():
            raise ConfigError(f'{workdir / found[0]} was not written by a watch: choose another `workdir`')

    def _write_if_due(self, journal: Journal) -> None:
        if time.monotonic() >= self._next_writing:
            self._write(journal)

    def _write(self, journal: Journal) -> None:
        """Writes the three files anew if there are further results."""
        if self._written_rows == len(journal.file_rows):
            return
        began, workdir = time.monotonic(), pathlib.Path(self._settings.workdir)
        lines_, csv_, page = (workdir / name for name in WRITTEN)
        write_json_lines(lines_, journal.rows())
        write_csv(csv_, journal.file_rows)
        write_page(page, journal.file_rows, self._model)
        self._written_rows = len(journal.file_rows)
        now = time.monotonic()
        self._next_writing = now + (now - began) / WRITING_SHARE
