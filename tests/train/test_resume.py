"""Resuming a classifier: it ends in the same numbers (law 10). All else about resuming: tests/train/test_trainer.py."""

from __future__ import annotations

import json
import os
import shutil
import signal

import pytest

from fdx.train.loop import InterruptedRunError
from fdx.train.run import train
from fdx.types import CheckpointError


def lines(workdir):
    rows = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != 'seconds'} for row in rows]


def sigterm_before(epoch, step):
    """A progress bar that sends SIGTERM before a step of an epoch (from 1) runs."""

    def progress(iterable, desc='', **_):
        for i, item in enumerate(iterable):
            if desc.startswith(f'epoch {epoch}/') and i == step:
                os.kill(os.getpid(), signal.SIGTERM)
            yield item

    return progress


@pytest.fixture
def assert_is_unbroken(unbroken, outcome, assert_same_trees):
    """Fails unless a run has ended bit for bit as the unbroken one."""

    def check(workdir):
        got = outcome(workdir)
        assert_same_trees(got.params, unbroken.params)
        assert_same_trees(got.best, unbroken.best)
        assert got.history == unbroken.history
        assert got.best_step == unbroken.best_step
        assert lines(workdir) == unbroken.history

    return check


def test_a_killed_and_stopped_classifier_goes_on_to_the_same_numbers(
    make_config, start_program, tmp_path, assert_is_unbroken
):
    """SIGKILL in the middle of epoch 2, whose steps are lost, then SIGTERM in the middle of epoch 3."""
    workdir = tmp_path / 'run'
    spec = {'config': make_config().to_json(), 'workdir': str(workdir), 'signal': ['SIGKILL', 2, 1, 0]}
    process = start_program(spec)
    log, _ = process.communicate(timeout=240)
    assert process.returncode == -signal.SIGKILL, log
    assert [p.name for p in (workdir / 'checkpoints').iterdir() if p.is_dir()] == ['3']
    with pytest.raises(InterruptedRunError, match='SIGTERM .*step 8; .*same command'):
        train(make_config(), workdir, progress=sigterm_before(3, 1))
    assert sorted(int(p.name) for p in (workdir / 'checkpoints').iterdir() if p.is_dir()) == [6, 8]
    assert [row['epoch'] for row in lines(workdir)] == [1, 2]
    result = train(make_config(), workdir)
    assert [row['epoch'] for row in result.history] == [1, 2, 3]
    assert_is_unbroken(workdir)


@pytest.fixture
def copied(unbroken, tmp_path):
    """A copy of the finished run, steps 6 and 9, that a test may spoil."""
    return shutil.copytree(unbroken.workdir, tmp_path / 'copy')


def test_another_config_is_refused_with_its_settings(make_config, copied):
    changes = {'batch_size': 6, 'learning_rate': 1e-3, 'model_options': {'width_multiplier': 1 / 32}}
    with pytest.raises(CheckpointError, match='another run .*choose another `workdir`') as e:
        train(make_config(**changes), copied)
    for text in ('`batch_size`: 7 there, 6 now', '`learning_rate`: 0.002 there, 0.001 now', '`model_options`: '):
        assert text in str(e.value)
    assert '`seed`' not in str(e.value)
    assert (copied / 'checkpoints' / '9').is_dir()


def test_a_dataset_that_has_changed_under_its_name_is_refused(make_config, copied, monkeypatch):
    names = ['normal', 'inner_race', 'ball']
    monkeypatch.setattr('fdx.data.source.Dataset.class_names', lambda self, key='label': names)
    with pytest.raises(CheckpointError, match="class_names: .*outer_race.* there, .*'ball'.*choose another `workdir`"):
        train(make_config(), copied)
    assert (copied / 'checkpoints' / '9').is_dir()
