"""launch.train from the command line: folds, resuming, stopping, several hosts."""

from __future__ import annotations

import json
import os
import pathlib
import signal

import jax
import pytest

from fdx.train.checkpoints import Checkpoints
from fdx.types import FdxError
from launch import display


def history(workdir: pathlib.Path) -> list[dict]:
    """The epochs of a run, without their seconds."""
    checkpoints = Checkpoints(workdir)
    rows = checkpoints.meta(checkpoints.resolve('last'))['history']
    return [{k: v for k, v in row.items() if k != 'seconds'} for row in rows]


def test_all_folds_are_trained_and_logged(all_folds):
    workdir, done = all_folds
    lines = done.out.splitlines()
    assert [line for line in lines if line.startswith('fold ')] == [f'fold {i}' for i in range(5)]
    assert sum(line.startswith('epoch ') for line in lines) == 10
    assert sum('by validation loss' in line for line in lines) == 5
    assert lines[-1] == f'score it: python -m launch.evaluate --checkpoint={workdir}'
    folds = sorted(workdir.glob('fold_*'))
    assert [fold.name for fold in folds] == [f'fold_{i}' for i in range(5)]
    for fold in folds:
        rows = [json.loads(line) for line in (fold / 'metrics.jsonl').read_text().splitlines()]
        assert [row['epoch'] for row in rows] == [1, 2]
        assert any('tfevents' in p.name for p in fold.rglob('*'))
    splits = [Checkpoints(workdir / f'fold_{i}').meta(10)['splits'] for i in range(5)]
    assert splits == [{'train': 18, 'validation': 6, 'test': 6}] * 5


def test_a_finished_command_given_again_trains_nothing(call, all_folds, train_args):
    workdir = all_folds[0] / 'fold_1'
    before = history(workdir)
    done = call('train', *train_args, '--fold=1', f'--workdir={workdir}')
    assert (done.code, 'epoch ' in done.out) == (0, False)
    assert 'best step' in done.out
    assert history(workdir) == before
    other = call('train', *train_args, '--fold=2', f'--workdir={workdir}')
    assert other.code == 1
    assert '--fold: 1 there, 2 now' in other.error


def test_sigterm_saves_and_the_same_command_ends_with_the_same_numbers(
    call, all_folds, train_args, tmp_path, monkeypatch
):
    command = ('train', *train_args, '--fold=0', f'--workdir={tmp_path / "run"}')

    def stop_after_first_epoch(row: dict) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        return f'epoch {row["epoch"]}'

    monkeypatch.setattr(display, 'epoch_line', stop_after_first_epoch)
    stopped = call(*command)
    assert stopped.code == 143
    assert 'SIGTERM' in stopped.error and 'run the same command' in stopped.error
    assert len(history(tmp_path / 'run')) == 1
    monkeypatch.undo()
    assert call(*command).code == 0
    assert history(tmp_path / 'run') == history(all_folds[0] / 'fold_0')


@pytest.mark.parametrize(
    ('args', 'words'),
    [
        (['--step=best'], 'no finished checkpoint'),
        (['--step=7', '--fold=all'], '--step=7 with --fold=all'),
        (['--num_processes=2'], '--coordinator=ADDRESS:PORT'),
        (['--process_id=1'], '--coordinator=ADDRESS:PORT'),
    ],
)
def test_flags_that_would_have_no_effect_are_refused(call, train_args, tmp_path, args, words):
    done = call('train', *train_args, *args, f'--workdir={tmp_path / "new"}')
    assert done.code == 1
    assert words in done.error
    assert not (tmp_path / 'new').exists()


def test_the_flags_of_several_hosts_reach_jax(call, train_args, tmp_path, monkeypatch):
    calls = []

    def initialize(*args):
        calls.append(args)
        raise FdxError('enough')

    monkeypatch.setattr(jax.distributed, 'initialize', initialize)
    hosts = ('--coordinator=10.0.0.1:1234', '--num_processes=4', '--process_id=3')
    done = call('train', *train_args, *hosts, f'--workdir={tmp_path}')
    assert done.error == 'error: enough'
    assert calls == [('10.0.0.1:1234', 4, 3)]
