"""A stopped run on two domains goes on bit for bit, and another one is refused."""

from __future__ import annotations

import os
import shutil
import signal

import jax
import pytest

from fdx.train.checkpoints import Checkpoints
from fdx.train.loop import InterruptedRunError
from fdx.types import CheckpointError


def sigterm_before(epoch, step):
    """A progress bar that sends SIGTERM before a step of an epoch (from 1) runs."""

    def progress(iterable, desc='', **_):
        for i, item in enumerate(iterable):
            if desc.startswith(f'epoch {epoch}/') and i == step:
                os.kill(os.getpid(), signal.SIGTERM)
            yield item

    return progress


@pytest.mark.parametrize('method', ['dann', 'adabn', 'dirt_t'])
def test_stopped_and_resumed_is_unbroken(finished, run, tmp_path, method, assert_same_trees, stored_rest):
    """In the first epoch, and behind the middle of the run, where dirt_t has left the source."""
    with pytest.raises(InterruptedRunError, match='after step 1;'):
        run(tmp_path, method, sigterm_before(1, 0))
    with pytest.raises(InterruptedRunError, match='after step 8;'):
        run(tmp_path, method, sigterm_before(3, 1))
    _, got = run(tmp_path, method)
    result, wanted = finished(method)
    assert got.history == wanted.history
    assert got.best_step == wanted.best_step
    for name in ('params', 'stats', 'best', 'best_stats'):
        assert_same_trees(getattr(got, name), getattr(wanted, name))
    assert_same_trees(stored_rest(tmp_path, method), stored_rest(result.workdir, method))


def test_another_plan_is_refused_in_the_same_workdir(finished, run, tmp_path):
    shutil.copytree(finished('dann')[0].workdir, tmp_path / 'copy')
    for method, changes, words in (
        ('cdan', {}, "--method: 'dann' there, 'cdan' now"),
        ('dann', {'select_by': 'last'}, "--select_by: 'source_risk' there, 'last' now"),
        ('dann', {'weight': 0.5, 'radius': 0.2}, '--weight: 0.0 there, 0.5 now; --radius: 0.1 there, 0.2 now'),
        ('dann', {'source': 'adapt_tones/two:fast', 'target': 'adapt_tones/two:slow'}, '--source: '),
        ('dann', {'batch_size': 5}, '--batch_size: 6 there, 5 now'),
    ):
        with pytest.raises(CheckpointError, match='the workdir holds another .*choose another --workdir') as caught:
            run(tmp_path / 'copy', method, **changes)
        assert words in str(caught.value)
    # It is still there, and finished.
    assert run(tmp_path / 'copy', 'dann')[1].history == finished('dann')[1].history


def test_a_workdir_without_adaptation_is_refused(finished, run, tmp_path, monkeypatch):
    shutil.copytree(finished('dann')[0].workdir, tmp_path / 'copy')
    meta = Checkpoints.meta
    monkeypatch.setattr(
        Checkpoints, 'meta', lambda self, step: {k: v for k, v in meta(self, step).items() if k != 'adaptation'}
    )
    with pytest.raises(CheckpointError, match='the workdir holds a run without adaptation'):
        run(tmp_path / 'copy', 'dann')


def test_other_initial_weights_are_refused(run, tmp_path, monkeypatch):
    """The frozen stages are not in the steps: those of now would be joined with the classifier of then."""
    options = {'method': 'jmmd', 'freeze': 'head', 'epochs': 1, 'cache_features': 'off', 'dropout_rate': 0.0}
    run(tmp_path, **options)
    restore = Checkpoints.restore_variables

    def changed(self, step, like, prefix_like):
        variables, prefix = restore(self, step, like, prefix_like)
        return variables, jax.tree.map(lambda x: x + 1, prefix)

    monkeypatch.setattr(Checkpoints, 'restore_variables', changed)
    with pytest.raises(CheckpointError, match='--init=random holds other weights than when this run began'):
        run(tmp_path, **options)
