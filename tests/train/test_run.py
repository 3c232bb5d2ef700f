"""A run as a whole: what it says about itself, which step is best, and that the seed decides its numbers."""

from __future__ import annotations

import importlib.metadata
import json
import math

import jax
import numpy as np
import pytest

import fdx
from fdx.data.pipeline import RecordExamples
from fdx.predict.backends.checkpoint import Predictor
from fdx.signal.front_ends import create_front_end
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.description import selection
from fdx.train.model_setup import load_run, set_up_model
from fdx.train.run import train
from fdx.train.run_data import select_rows
from fdx.types import ConfigError


def test_a_checkpoint_explains_itself(make_head_config, head_run, unbroken):
    checkpoints = Checkpoints(head_run.workdir)
    path = head_run.workdir / 'checkpoints' / str(head_run.best_step) / 'meta' / 'metadata'
    meta = json.loads(path.read_text())
    assert meta == checkpoints.meta(head_run.best_step)
    assert TrainConfig.from_json(meta['config']) == make_head_config()
    config = meta['config']
    assert (config['model'], config['protocol'], config['fold'], config['seed']) == ('vggish', 'time_blocks', 0, 3)
    assert meta['class_names'] == ['normal', 'inner_race', 'outer_race']
    assert meta['front_end'] == create_front_end('vggish').config()
    assert meta['gain'] == 1.0
    assert meta['dataset']['name'] == 'train_room_tones/three-vggish:1.0.0'
    assert (meta['dataset']['common_rate_hz'], meta['dataset']['window_length']) == (16000.0, 15600)
    assert meta['splits'] == {'train': 18, 'validation': 6, 'test': 6}
    assert meta['train_recordings'] == ['rec-inner_race', 'rec-normal', 'rec-outer_race']
    assert (meta['leaks'], meta['leak']['shared']) == (False, 0.0)
    assert (meta['frozen_stages'], meta['trained_values']) == (7, 4 * 3 + 3)
    assert meta['init'].startswith(f'{unbroken.workdir} step {unbroken.best_step} ')
    assert meta['versions']['fdx'] == fdx.__version__
    assert meta['versions']['jax'] == jax.__version__
    assert meta['versions']['numpy'] == np.__version__
    assert meta['versions']['orbax-checkpoint'] == importlib.metadata.version('orbax-checkpoint')
    assert (meta['backend'], meta['devices'], meta['step']) == (jax.default_backend(), 1, head_run.best_step)
    assert meta['selection']['criterion'] == 'loss'
    assert meta['selection']['score'] == -meta['history'][-1]['validation_loss']
    assert meta['seconds'] > 0


def test_the_leak_of_random_windows_is_noted(make_head_config, tmp_path):
    train(make_head_config(protocol='random_windows', epochs=1), tmp_path / 'run')
    assert load_run(tmp_path / 'run')[1]['leaks'] is True


def as_trained(predictor, examples):
    """Probabilities without the temperature that was fitted afterwards."""
    p = predictor.probabilities(examples).astype(np.float64) ** predictor.temperature
    return p / p.sum(axis=1, keepdims=True)


def test_evaluation_restores_the_step_that_validation_chose(make_head_config, tmp_path, dataset, outcome):
    """A rate so high that a later epoch is worse: the best step is not the last one."""
    config = make_head_config(learning_rate=0.3, epochs=4, halve_every=0)
    result = train(config, tmp_path / 'run')
    losses = {row['step']: row['validation_loss'] for row in result.history}
    best = min(losses, key=losses.get)
    assert result.best_step == best == 6
    predictor = Predictor(tmp_path / 'run')
    assert predictor.step == best
    rows = select_rows(config, dataset)[0].validation
    examples = RecordExamples(dataset, rows, 'label')
    p = as_trained(predictor, examples)
    assert -np.log(p[np.arange(len(rows)), examples.labels()]).mean() == pytest.approx(losses[best], rel=1e-4)
    last = as_trained(Predictor(tmp_path / 'run', 'last'), examples)
    assert -np.log(last[np.arange(len(rows)), examples.labels()]).mean() == pytest.approx(losses[12], rel=1e-4)


ROW = {'step': 30, 'validation_loss': 0.25, 'validation_macro_f1': 0.5, 'validation_accuracy': 0.75}


@pytest.mark.parametrize(
    ('criterion', 'score'), [('loss', -0.25), ('macro_f1', 0.5), ('accuracy', 0.75), ('last', 30.0)]
)
def test_the_score_of_an_epoch(criterion, score):
    assert selection(ROW, criterion) == {'criterion': criterion, 'score': score}


@pytest.mark.parametrize('loss', [math.nan, math.inf])
@pytest.mark.parametrize('criterion', ['loss', 'macro_f1', 'accuracy', 'last'])
def test_a_diverged_epoch_is_never_chosen(criterion, loss):
    assert selection({**ROW, 'validation_loss': loss}, criterion)['score'] is None


def test_the_same_seed_gives_the_same_numbers_however_often_they_are_saved(
    make_head_config, head_run, tmp_path, outcome, assert_same_trees
):
    train(make_head_config(save_every=2), tmp_path)
    assert Checkpoints(tmp_path).steps() == [6, 9]
    got = outcome(tmp_path)
    assert got.history == head_run.history
    assert_same_trees(got.params, head_run.params)


def test_another_seed_gives_other_numbers(make_config, make_head_config, head_run, tmp_path, outcome):
    train(make_head_config(seed=4), tmp_path)
    other = outcome(tmp_path)
    assert other.history[0]['train_loss'] != head_run.history[0]['train_loss']
    assert np.abs(other.params['head']['kernel'] - head_run.params['head']['kernel']).max() > 0.01
    a, b = (set_up_model(make_config(seed=s), 3, (96, 64, 1)).params['stage1']['conv1']['kernel'] for s in (3, 4))
    assert np.abs(a - b).max() > 0.01


def test_spectrograms_that_the_model_does_not_take(make_config, tmp_path, monkeypatch):
    monkeypatch.setattr('fdx.signal.log_mel.LogMel.output_shape', lambda self, channels=1: (48, 64, 1))
    message = "model 'vggish' takes examples of 96 x 64 x 1, not 48 x 64 x 1: its front end is 'vggish'"
    with pytest.raises(ConfigError, match=message):
        train(make_config(), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()
