"""launch.train in folders that others use, too: refused in one line, and nothing of theirs is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from fdx.train.manifest import MANIFEST

HOLDER = """
import sys, time
from fdx.train.ownership import workdir_lock
with workdir_lock(sys.argv[1]):
    print('held', flush=True)
    time.sleep(600)
"""


@pytest.fixture
def run(all_folds, tmp_path):
    """A copy of a finished run of one fold."""
    shutil.copytree(all_folds[0] / 'fold_0', tmp_path / 'run')
    return tmp_path / 'run'


@pytest.fixture
def holder():
    """Starts a program that holds the lock of a workdir; returns its process."""
    started = []

    def start(workdir):
        process = subprocess.Popen([sys.executable, '-c', HOLDER, str(workdir)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == 'held\n'
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_training_is_refused_and_evaluation_is_not(call, train_args, run, holder):
    process = holder(run)
    done = call('train', *train_args, '--epochs=3', f'--workdir={run}')
    assert done.code == 1
    assert f'the workdir {run} is in use by process {process.pid} since' in done.error
    assert call('evaluate', f'--checkpoint={run}').code == 0
    process.kill()
    process.wait()
    assert call('train', *train_args, '--epochs=3', f'--workdir={run}').code == 0
    assert not [name for name in os.listdir(run) if 'lock' in name]


def test_a_training_of_all_folds_holds_the_workdir_above_them(call, train_args, tmp_path, holder):
    holder(tmp_path)
    done = call('train', *train_args, '--fold=all', f'--workdir={tmp_path}')
    assert (done.code, f'the workdir {tmp_path} is in use' in done.error) == (1, True)
    assert not (tmp_path / 'fold_0').exists()


@pytest.mark.parametrize('where', ['checkpoints/notes', 'checkpoints/7', 'frozen'])
def test_a_users_folder_is_named_and_stays(call, train_args, tmp_path, where):
    path = tmp_path / 'run' / where / 'deep' / 'thesis.txt'
    path.parent.mkdir(parents=True)
    path.write_text('mine')
    done = call('train', *train_args, f'--workdir={tmp_path / "run"}')
    assert done.code == 1
    assert str(tmp_path / 'run' / where) in done.error
    assert path.read_text() == 'mine'


def test_a_step_without_its_manifest_is_an_error_for_every_program(call, train_args, run):
    steps = sorted(int(p.name) for p in (run / 'checkpoints').iterdir() if p.name.isdigit())
    (run / 'checkpoints' / str(steps[-1]) / MANIFEST).unlink()
    for program, *flags in (('train', *train_args, f'--workdir={run}'), ('evaluate', f'--checkpoint={run}')):
        done = call(program, *flags)
        assert (done.code, f'checkpoints/{steps[-1]} has no sha256.json' in done.error) == (1, True)
    assert (run / 'checkpoints' / str(steps[-1]) / 'params').is_dir()


@pytest.mark.parametrize('name', ['bearing_rig/../../x', '/etc', 'bearing_rig/a\nb', '../bearing_rig/rig_b_small'])
def test_datasets_have_names_and_no_paths(call, data_dir, name, tmp_path):
    for program in ('train', 'probe'):
        done = call(program, f'--dataset={name}', f'--data_dir={data_dir}', f'--workdir={tmp_path / "run"}')
        assert (done.code, 'cannot name a file or folder' in done.error) == (1, True)
    assert list(tmp_path.iterdir()) == []
