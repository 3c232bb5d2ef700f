"""Diagnosing many files on all cores: processes that load the run once each and are given one file at a time.

A pool of the standard library ends as a whole when one of its processes is killed, and cannot say on which file. Here
each process has a pipe of its own: a file whose process dies has an error, and a new process takes the next one.
Processes are started afresh (spawn) because JAX does not survive a fork. They use the same numbers of threads as a
single process, as these decide in which order a network's sums are taken: the numbers are the same to the bit.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait

from fdx.data.processes import interrupts_held
from fdx.predict.asking import Asked, OneProcess, Outcome, Task
from fdx.predict.worker_process import BROKEN, READY, REFUSED, work
from fdx.types import ConfigError, FdxError

# From this number of files on, further processes pay for the seconds that each needs to start.
MANY_FILES = 64
# Finished files that may wait for a slower one before them.
MOST_AHEAD = 1024
LOGGERS = ('', 'fdx', 'fdx.data.raw.files', 'absl')


class WorkerError(FdxError, RuntimeError):
    """A worker process ended before it could be given a file."""


def default_workers(files: int, asked: Asked) -> int:
    """One process for few files or where a network runs on an accelerator, else one per core this process may use."""
    if files < MANY_FILES:
        return 1
    if asked.checkpoint is not None:
        import jax  # noqa: PLC0415  Starts its backend, which costs a second that few files do not pay.

        if jax.default_backend() != 'cpu':
            return 1
    return max(1, min(files, len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1))


@contextlib.contextmanager
def diagnosing(asked: Asked, workers: int) -> Iterator[OneProcess | Workers]:
    """What diagnoses files with so many processes, ended when the body is left.

    Raises:
      ConfigError: `workers` is below 1.
      FdxError: see `Asked.load`.
    """
    if workers < 1:
        raise ConfigError(f'`workers`={workers}: a number of processes, 1 or more')
    crew = OneProcess(asked) if workers == 1 else Workers(asked, workers)
    try:
        yield crew
    finally:
        crew.close()


class Workers:
    """Processes that diagnose files for this one."""

    def __init__(self, asked: Asked, count: int):
        """Starts the processes; they load the run while this one goes on. Raises ConfigError for a count below 1."""
        self._asked = asked
        self._workers: list[_Worker] = []
        try:
            for _ in range(count):
                self._workers.append(_Worker(asked))
        except BaseException:
            self.close()
            raise

    def run(self, tasks: Iterable[Task], stop: Callable[[], bool] = lambda: False) -> Iterator[Outcome]:
        """The outcome of each task, in order.

        Args:
          tasks: taken one by one, as processes become free.
          stop: asked before a file is begun; once True, files that were begun are finished and the others left.

        Raises:
          FdxError: the run cannot be loaded (see `Asked.load`).
          WorkerError: a process ended while it loaded the run.
        """
        source = enumerate(tasks)
        finished: dict[int, tuple[Outcome, list[logging.LogRecord]]] = {}
        begun = told = 0
        more = True
        while True:
            for place, worker in enumerate(self._workers):
                if not more or worker.task is not None or begun - told >= MOST_AHEAD:
                    continue
                number, task = next(source, (0, None)) if not stop() else (0, None)
                if task is None:
                    more = False
                    break
                self._give(place, number, task)
                begun = number + 1
            busy = {w.connection: w for w in self._workers if w.task is not None}
            if not busy:
                break
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                answer = worker.receive()
                if answer is not None:
                    finished[worker.number] = answer
            while told in finished:
                outcome, records = finished.pop(told)
                for record in records:
                    logging.getLogger(record.name).handle(record)
                yield outcome
                told += 1

    def close(self) -> None:
        """Ends the processes at once, also those that are at work."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _give(self, place: int, number: int, task: Task) -> None:
        """Gives a task to the worker at a place, or to a new one where that has died."""
        if not self._workers[place].give(number, task):
            self._workers[place].end()
            self._workers[place] = _Worker(self._asked)
            self._workers[place].give(number, task)


class _Worker:
    """One process, seen from the one that started it."""

    def __init__(self, asked: Asked):
        context = multiprocessing.get_context('spawn')
        self.connection, theirs = context.Pipe()
        self.task: Task | None = None
        self.number = -1
        self._ready = False
        levels = {name: logging.getLogger(name).level for name in LOGGERS}
        self._process = context.Process(target=work, args=(theirs, asked, levels), daemon=True)
        with interrupts_held():
            self._process.start()
        theirs.close()  # So that this process sees the end of the pipe when the other one dies.

    def give(self, number: int, task: Task) -> bool:
        """Sends a task; False if the process has died since its last one."""
        if self._ready and not self._process.is_alive():
            return False
        try:
            self.connection.send((number, task))
        except OSError:
            if self._ready:
                return False
            # It died while it loaded: what it said before, or that it said nothing, is read by `receive`.
        self.task, self.number = task, number
        return True

    def receive(self) -> tuple[Outcome, list[logging.LogRecord]] | None:
        """Takes one message: the outcome of the task and what was logged, or None where the process is ready."""
        task = self.task
        try:
            kind, content, records = self.connection.recv()
        except (EOFError, OSError):
            return self._died(task), []
        if kind == READY:
            self._ready = True
            return None
        if kind == REFUSED:
            raise content
        if kind == BROKEN:
            raise RuntimeError(f'a worker process failed while it loaded the run:\n{content}')
        self.task = None
        return content, records

    def _died(self, task: Task | None) -> Outcome:
        self._process.join()
        code = self._process.exitcode or 0
        how = f'was killed (signal {-code})' if code < 0 else f'ended with exit code {code}'
        if not self._ready or task is None:
            raise WorkerError(
                f'a worker process {how} before it had loaded the run; if the memory is too small, give fewer `workers`'
            )
        self.task = None
        return Outcome(
            task.file,
            error=f'{task.file} cannot be diagnosed: the process that did it {how}; if the memory is too small, give '
            'fewer `workers`',
        )

    def end(self) -> None:
        """Ends the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.connection.close()
