"""Batch norms in training: which are frozen, that frozen ones stay as they are (law 7), that runs resume exactly."""

from __future__ import annotations

import os
import signal

import flax.traverse_util
import numpy as np
import pytest

from fdx.evaluate.evaluate import evaluate
from fdx.models import create_model
from fdx.predict.backends.checkpoint import Predictor
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.loop import InterruptedRunError
from fdx.train.model_setup import load_run
from fdx.train.partition import freezing_rules, frozen_norms
from fdx.train.run import train
from fdx.types import ConfigError

TINY = {'width_multiplier': 1 / 32, 'depths': (1, 1, 1, 1)}
NORMS = 1 + 4 * 4  # of the stem, and in each block those of three convolutions and the shortcut


def flat(tree):
    return {k: np.asarray(v) for k, v in flax.traverse_util.flatten_dict(tree, sep='/').items()}


def changed(before, after):
    """Names of the arrays that are no longer bit-identical."""
    a, b = flat(before), flat(after)
    assert a.keys() == b.keys()
    return {name for name in a if a[name].tobytes() != b[name].tobytes()}


@pytest.fixture(scope='module')
def make_resnet(make_config):
    return lambda **changes: make_config(model='resnet50', model_options=TINY, dropout_rate=0.0, **changes)


@pytest.fixture(scope='module')
def pretrained(make_resnet, tmp_path_factory):
    """A run whose statistics have moved away from 0 and 1."""
    workdir = tmp_path_factory.mktemp('pretrained')
    train(make_resnet(epochs=2), workdir)
    return workdir


@pytest.fixture(scope='module')
def first_last(make_resnet, pretrained, tmp_path_factory):
    """Function train_norms -> (variables of the pretrained run, those after a run that starts from it, its meta)."""
    done = {}

    def trained(train_norms):
        if train_norms not in done:
            workdir = tmp_path_factory.mktemp('first_last')
            train(make_resnet(init=str(pretrained), freeze='first_last', train_norms=train_norms, epochs=2), workdir)
            done[train_norms] = load_run(workdir, 'last')
        return load_run(pretrained)[0], *done[train_norms][:2]

    return trained


def test_training_moves_parameters_and_statistics(pretrained):
    last, meta, _ = load_run(pretrained, 'last')
    fresh = {name: np.float32(name.endswith('var')) for name in flat(last['batch_stats'])}
    assert len(fresh) == 2 * NORMS
    assert all(np.abs(v - fresh[name]).max() > 1e-3 for name, v in flat(last['batch_stats']).items())
    assert meta['norms'] == {'trained': NORMS, 'frozen': 0}


def test_first_last_leaves_every_norm_as_it_was(first_last):
    before, after, meta = first_last(False)
    assert changed(before['params'], after['params']) == {'stem/conv/kernel', 'head/kernel', 'head/bias'}
    assert changed(before['batch_stats'], after['batch_stats']) == set()
    assert meta['norms'] == {'trained': 0, 'frozen': NORMS}
    assert meta['trained_values'] == 7 * 7 * 1 * 2 + 64 * 3 + 3


def test_first_last_with_norms_trains_them_and_nothing_else(first_last):
    before, after, meta = first_last(True)
    names = changed(before['params'], after['params'])
    norms = {n for n in flat(before['params']) if n.endswith(('scale', 'bias')) and not n.startswith('head')}
    assert names == norms | {'stem/conv/kernel', 'head/kernel', 'head/bias'}
    assert changed(before['batch_stats'], after['batch_stats']) == set(flat(before['batch_stats']))
    assert meta['norms'] == {'trained': NORMS, 'frozen': 0}


def test_the_report_says_which_norms_train(pretrained, tmp_path):
    results = evaluate(pretrained, tmp_path)
    assert results['norms'] == {'trained': NORMS, 'frozen': 0}
    assert f'{NORMS} train, 0 are frozen' in (tmp_path / 'report.html').read_text()


