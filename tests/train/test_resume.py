"""Runs that were stopped, killed or are of another config: a resumed run ends in the same numbers (law 10)."""

from __future__ import annotations

import json
import os
import shutil
import signal

import jax
import numpy as np
import pytest

from fdx.train.checkpoints import Checkpoints
from fdx.train.loop import InterruptedRunError
from fdx.train.ownership import begin_change
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


def test_a_killed_run_goes_on_to_the_same_numbers(make_config, start_program, tmp_path, assert_is_unbroken):
    """SIGKILL in the middle of epoch 2: the step is lost, the checkpoint of epoch 1 is not."""
    spec = {
        'config': make_config().to_json(),
        'workdir': str(tmp_path / 'run'),
        'signal': ['SIGKILL', 2, 1, 0],
    }
    process = start_program(spec)
    log, _ = process.communicate(timeout=240)
    assert process.returncode == -signal.SIGKILL, log
    steps = [p.name for p in (tmp_path / 'run' / 'checkpoints').iterdir() if p.is_dir()]
    assert steps == ['3']
    result = train(make_config(), tmp_path / 'run')
    assert [row['epoch'] for row in result.history] == [1, 2, 3]
    assert_is_unbroken(tmp_path / 'run')


def test_sigterm_in_an_epoch_saves_and_resuming_gives_the_same_numbers(make_config, tmp_path, assert_is_unbroken):
    """Stopped twice: before the history has a row, and in the middle of epoch 2."""
    workdir = tmp_path / 'run'
    with pytest.raises(InterruptedRunError, match='SIGTERM after step 1; run the same command to go on'):
        train(make_config(), workdir, progress=sigterm_before(1, 0))
    assert lines(workdir) == []
    with pytest.raises(InterruptedRunError, match='after step 5;'):
        train(make_config(), workdir, progress=sigterm_before(2, 1))
    assert sorted(int(p.name) for p in (workdir / 'checkpoints').iterdir() if p.is_dir()) == [3, 5]
    assert [row['epoch'] for row in lines(workdir)] == [1]
    train(make_config(), workdir)
    assert_is_unbroken(workdir)


@pytest.fixture
def copied(unbroken, tmp_path):
    """A copy of the finished run, steps 6 and 9, that a test may spoil."""
    shutil.copytree(unbroken.workdir, tmp_path / 'copy')
    return tmp_path / 'copy'


def test_an_unfinished_step_is_done_again(make_config, copied, assert_is_unbroken):
    (copied / 'checkpoints' / '9' / 'sha256.json').unlink()
    begin_change(copied / 'checkpoints' / '9', 'saving')
    seen = []
    train(make_config(), copied, on_epoch=seen.append)
    assert [row['epoch'] for row in seen] == [3]
    assert_is_unbroken(copied)


def test_a_step_that_lost_its_manifest_is_refused_and_kept(make_config, copied):
    (copied / 'checkpoints' / '9' / 'sha256.json').unlink()
    for step in ('last', 'best', 6):
        with pytest.raises(CheckpointError, match='checkpoints/9 has no sha256.json.*then goes on from step 6'):
            train(make_config(), copied, resume_step=step)
    assert (copied / 'checkpoints' / '9' / 'params').is_dir()


def test_a_damaged_last_step_offers_the_one_before(make_config, copied, assert_is_unbroken):
    path = copied / 'checkpoints' / '9' / 'opt' / 'manifest.ocdbt'
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CheckpointError, match='newest intact step is 6: pass --step=6') as e:
        train(make_config(), copied)
    assert str(path) in str(e.value)
    seen = []
    train(make_config(), copied, resume_step=6, on_epoch=seen.append)
    assert [row['epoch'] for row in seen] == [3]
    assert_is_unbroken(copied)


def test_a_finished_run_is_left_as_it_is(make_config, copied, unbroken):
    result = train(make_config(), copied, on_epoch=lambda row: pytest.fail('trained again'))
    assert result.best_step == unbroken.best_step
    assert lines(copied) == unbroken.history


def test_another_config_is_refused_with_its_flags(make_config, copied):
    changes = {'batch_size': 6, 'learning_rate': 1e-3, 'model_options': {'width_multiplier': 1 / 32}}
    with pytest.raises(CheckpointError, match='the workdir holds another run .*choose another --workdir') as e:
        train(make_config(**changes), copied)
    for text in ('--batch_size: 7 there, 6 now', '--learning_rate: 0.002 there, 0.001 now', '--model_options: '):
        assert text in str(e.value)
    assert '--seed' not in str(e.value)
    assert (copied / 'checkpoints' / '9').is_dir()


def test_a_dataset_that_has_changed_under_its_name_is_refused(make_config, copied, monkeypatch):
    names = ['normal', 'inner_race', 'ball']
    monkeypatch.setattr('fdx.data.source.Dataset.class_names', lambda self, key='label': names)
    with pytest.raises(CheckpointError, match="have changed since .*class_names: .*outer_race.* there, .*'ball'"):
        train(make_config(), copied)
    assert (copied / 'checkpoints' / '9').is_dir()


def test_rules_that_have_changed_in_their_file_are_refused(make_head_config, tmp_path):
    rules = tmp_path / 'rules'
    rules.write_text('train head/.*\nfreeze (?!head/).*\n')
    config = make_head_config(freeze=str(rules), epochs=1)
    train(config, tmp_path / 'run')
    rules.write_text('train (embedding|head)/.*\nfreeze (?!embedding|head/).*\n')
    with pytest.raises(CheckpointError, match='freezing rules have changed since .*frozen_stages: 7 there, 6 now'):
        train(config, tmp_path / 'run')


def test_a_prefix_left_by_a_run_without_checkpoints_is_not_used(make_head_config, head_run, tmp_path, outcome):
    """A run of another seed died before its first checkpoint; the one that follows has its own prefix."""
    stages = ('stage1', 'stage2', 'stage3', 'stage4', 'fc1', 'fc2', 'embedding')
    left = jax.tree.map(lambda x: np.asarray(x) + 1, {k: head_run.params[k] for k in stages})
    Checkpoints(tmp_path).save_prefix({'params': left})
    train(make_head_config(), tmp_path)
    got = outcome(tmp_path)
    assert got.history == head_run.history
    for stage in stages:
        for x, y in zip(jax.tree.leaves(got.params[stage]), jax.tree.leaves(head_run.params[stage])):
            np.testing.assert_array_equal(x, y)
