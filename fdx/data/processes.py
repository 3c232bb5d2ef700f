"""Work on a long list in several processes, with the results in its order.

Processes are started afresh (spawn), because JAX does not survive a fork, and with one thread for matrix products each.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import threadpoolctl

from fdx.types import DataError, FdxError

# Pieces of work that each process holds: the one it is at, and the next, so that it never waits.
AHEAD = 2


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def in_processes(
    function: Callable[[Any, Any], Any], shared: Any, tasks: Iterable[Any], workers: int, name: Callable[[Any], str]
) -> Iterator[Any]:
    """function(shared, task) for every task, in their order; a few results at most wait in memory.

    Args:
      function: of a module, so that the processes can import it.
      shared: what all tasks need; sent to each process once.
      tasks: taken one by one, as processes become free.
      workers: number of processes.
      name: of a task, for the message if its process dies.

    Raises:
      FdxError: what the function raised.
      DataError: a process was ended from outside, usually because the memory was too small.
      RuntimeError: a defect in the function, with its traceback.
    """
    crew: list[_Worker] = []
    try:
        with _main_module_hidden(), interrupts_held():
            crew += [_Worker(function, shared) for _ in range(workers)]
        # Task k is done by worker k modulo their number, so that results come in order without being sorted.
        waiting: collections.deque[tuple[_Worker, Any]] = collections.deque()
        for number, task in enumerate(tasks):
            if len(waiting) == AHEAD * workers:
                worker, first = waiting.popleft()
                yield worker.result(name(first))
            crew[number % workers].give(task)
            waiting.append((crew[number % workers], task))
        while waiting:
            worker, first = waiting.popleft()
            yield worker.result(name(first))
    finally:
        for worker in crew:
            worker.end()


class _Worker:
    """One process, seen from the one that started it."""

    def __init__(self, function: Callable[[Any, Any], Any], shared: Any):
        context = multiprocessing.get_context('spawn')
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, function, shared), daemon=True)
        self._process.start()
        theirs.close()  # So that this process sees the end of the pipe when the other one dies.

    def give(self, task: Any) -> None:
        # A process that has died already did so at an earlier task: reading that one's result says so.
        with contextlib.suppress(OSError):
            self._connection.send(task)

    def result(self, name: str) -> Any:
        try:
            done, content = self._connection.recv()
        except (EOFError, OSError) as e:
            raise self._died(name) from e
        if done:
            return content
        if isinstance(content, FdxError):
            raise content
        raise RuntimeError(f'a process failed at {name}:\n{content}')

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _died(self, name: str) -> DataError:
        self._process.join()
        code = self._process.exitcode or 0
        how = f'was killed (signal {-code})' if code < 0 else f'ended with exit code {code}'
        return DataError(
            f'{name}: the process that prepared it {how}; if the memory is too small, prepare with `workers`=1'
        )


def _work(connection: Connection, function: Callable[[Any, Any], Any], shared: Any) -> None:
    """The whole life of a process."""
    # Ctrl-C signals all processes of a terminal. The first one decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is to be said is in the results; without a handler, Python would write warnings to the terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    with contextlib.suppress(EOFError, OSError), threadpoolctl.threadpool_limits(1, 'blas'):
        while True:
            task = connection.recv()
            try:
                answer = True, function(shared, task)
            except FdxError as e:
                answer = False, e
            except Exception:
                answer = False, traceback.format_exc()
            connection.send(answer)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Processes that are started within it never see Ctrl-C, from their first moment; this one sees it afterwards.

    A process inherits which signals are held back. It would otherwise die of a Ctrl-C during its imports, and its death
    would be reported in place of the interruption.
    """
    if not hasattr(signal, 'pthread_sigmask'):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Started processes do not run the user's script again: it may lack `if __name__ == '__main__'`."""
    main = sys.modules['__main__']
    sys.modules['__main__'] = types.ModuleType('__main__')
    try:
        yield
    finally:
        sys.modules['__main__'] = main