def test_a_frozen_prefix_keeps_its_statistics_and_can_be_cached(make_resnet, pretrained, tmp_path):
    outcomes = []
    for cache in ('on', 'off'):
        config = make_resnet(init=str(pretrained), freeze='head', epochs=2, cache_features=cache)
        train(config, tmp_path / cache)
        outcomes.append(load_run(tmp_path / cache, 'last'))
    (on, meta, _), (off, _, _) = outcomes
    before = load_run(pretrained)[0]
    assert meta['frozen_stages'] == 5
    for after in (on, off):
        assert changed(before['batch_stats'], after['batch_stats']) == set()
        assert changed(before['params'], after['params']) == {'head/kernel', 'head/bias'}
    np.testing.assert_allclose(on['params']['head']['kernel'], off['params']['head']['kernel'], rtol=1e-4, atol=1e-6)


def test_a_stopped_run_goes_on_to_the_same_statistics(make_resnet, pretrained, tmp_path):
    def stop(iterable, desc='', **_):
        for i, item in enumerate(iterable):
            if desc.startswith('epoch 2/') and i == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            yield item

    with pytest.raises(InterruptedRunError):
        train(make_resnet(epochs=2), tmp_path, progress=stop)
    train(make_resnet(epochs=2), tmp_path)
    (got, meta, step), (wanted, other, same) = load_run(tmp_path, 'last'), load_run(pretrained, 'last')
    assert step == same
    assert changed(wanted['params'], got['params']) == set()
    assert changed(wanted['batch_stats'], got['batch_stats']) == set()
    losses = [[row['train_loss'] for row in m['history']] for m in (meta, other)]
    assert losses[0] == losses[1]


def test_padding_moves_nothing(make_resnet, tmp_path, monkeypatch, pretrained):
    """18 windows in batches of 7 leave a last one of 4: filled with large values, the run ends in the same bits."""
    original = parallel.shard

    def loud(batch, size):
        out = original(batch, size)
        if 'labels' not in batch:
            return out
        real = out['mask'].reshape(*out['mask'].shape, *[1] * (out['inputs'].ndim - 2)) > 0
        return {**out, 'inputs': np.where(real, out['inputs'], np.float32(1e3))}

    monkeypatch.setattr(parallel, 'shard', loud)
    train(make_resnet(epochs=2), tmp_path)
    got, wanted = load_run(tmp_path, 'last')[0], load_run(pretrained, 'last')[0]
    assert changed(wanted['batch_stats'], got['batch_stats']) == set()
    assert changed(wanted['params'], got['params']) == set()


def test_evaluation_uses_the_running_statistics(pretrained, dataset):
    """One window alone is scored as it is among others."""
    predictor = Predictor(pretrained)
    patches = dataset.read(range(5), 'spectrogram')
    together = predictor.patch_probabilities(patches)
    alone = np.concatenate([predictor.patch_probabilities(p[None]) for p in patches])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-6)


def test_only_presets_take_train_norms():
    for freeze in ('none', 'rules.txt'):
        with pytest.raises(ConfigError, match=f'`freeze`={freeze} itself says what trains'):
            TrainConfig(dataset='x', freeze=freeze, train_norms=True)
    with pytest.raises(ConfigError, match='`train_norms`: VGGish .*batch norms'):
        freezing_rules('head', create_model('vggish', 2), train_norms=True)


def test_a_norm_of_which_a_part_trains_is_not_frozen():
    stats = {'stage': {name: {'mean': 0.0, 'var': 1.0} for name in ('bn1', 'bn2', 'bn3')}}
    mask = {
        'stage': {
            'bn1': {'scale': False, 'bias': False},
            'bn2': {'scale': False, 'bias': True},
            'bn3': {'scale': True, 'bias': True},
            'conv1': {'kernel': True},
        }
    }
    assert frozen_norms(stats, mask) == ('stage/bn1',)
    assert frozen_norms({}, mask) == ()
