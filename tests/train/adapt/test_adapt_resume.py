"""A stopped run on two domains goes on bit for bit, and another one is refused."""

from __future__ import annotations

import os
import shutil
import signal

import pytest

from fdx.adapt.checkpoint import LAYOUT
from fdx.adapt.step import AdaptState
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


def test_a_stopped_adaptation_goes_on_to_the_same_numbers(finished, run, tmp_path, assert_same_trees, stored_rest):
    """In the first epoch, and behind the middle of the run, where dirt_t has left the source.

    dirt_t has all that adaptation stores: a network with statistics, a discriminator, a teacher.
    """
    with pytest.raises(InterruptedRunError, match='after step 1;'):
        run(tmp_path, 'dirt_t', sigterm_before(1, 0))
    with pytest.raises(InterruptedRunError, match='after step 8;'):
        run(tmp_path, 'dirt_t', sigterm_before(3, 1))
    _, got = run(tmp_path, 'dirt_t')
    result, wanted = finished('dirt_t')
    assert got.history == wanted.history
    assert got.best_step == wanted.best_step
    for name in ('params', 'stats', 'best', 'best_stats'):
        assert_same_trees(getattr(got, name), getattr(wanted, name))
    assert_same_trees(stored_rest(tmp_path, 'dirt_t'), stored_rest(result.workdir, 'dirt_t'))


def test_training_goes_on_with_its_own_statistics_and_not_with_those_of_the_target():
    """adabn stores a network with statistics of the target; see `kept` in tests/train/test_trainer.py."""
    state = AdaptState(3, 0, {'p': 1}, {'mean': 2}, {'params': {}}, {'network': 3, 'extra': 4}, {'d': 5}, {'t': 6})
    network = LAYOUT.network(state.replace(stats={'mean': -1}))
    assert network == {'params': {'p': 1}, 'batch_stats': {'mean': -1}}
    blank = state.replace(params={}, stats={}, opt_state={}, extra={}, teacher={})
    assert blank.replace(**LAYOUT.fields(network, LAYOUT.rest(state))) == state


def test_another_plan_is_refused_in_the_same_workdir_and_the_same_one_is_finished(finished, run, tmp_path):
    """Every setting that counts: tests/train/test_same_run.py."""
    shutil.copytree(finished('dirt_t')[0].workdir, tmp_path / 'copy')
    with pytest.raises(CheckpointError, match="`method`: 'dirt_t' there, 'source_only' now.*choose another `workdir`"):
        run(tmp_path / 'copy', 'source_only')
    assert run(tmp_path / 'copy', 'dirt_t')[1].history == finished('dirt_t')[1].history
