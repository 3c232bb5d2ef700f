"""Features of a frozen network's stages: against the network itself, kept on disk, computed anew when need be."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from fdx.benchmarks import stage_features
from fdx.benchmarks.stage_features import INPUT, StageFeatures, variables_digest
from fdx.data.pipeline import RecordExamples
from fdx.data.source import open_dataset
from fdx.models.truncated import POOLS
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.train.partition import join_variables

STAGES = ('stage1', 'stage2', 'stage3', 'stage4', 'fc1', 'fc2', 'embedding')

ROWS = 12  # of the dataset's first ones


@pytest.fixture(scope='module')
def dataset(data_dir):
    return open_dataset('bearing_rig/rig_b_small-vggish_train', data_dir)


@pytest.fixture(scope='module')
def examples(dataset):
    return RecordExamples(dataset, np.arange(ROWS), 'label')


@pytest.fixture(scope='module')
def make_setup(rig, dataset):
    def make(seed=0, freeze='head'):
        options = {'width_multiplier': rig.WIDTH}
        config = TrainConfig(dataset='x', model_options=options, freeze=freeze, seed=seed)
        return set_up_model(config, 3, dataset.input_shape)

    return make


@pytest.mark.parametrize(('freeze', 'pool'), [('head', 'bands'), ('none', 'global')])
def test_features_are_those_of_the_network_with_the_gain_applied(make_setup, examples, dataset, freeze, pool):
    setup = make_setup(freeze=freeze)
    features = StageFeatures(setup, examples, pool=pool)
    assert features.stages == STAGES
    found = features(2.0)
    assert tuple(found) == (INPUT, *STAGES)
    images = dataset.front_end.with_gain(dataset.read(range(ROWS), 'spectrogram'), 2.0)
    variables = join_variables(setup.prefix, setup.params, setup.stats)
    _, wanted = jax.jit(setup.model.clone(axis_name=None).apply)(variables, images)
    np.testing.assert_allclose(found[INPUT], images[..., 0].mean(1), rtol=1e-5, atol=1e-5)
    for stage in STAGES:
        pooled = jax.jit(POOLS[pool], static_argnums=1)(wanted[stage], 0)
        np.testing.assert_allclose(found[stage], pooled, rtol=1e-4, atol=1e-5, err_msg=stage)
    assert np.abs(found['stage4'] - features(1.0)['stage4']).max() > 0.01


def test_features_on_disk_are_read_again_and_only_for_the_same_weights_gain_and_rows(
    make_setup, examples, tmp_path, monkeypatch
):
    first = StageFeatures(make_setup(), examples, tmp_path)(1.0)
    assert len(list(tmp_path.iterdir())) == 1
    computed = []
    compute = StageFeatures._compute
    monkeypatch.setattr(StageFeatures, '_compute', lambda self, gain: computed.append(gain) or compute(self, gain))
    again = StageFeatures(make_setup(), examples, tmp_path)(1.0)
    assert not computed
    for stage in (INPUT, *STAGES):
        np.testing.assert_array_equal(first[stage], again[stage])
    StageFeatures(make_setup(), examples, tmp_path)(0.5)
    StageFeatures(make_setup(seed=1), examples, tmp_path)(1.0)
    StageFeatures(make_setup(), dataclasses.replace(examples, rows=examples.rows[::-1]), tmp_path)(1.0)
    StageFeatures(make_setup(), examples, tmp_path, pool='global')(1.0)
    assert computed == [0.5, 1.0, 1.0, 1.0]
    assert len(list(tmp_path.iterdir())) == 5


def test_a_damaged_file_of_features_is_computed_again(make_setup, examples, tmp_path):
    wanted = StageFeatures(make_setup(), examples, tmp_path)(1.0)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert stage_features._load(path, len(examples)) is None
    found = StageFeatures(make_setup(), examples, tmp_path)(1.0)
    np.testing.assert_array_equal(found['stage2'], wanted['stage2'])
    assert stage_features._load(path, len(examples)) is not None


def test_the_digest_sees_values_and_names():
    tree = {'params': {'a': {'b': np.arange(3.0)}}}
    assert variables_digest(tree) == variables_digest({'params': {'a': {'b': np.arange(3.0)}}})
    assert variables_digest(tree) != variables_digest({'params': {'a': {'b': np.arange(3.0) + 1e-12}}})
    assert variables_digest(tree) != variables_digest({'params': {'a': {'c': np.arange(3.0)}}})
