"""Locks over processes: held, waited for, left by a killed process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time

import filelock
import pytest

from fdx import locks
from fdx.files import FileWriteError
from fdx.locks import LOCK, LockedError, hold, prepared_lock

HOLDER = """
import sys, time
from fdx.locks import hold
with hold(sys.argv[1], 'the thing'):
    print('held', flush=True)
    time.sleep(float(sys.argv[2]))
print('free', flush=True)
"""


@contextlib.contextmanager
def holder(path, seconds=60):
    process = subprocess.Popen(
        [sys.executable, '-c', HOLDER, str(path), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == 'held\n'
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_another_process_is_refused_with_the_holder(tmp_path):
    with holder(tmp_path / LOCK) as process:
        with (
            pytest.raises(LockedError, match='the workdir is in use by process') as e,
            hold(tmp_path / LOCK, 'the workdir'),
        ):
            pytest.fail('was let in')
        assert f'process {process.pid} since 20' in str(e.value)
        assert '(-c ' in str(e.value)
    with hold(tmp_path / LOCK, 'the workdir'):
        pass


def test_waiting_says_for_whom_and_ends_when_the_holder_ends(tmp_path):
    said = []
    with holder(tmp_path / LOCK, 1.0) as process:
        began = time.monotonic()
        with hold(tmp_path / LOCK, 'it', wait=True, notify=said.append) as held:
            assert time.monotonic() - began > 0.3
            assert held.left_since is None
        assert process.stdout.readline() == 'free\n'
    assert len(said) == 1
    assert said[0].startswith(f'waiting for process {process.pid} since ')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_of_a_killed_process_is_free_and_tells_since_when_it_was_held(tmp_path, how):
    before = time.time()
    with holder(tmp_path / LOCK) as process:
        process.send_signal(how)
        process.wait()
        assert json.loads((tmp_path / LOCK).read_text())['pid'] == process.pid
        with hold(tmp_path / LOCK, 'it') as held:
            assert before - 1 <= held.left_since <= time.time()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    'left', ['', '{', '[]', 'NaN', '{"since": "x"}', '{"pid": 1, "host": "elsewhere", "since": 5}']
)
def test_a_lock_file_without_a_living_holder_is_no_lock(tmp_path, left):
    (tmp_path / LOCK).write_text(left)
    with hold(tmp_path / LOCK, 'it') as held:
        assert held.left_since == (5.0 if 'elsewhere' in left else None)


def test_the_host_of_another_holder_is_named(tmp_path, monkeypatch):
    with holder(tmp_path / LOCK):
        monkeypatch.setattr(locks.socket, 'gethostname', lambda: 'here')
        with pytest.raises(LockedError, match=r'process \d+ on \S+ since'), hold(tmp_path / LOCK, 'it'):
            pytest.fail('was let in')


def test_a_thread_may_hold_it_twice_and_another_thread_may_not(tmp_path):
    errors = []

    def other():
        try:
            with hold(tmp_path / LOCK, 'it'):
                errors.append('was let in')
        except LockedError as e:
            errors.append(str(e))

    with hold(tmp_path / LOCK, 'it'):
        with hold(tmp_path / LOCK, 'it'):
            pass
        assert (tmp_path / LOCK).exists()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(errors) == 1
    assert f'in use by process {os.getpid()} ' in errors[0]


def test_folders_are_made_and_stay_only_where_something_came_into_them(tmp_path):
    with hold(tmp_path / 'a' / 'b' / LOCK, 'it'):
        assert (tmp_path / 'a' / 'b').is_dir()
    assert list(tmp_path.iterdir()) == []
    with hold(tmp_path / 'a' / 'b' / LOCK, 'it'):
        (tmp_path / 'a' / 'x').touch()
    assert [p.name for p in tmp_path.rglob('*')] == ['a', 'x']
    with pytest.raises(KeyError), hold(tmp_path / 'c' / LOCK, 'it'):
        raise KeyError
    assert not (tmp_path / 'c').exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    with pytest.raises(FileWriteError, match='cannot write it: .*; check that it is a writable folder'):
        hold(tmp_path / 'file' / LOCK, 'it').__enter__()

    def full(*args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(filelock.FileLock, 'acquire', full)
    with pytest.raises(FileWriteError, match='cannot write it: Read-only file system'):
        hold(tmp_path / LOCK, 'it').__enter__()


def test_a_file_system_without_locks_is_warned_about(tmp_path, monkeypatch, caplog):
    def none(*args, **kwargs):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(filelock.FileLock, 'acquire', none)
    with hold(tmp_path / LOCK, 'the workdir'):
        pass
    assert 'the workdir lies on a file system without locks' in caplog.text


def test_the_lock_of_a_dataset_waits_and_lies_beside_it(tmp_path):
    said = []
    with holder(tmp_path / f'.cwru{LOCK}', 0.7), prepared_lock(tmp_path, 'cwru', said.append):
        assert (tmp_path / f'.cwru{LOCK}').exists()
    assert len(said) == 1
    assert 'which writes the dataset cwru in' in said[0]
    with holder(tmp_path / f'.cwru{LOCK}'), prepared_lock(tmp_path, 'mfpt', said.append):
        assert len(said) == 1
