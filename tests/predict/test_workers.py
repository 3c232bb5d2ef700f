"""Files in several processes: the order and the numbers of one, whatever becomes of a process."""

from __future__ import annotations

import logging
import time

import pytest

from fdx.predict.asking import Task
from fdx.predict.workers import MANY_FILES, WorkerError, Workers, default_workers, diagnosing
from fdx.types import CheckpointError, ConfigError
from tests.predict.by_level import ByLevel


def written(folder, texts, **options) -> list[Task]:
    tasks = []
    for i, text in enumerate(texts):
        (folder / f'{i:02}.txt').write_text(text)
        tasks.append(Task(str(folder / f'{i:02}.txt'), options))
    return tasks


def test_two_processes_say_what_one_says_and_in_its_order(tmp_path, caplog):
    """A slow file in front, an error of fdx, a defect, a folder that cannot be listed, and warnings of a reader."""
    tasks = written(tmp_path, ['slow', '1', 'damaged', 'no number', '0.5', '3'], told='a note')
    tasks.append(Task('closed', {}, 'closed cannot be listed'))
    found = {}
    for workers in (1, 2):
        caplog.clear()
        with diagnosing(ByLevel(), workers) as crew, caplog.at_level(logging.INFO):
            found[workers] = list(crew.run(tasks))
        told = [r.getMessage() for r in caplog.records if r.name == 'fdx.told']
        assert told == [f'{i:02}.txt: a note' for i in (0, 1, 3, 4, 5)]
    assert found[2] == found[1]
    assert [o.file for o in found[1]] == [t.file for t in tasks]
    assert [o.failed for o in found[1]] == [False, False, True, True, False, False, True]
    assert found[1][2].error.endswith('02.txt is damaged; give another `told`')
    assert 'cannot be diagnosed (ValueError: could not convert' in found[1][3].error
    assert found[1][1].rows[1]['mean_probabilities'] == {'inner_race': 0.75, 'normal': 0.25}


def test_a_killed_process_costs_its_file_and_none_else(tmp_path):
    """Also where both processes die, and where one was killed while it had nothing to do."""
    tasks = written(tmp_path, ['0', 'killed', '2', 'killed', '0.5', '3'])
    with diagnosing(ByLevel(), 2) as crew:
        first = list(crew.run(tasks))
        crew._workers[0]._process.kill()
        crew._workers[0]._process.join()
        again = list(crew.run(tasks[-2:]))
    assert [bool(o.error) for o in first] == [False, True, False, True, False, False]
    assert first[1].error == (
        f'{tasks[1].file} cannot be diagnosed: the process that did it was killed (signal 9); if the memory is too '
        'small, give fewer `workers`'
    )
    assert again == first[-2:]


def test_what_no_file_can_mend_is_one_error(tmp_path):
    tasks = written(tmp_path, ['0'] * 3)
    with diagnosing(ByLevel(refused='no such run'), 2) as crew, pytest.raises(CheckpointError, match='no such run'):
        list(crew.run(tasks))
    with diagnosing(ByLevel(dies=True), 2) as crew, pytest.raises(WorkerError, match=r'signal 9\) before it had'):
        list(crew.run(tasks))
    with pytest.raises(ConfigError, match='`workers`=0'), diagnosing(ByLevel(), 0):
        pass


def test_stop_leaves_what_has_not_begun_and_close_does_not_wait(tmp_path):
    tasks = written(tmp_path, ['0'] * 6)
    done = []
    with diagnosing(ByLevel(), 1) as crew:
        for outcome in crew.run(tasks, lambda: len(done) >= 2):
            done.append(outcome)
    assert len(done) == 2
    tasks = written(tmp_path, ['slow'] * 40)
    with diagnosing(ByLevel(), 2) as crew:
        assert isinstance(crew, Workers)
        done = []
        for outcome in crew.run(tasks, lambda: len(done) >= 1):
            done.append(outcome)
        assert 1 <= len(done) <= 4
        next(iter(crew.run(tasks)))
        began = time.monotonic()
    assert time.monotonic() - began < 2.0


def test_many_files_use_all_cores_and_few_do_not(monkeypatch):
    monkeypatch.setattr('os.sched_getaffinity', lambda pid: set(range(5)), raising=False)
    assert default_workers(MANY_FILES - 1, ByLevel()) == 1
    assert default_workers(MANY_FILES, ByLevel()) == 5
