"""Work in several processes: its order, its errors, and processes that die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import pytest

from fdx.data.processes import in_processes
from fdx.types import DataError


def work(shared, task):
    """What the processes do: the first tasks take longest, so that order is not that of finishing."""
    if task == 'damaged':
        raise DataError('the file is damaged')
    if task == 'defect':
        raise KeyError('x')
    if task == 'killed':
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02 if task == 0 else 0)
    return shared + task, os.getpid()


def test_results_come_in_order_from_several_processes_and_tasks_are_taken_one_by_one():
    taken = []

    def tasks():
        for i in range(12):
            taken.append(i)
            yield i

    results = in_processes(work, 100, tasks(), 2, str)
    first = next(results)
    assert first[0] == 100 and len(taken) <= 5
    rest = list(results)
    assert [value for value, _ in (first, *rest)] == list(range(100, 112))
    assert len({pid for _, pid in (first, *rest)}) == 2
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ('task', 'error', 'words'),
    [
        ('damaged', DataError, '^the file is damaged$'),
        ('defect', RuntimeError, "a process failed at defect:\n(.|\n)*KeyError: 'x'"),
        ('killed', DataError, r'^killed: .*was killed \(signal 9\).*`workers`=1'),
    ],
)
def test_an_error_ends_all_processes(task, error, words):
    with pytest.raises(error, match=words):
        list(in_processes(work, 100, [1, 2, task, 3], 1, str))
    assert multiprocessing.active_children() == []


def test_a_process_that_is_dead_when_it_gets_more_is_blamed_at_the_task_that_killed_it():
    def slowly():
        for task in (1, 'killed', 2, 3):
            yield task
            time.sleep(1.0 if task == 'killed' else 0)  # It is dead before the next task is sent.

    with pytest.raises(DataError, match='^killed: '):
        list(in_processes(work, 100, slowly(), 1, str))


def test_leaving_early_ends_the_processes():
    results = in_processes(work, 0, range(1000), 1, str)
    next(results)
    results.close()
    assert multiprocessing.active_children() == []
