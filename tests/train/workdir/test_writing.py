"""Writing into a workdir: one program at a time, and what killed programs and failed saves leave behind."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import subprocess
import sys

import pytest

from fdx.files import FileWriteError
from fdx.locks import LOCK, LockedError
from fdx.train import manifest, ownership, workdir
from fdx.train.checkpoints import Checkpoints
from fdx.types import CheckpointError
from tests.train.workdir.saved import save, tree


def test_what_kills_leave_is_removed_at_the_next_start(run):
    root = run / 'checkpoints'
    # Killed while Orbax wrote 40, before the manifest of 50, while 20 was removed, and before the mark of 30 went.
    for step in (20, 30, 40, 50):
        ownership.begin_change(root / str(step), 'saving')
    (root / '40.orbax-checkpoint-tmp' / 'params').mkdir(parents=True)
    (root / '50' / 'params').mkdir(parents=True)
    (root / '20' / manifest.MANIFEST).unlink()
    hexadecimal = '0123456789abcdef' * 2
    for folder, name in ((run, '.metrics.jsonl.{}.tmp'), (root, '.run.json.{}.tmp')):
        (folder / name.format(hexadecimal)).write_text('half')
        (folder / name.format('short')).write_text('mine') if folder == run else None
    with Checkpoints(run).writing() as checkpoints:
        assert sorted(p.name for p in root.iterdir()) == ['10', '30', 'run.json']
        checkpoints.verify(30)
    assert sorted(p.name for p in run.iterdir()) == ['.metrics.jsonl.short.tmp', 'checkpoints', 'frozen']


def test_a_temporary_file_that_a_living_process_writes_is_left(run):
    path = run / f'.report.json.{"0" * 32}.tmp'
    path.write_text('half')
    with path.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with Checkpoints(run).writing():
            assert path.exists()
    with Checkpoints(run).writing():
        assert not path.exists()


HOLDER = """
import sys, time
from fdx.train.ownership import workdir_lock
with workdir_lock(sys.argv[1]):
    print('held', flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def another_program(folder):
    process = subprocess.Popen([sys.executable, '-c', HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == 'held\n'
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_program_is_refused_in_one_line_and_readers_are_not(run):
    with another_program(run) as process:
        with pytest.raises(LockedError) as e, Checkpoints(run).writing():
            pytest.fail('was let in')
        assert f'{run} is in use by process {process.pid} since ' in str(e.value)
        assert 'choose another `workdir`' in str(e.value)
        assert '\n' not in str(e.value)
        Checkpoints(run).verify(Checkpoints(run).best_step())
        process.kill()
        process.wait()
        assert (run / LOCK).exists()
        with Checkpoints(run).writing():
            pass
    assert not (run / LOCK).exists()


def test_one_program_may_hold_its_workdir_twice_and_several_workdirs(tmp_path):
    with ownership.workdir_lock(tmp_path):
        for fold in range(3):
            with ownership.workdir_lock(tmp_path / f'fold_{fold}'), ownership.workdir_lock(tmp_path):
                assert (tmp_path / LOCK).exists()
        assert [p.name for p in tmp_path.iterdir()] == [LOCK]
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_nothing_and_says_why(run, monkeypatch):
    before = tree(run)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(workdir.manifest, 'write_manifest', full)
    with pytest.raises(CheckpointError, match='checkpoints/40: No space left .*check'):
        save(run, 40)
    assert tree(run) == before
    with pytest.raises(CheckpointError, match='frozen: No space left .*check'):
        save(run.with_name('new'), 1)
    assert tree(run.with_name('new')) == []


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / 'file').write_text('mine')
    for path in (tmp_path / 'file', tmp_path / 'file' / 'run'):
        with pytest.raises(FileWriteError, match='write the workdir .*check.* writable folder'):
            save(path, 1)
    assert (tmp_path / 'file').read_text() == 'mine'
