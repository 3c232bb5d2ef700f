"""The trainer, on a tiny state without a network: a run that is stopped anywhere ends as an unbroken one (law 10).

What is proved here holds for every kind of run, as all of them go through `run_training`: tests/train/test_resume.py,
tests/train/adapt/test_adapt_resume.py and tests/synth/test_train_generator.py prove it once more for their kind.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import time

import jax
import numpy as np
import pytest

from fdx.data.pipeline import ArrayExamples, train_batches
from fdx.train import parallel
from fdx.train.checkpoints import Checkpoints
from fdx.train.divergence import DivergedRunError
from fdx.train.loop import InterruptedRunError, Plan
from fdx.train.ownership import begin_change
from fdx.train.same_run import CLASSIFIER, Sameness
from fdx.train.steps import TrainState
from fdx.train.trainer import NO_PREFIX, Layout, Run, network_of, run_training
from fdx.types import CheckpointError, FdxError

STEPS, EPOCHS = 3, 3  # 18 examples in batches of 7
# A worse last epoch, so that the best step is not the last one.
LOSSES = {3: 0.5, 6: 0.25, 9: 0.75}
PREFIX = {'params': {'stage1': {'kernel': np.float32([1.0, 2.0])}}}
LAYOUT = Layout(
    network=network_of,
    rest=lambda state: {'opt': state.opt_state, 'stats': state.stats},
    fields=lambda variables, rest: {
        'params': variables['params'],
        'opt_state': rest['opt'],
        'stats': rest['stats'],
    },
    same=Sameness(CLASSIFIER, {'config': dict}, ('epochs',), ('rows',)),
)


class ToldToStopError(FdxError):
    """Raised by a check."""


def step(state, batch):
    """A moving sum of the examples, with momentum: every value depends on all batches before it."""
    seen = (batch['inputs'][..., 0] * batch['mask']).sum()
    momentum = state.opt_state['momentum'] * np.float32(0.5) + np.float32(seen)
    params = {'head': {'w': state.params['head']['w'] + momentum}}
    stats = {'head': {'mean': state.stats['head']['mean'] + np.float32(1)}}
    sums = {'loss': momentum[0], 'correct': np.float32(seen), 'count': batch['mask'].sum()}
    new = state.replace(step=state.step + 1, params=params, stats=stats, opt_state={'momentum': momentum})
    return new, sums


def make_run(*, settings=None, rows=18, prefix=NO_PREFIX, losses=LOSSES, **changes):
    """A run; `changes` are of its plan."""
    state = TrainState(
        step=np.int32(0),
        seed=np.int32(0),
        params={'head': {'w': np.zeros(2, np.float32)}},
        stats={'head': {'mean': np.zeros(2, np.float32)}},
        prefix=prefix,
        opt_state={'momentum': np.zeros(2, np.float32)},
    )
    numbers = np.arange(18, dtype=np.float32)[:, None]
    plan = Plan(
        step=step,
        batches=train_batches(ArrayExamples(numbers, np.zeros(18, np.int32)), 7, seed=3),
        batch_size=7,
        steps_per_epoch=STEPS,
        epochs=EPOCHS,
        validate=lambda state: {'validation_loss': losses[int(state.step)]},
        on_epoch=lambda row: None,
    )
    meta = {
        'config': {'rate': 0.5, 'init': 'w.safetensors', 'epochs': EPOCHS, **(settings or {})},
        'rows': rows,
        'frozen_stages': len(prefix['params']),
    }

    def choice(step, history):
        score = None if history is None else -history[-1]['validation_loss']
        return {'selection': {'criterion': 'loss', 'score': score}}

    plan = dataclasses.replace(plan, **changes)
    began = time.perf_counter()
    return Run(LAYOUT, meta, parallel.replicate(state), plan, choice, began, 'validation_loss', prefix)


def sigterm_before(epoch, step):
    """A progress bar that sends SIGTERM before a step of an epoch (from 1) runs."""

    def progress(iterable, desc='', **_):
        for i, item in enumerate(iterable):
            if desc.startswith(f'epoch {epoch}/') and i == step:
                os.kill(os.getpid(), signal.SIGTERM)
            yield item

    return progress


def killed_in(epoch, step):
    """A progress bar that breaks the run off before a step, as a kill does: nothing is saved."""

    def progress(iterable, desc='', **_):
        for i, item in enumerate(iterable):
            if desc.startswith(f'epoch {epoch}/') and i == step:
                raise KeyboardInterrupt
            yield item

    return progress


def ended(workdir):
    """Everything that a finished run leaves: steps, arrays bit for bit, history and log without seconds."""
    checkpoints = Checkpoints(workdir)
    last = checkpoints.resolve('last')
    like, meta = make_run().state, checkpoints.meta(last)
    variables, _ = checkpoints.restore_variables(last, LAYOUT.network(like), NO_PREFIX)
    arrays = jax.tree.leaves((variables, checkpoints.restore_optimiser(last, LAYOUT.rest(like))))
    log = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    rows = [[{k: v for k, v in row.items() if k != 'seconds'} for row in found] for found in (meta['history'], log)]
    return checkpoints.best_step(), last, [np.asarray(x).tobytes() for x in arrays], *rows, meta['sums'], meta['data']


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    """The workdir of a run that was never stopped: steps 6 (best) and 9."""
    workdir = tmp_path_factory.mktemp('unbroken')
    result = run_training(make_run(), workdir)
    assert (result.workdir, result.best_step) == (workdir, 6)
    assert [row['step'] for row in result.history] == [3, 6, 9]
    return workdir


@pytest.fixture
def copied(unbroken, tmp_path):
    return shutil.copytree(unbroken, tmp_path / 'copy')


@pytest.mark.parametrize(('epoch', 'step'), [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 2)])
def test_a_run_stopped_by_sigterm_goes_on_to_the_same_numbers(unbroken, tmp_path, epoch, step):
    with pytest.raises(InterruptedRunError, match=f'after step {STEPS * (epoch - 1) + step + 1};'):
        run_training(make_run(progress=sigterm_before(epoch, step)), tmp_path)
    run_training(make_run(), tmp_path)
    assert ended(tmp_path) == ended(unbroken)


def test_a_run_killed_and_stopped_again_and_again_goes_on_to_the_same_numbers(unbroken, tmp_path):
    for progress in (killed_in(1, 1), sigterm_before(1, 0), killed_in(2, 2), sigterm_before(3, 0), killed_in(3, 1)):
        with pytest.raises((KeyboardInterrupt, InterruptedRunError)):
            run_training(make_run(progress=progress), tmp_path)
    run_training(make_run(), tmp_path)
    assert ended(tmp_path) == ended(unbroken)


def test_fewer_epochs_first_and_the_rest_later(unbroken, tmp_path):
    run_training(make_run(settings={'epochs': 1}, epochs=1), tmp_path)
    run_training(make_run(), tmp_path)
    assert ended(tmp_path) == ended(unbroken)


def test_an_unfinished_step_is_done_again(unbroken, copied):
    (copied / 'checkpoints' / '9' / 'sha256.json').unlink()
    begin_change(copied / 'checkpoints' / '9', 'saving')
    seen = []
    run_training(make_run(on_epoch=seen.append), copied)
    assert [row['epoch'] for row in seen] == [3]
    assert ended(copied) == ended(unbroken)


def test_a_step_that_lost_its_manifest_is_refused_and_kept(copied):
    (copied / 'checkpoints' / '9' / 'sha256.json').unlink()
    for resume_step in ('last', 'best', 6):
        with pytest.raises(CheckpointError, match='checkpoints/9 .*sha256.json.* from step 6'):
            run_training(make_run(), copied, resume_step=resume_step)
    assert (copied / 'checkpoints' / '9' / 'params').is_dir()


def test_a_damaged_last_step_offers_the_one_before(unbroken, copied):
    path = copied / 'checkpoints' / '9' / 'opt' / 'manifest.ocdbt'
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CheckpointError, match='intact step .*`step`=6') as e:
        run_training(make_run(), copied)
    assert str(path) in str(e.value)
    seen = []
    run_training(make_run(on_epoch=seen.append), copied, resume_step=6)
    assert [row['epoch'] for row in seen] == [3]
    assert ended(copied) == ended(unbroken)


def test_a_finished_run_is_left_as_it_is(unbroken, copied):
    run_training(make_run(on_epoch=lambda row: pytest.fail('trained again')), copied)
    assert ended(copied) == ended(unbroken)


def test_a_run_of_other_settings_or_rows_is_refused_and_the_steps_stay(copied):
    for changes, words in (({'settings': {'rate': 0.25}}, '`rate`: 0.5 there, 0.25 now'), ({'rows': 17}, 'rows: 18')):
        with pytest.raises(CheckpointError, match=words):
            run_training(make_run(**changes), copied)
    run = make_run()
    refusing = dataclasses.replace(LAYOUT, check=lambda step, meta: pytest.fail(f'step {step} of {meta["rows"]} rows'))
    with pytest.raises(pytest.fail.Exception, match='step 9 of 18 rows'):
        run_training(dataclasses.replace(run, layout=refusing), copied)
    assert Checkpoints(copied).steps() == [6, 9]


def test_other_initial_weights_are_refused(tmp_path):
    """The frozen stages are stored once: those of now would be joined with the classifier of then."""
    run_training(make_run(prefix=PREFIX, epochs=1), tmp_path)
    assert (tmp_path / 'frozen').is_dir()
    other = jax.tree.map(lambda x: x + 1, PREFIX)
    with pytest.raises(CheckpointError, match='`init`=w.safetensors .*other weights'):
        run_training(make_run(prefix=other), tmp_path)
    # Another processor draws the same weights with other last bits.
    run_training(make_run(prefix=jax.tree.map(lambda x: x * np.float32(1 + 2e-7), PREFIX)), tmp_path)


def test_a_prefix_left_by_a_run_without_checkpoints_is_not_used(tmp_path):
    """A run with other weights died before its first checkpoint; the one that follows writes its own prefix."""
    Checkpoints(tmp_path).save_prefix(jax.tree.map(lambda x: x + 1, PREFIX))
    run_training(make_run(prefix=PREFIX, epochs=1), tmp_path)
    checkpoints = Checkpoints(tmp_path)
    _, stored = checkpoints.restore_variables(3, LAYOUT.network(make_run().state), PREFIX)
    np.testing.assert_array_equal(stored['params']['stage1']['kernel'], [1.0, 2.0])


def test_the_network_that_is_kept_may_differ_from_the_one_that_trains_on(unbroken, tmp_path):
    """As in adaptation with statistics of the target: they are stored, and training goes on with its own."""

    def kept(state):
        return state.replace(stats={'head': {'mean': np.full(2, -1, np.float32)}})

    run = dataclasses.replace(make_run(progress=sigterm_before(2, 1)), kept=kept)
    with pytest.raises(InterruptedRunError):
        run_training(run, tmp_path)
    run_training(dataclasses.replace(make_run(), kept=kept), tmp_path)
    checkpoints, like = Checkpoints(tmp_path), make_run().state
    stored = checkpoints.restore_variables(9, LAYOUT.network(like), NO_PREFIX)[0]['batch_stats']
    np.testing.assert_array_equal(stored['head']['mean'], [-1, -1])
    rest = checkpoints.restore_optimiser(9, LAYOUT.rest(like))
    np.testing.assert_array_equal(rest['stats']['head']['mean'], [9, 9])
    assert ended(tmp_path)[3:] == ended(unbroken)[3:]


def test_a_check_that_raises_leaves_the_last_good_checkpoint(tmp_path):
    def check(row):
        if row['step'] == 9:
            raise ToldToStopError('diverged')

    run = dataclasses.replace(make_run(check=check), criterion='')
    with pytest.raises(ToldToStopError):
        run_training(run, tmp_path)
    assert Checkpoints(tmp_path).steps() == [3, 6]


def test_a_run_whose_criterion_was_never_finite_is_refused(tmp_path):
    with pytest.raises(DivergedRunError, match='validation loss .*not finite .* 3 epochs'):
        run_training(make_run(losses=dict.fromkeys(LOSSES, float('nan'))), tmp_path)
