"""The feature cache: the same final numbers as without it, and no forward pass twice."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.pipeline import RecordExamples
from fdx.predict.backends.checkpoint import Predictor
from fdx.train import feature_cache
from fdx.train.run import train
from fdx.types import ConfigError


@pytest.fixture
def forwarded(monkeypatch):
    """Numbers of examples that went through the frozen prefix, call by call."""
    counts = []
    original = feature_cache.forward_all

    def counting(forward, params, examples, **options):
        counts.append(len(examples))
        return original(forward, params, examples, **options)

    monkeypatch.setattr(feature_cache, 'forward_all', counting)
    return counts


def probabilities(workdir, dataset):
    return Predictor(workdir).probabilities(RecordExamples(dataset, np.arange(len(dataset)), 'label'))


def test_off_and_on_give_the_numbers_of_auto(
    make_head_config, head_run, dataset, outcome, tmp_path, assert_same_trees, forwarded
):
    train(make_head_config(cache_features='off'), tmp_path / 'off')
    assert forwarded == []
    train(make_head_config(cache_features='on'), tmp_path / 'on')
    assert forwarded == [18, 6]
    off, on = outcome(tmp_path / 'off'), outcome(tmp_path / 'on')
    assert_same_trees(on.params, head_run.params)
    assert on.history == head_run.history
    assert_same_trees(off.params, head_run.params, rtol=1e-5, atol=1e-6)
    for row, wanted in zip(off.history, head_run.history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-5)
    assert off.best_step == head_run.best_step
    got, wanted = (probabilities(d, dataset) for d in (tmp_path / 'off', head_run.workdir))
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(got.argmax(1), wanted.argmax(1))
    assert len(np.unique(wanted.argmax(1))) > 1


def test_a_cache_serves_all_folds_and_no_other_prefix(
    make_config, make_head_config, outcome, tmp_path, forwarded, assert_same_trees
):
    """Fold 1 trains and validates on blocks of which fold 0 has seen all but one, 6 windows."""
    caches: dict = {}
    for fold in (0, 1):
        # The backbone has learned from fold 1's test windows: nothing is scored here.
        train(make_head_config(fold=fold, epochs=1, allow_leak=True), tmp_path / str(fold), caches=caches)
    assert forwarded == [18, 6, 6]
    # The second fold starts from the network that the first one started from, not from where it ended.
    train(make_head_config(fold=1, epochs=1, allow_leak=True), tmp_path / 'alone')
    assert_same_trees(outcome(tmp_path / '1').params, outcome(tmp_path / 'alone').params)
    assert forwarded == [18, 6, 6, 18, 6]
    train(make_config(freeze='head', epochs=1), tmp_path / 'other', caches=caches)
    assert forwarded == [18, 6, 6, 18, 6, 18, 6]
    assert sum(isinstance(c, feature_cache.FeatureCache) for c in caches.values()) == 2


@pytest.mark.parametrize('freeze', ['none', 'first_last'])
def test_on_without_a_frozen_prefix_is_an_error(make_config, tmp_path, freeze):
    # With first_last the stem trains, so that nothing can be computed once.
    with pytest.raises(ConfigError, match='`cache_features`=on .*frozen .*`freeze` to head'):
        train(make_config(freeze=freeze, cache_features='on'), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()


def test_padding_is_cut_off_and_batches_are_shown(dataset, forwarded):
    examples = RecordExamples(dataset, np.arange(5), 'label')
    seen = {}

    def forward(params, batch):
        seen['mask'] = batch['mask'].ravel()
        return batch['inputs'].reshape(-1, 96, 64, 1) + params['shift']

    def progress(iterable, **options):
        seen.update(options)
        return iterable

    out = feature_cache.forward_all(forward, {'shift': 1.0}, examples, progress=progress, what='bar')
    assert (seen['total'], seen['desc'], seen['mask'].sum(), len(seen['mask'])) == (1, 'bar', 5, 64)
    np.testing.assert_array_equal(out, dataset.read(np.arange(5), 'spectrogram') + 1)
