"""Batch statistics of the target, and features of a frozen prefix."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from fdx.adapt import target_statistics
from fdx.adapt.outputs import is_reached
from fdx.adapt.run import load_parts, open_domains
from fdx.data.pipeline import ArrayExamples
from fdx.train import parallel
from fdx.train.model_setup import load_run, set_up_model
from fdx.types import ConfigError


def stem(params, inputs):
    """Output of cnn_small's first convolution, float64 [N, H, W, C]: 3x3, zeros around."""
    kernel, x = np.asarray(params['stage1']['conv']['kernel'], np.float64), np.asarray(inputs, np.float64)
    h, w = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    out = sum(padded[:, i : i + h, j : j + w] @ kernel[i, j] for i in range(3) for j in range(3))
    return out + params['stage1']['conv'].get('bias', 0.0)


def inputs_of(examples):
    return np.stack([examples[i]['inputs'] for i in range(len(examples))])


def test_adabn_stores_the_targets_statistics_and_trains_on_with_its_own(finished, stored_rest, assert_same_trees):
    """Parameters and what is kept for going on are the source's; only the stored network has the target's."""
    adabn, adapted = finished('adabn')
    plain, source = finished('source_only')
    assert_same_trees(adapted.params, source.params)
    of_training = stored_rest(adabn.workdir, 'adabn')['stats']
    assert_same_trees(of_training, stored_rest(plain.workdir, 'source_only')['stats'])
    assert_same_trees(of_training, source.stats)
    hidden = stem(adapted.params, inputs_of(adabn.domains.target_train))
    got = adapted.stats['stage1']['bn']
    np.testing.assert_allclose(got['mean'], hidden.mean((0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got['var'], hidden.var((0, 1, 2)), rtol=1e-4)
    assert np.abs(got['var'] / of_training['stage1']['bn']['var'] - 1).max() > 0.05
    meta = load_run(adabn.workdir)[1]
    assert 'normal-fast' in meta['train_recordings']
    assert 'normal-fast' not in load_run(plain.workdir)[1]['train_recordings']


def test_statistics_of_batches_are_pooled(make, monkeypatch, assert_same_trees):
    """12 windows in batches of 5, 5 and 2; far-off old statistics cost no digits; frozen norms keep theirs."""
    monkeypatch.setattr('fdx.train.forward.EVAL_BATCH', 5)
    config, plan = make('adabn')
    domains = open_domains(config, plan)
    setup = set_up_model(config, 2, domains.source.input_shape)
    stats = jax.tree.map(lambda x: np.asarray(x) + 1e5, setup.stats)
    model = setup.model.clone(frozen_norms=('stage2/bn',))
    measure = parallel.compile_forward(target_statistics.make_statistics(model))
    variables = {'params': setup.params, 'batch_stats': stats}
    inputs = inputs_of(domains.target_train)
    examples = ArrayExamples(inputs, np.zeros(len(inputs), np.int32))
    assert len(inputs) == 12
    got = target_statistics.target_statistics(measure, variables, stats, examples)
    hidden = stem(jax.device_get(setup.params), inputs)
    np.testing.assert_allclose(got['stage1']['bn']['mean'], hidden.mean((0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got['stage1']['bn']['var'], hidden.var((0, 1, 2)), rtol=1e-4)
    assert_same_trees(got['stage2'], stats['stage2'])
    assert np.abs(got['stage3']['bn']['mean']).max() < 100
    with pytest.raises(ConfigError, match='the network keeps no batch statistics'):
        target_statistics.target_statistics(measure, variables, {}, examples)


def test_cached_features_change_nothing(run, tmp_path, assert_same_trees):
    """The classifier alone trains: its inputs are the bottleneck's outputs, which is the layer that adapts, too."""
    options = {'method': 'jmmd', 'freeze': 'head', 'epochs': 2, 'dropout_rate': 0.0}
    (_, cached), (_, plain) = (
        run(tmp_path / mode, cache_features=mode, **options) for mode in ('on', 'off')
    )  # fmt: skip
    assert load_run(tmp_path / 'on')[1]['frozen_stages'] == 4
    for row, wanted in zip(cached.history, plain.history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4, abs=1e-6)
    assert_same_trees(cached.params, plain.params, rtol=1e-4, atol=1e-5)
    assert_same_trees(cached.stats, plain.stats)
    assert cached.history[0]['train_term'] != 0


def test_a_layer_inside_of_the_frozen_stages_is_not_cached(make):
    """`stage3` names a map, of which the prefix keeps means: what is cached cannot stand for it."""
    for feature, start in (('embedding', 4), ('bottleneck', 4), ('stage3', 0), ('stage1', 0), ('head', 4)):
        config, plan = make('mcc', freeze='head', feature=feature)
        domains = open_domains(config, plan)
        setup = set_up_model(config, 2, domains.source.input_shape)
        assert is_reached(setup, domains.source.input_shape, feature) == (start == 4)
        if feature in ('stage3', 'embedding'):
            assert load_parts(config, setup, domains, {}, feature=feature)[1] == start
    config = dataclasses.replace(config, cache_features='on')
    with pytest.raises(ConfigError, match='`cache_features`=on: .*`feature`=stage3 .*frozen'):
        load_parts(config, setup, domains, {}, feature='stage3')
    with pytest.raises(ConfigError, match='`feature`=middle: .* stage1, stage2, stage3, bottleneck, emb'):
        load_parts(config, setup, domains, {}, feature='middle')


def test_an_activation_behind_what_is_cached_is_not_reached(make):
    options = {'width_multiplier': 1 / 32, 'head_input': 'embedding_linear'}
    config, _ = make('mcc', freeze='head', model='vggish', model_options=options)
    setup = set_up_model(config, 2, (96, 64, 1))
    assert is_reached(setup, (96, 64, 1), 'embedding_linear')
    assert not is_reached(setup, (96, 64, 1), 'embedding')
