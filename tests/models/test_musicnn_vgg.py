"""musicnn_vgg: names and shapes, depths, stages that can be run apart, frozen norms, padding and dropout."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.musicnn_vgg import MusicnnVGG, norm_paths
from fdx.train.partition import freezing_rules, frozen_norms, frozen_prefix, trainable_mask
from fdx.types import ConfigError
from fdx.weights.trees import flatten_tree

SLIM = {'width_multiplier': 1 / 32, 'dropout_rate': 0.0}
STAGES = ('stage1', 'stage2', 'stage3', 'stage4', 'stage5', 'head')
# Of patches of 70 frames and 96 bands, at 1/32 of the width.
SHAPES = {'stage1': (34, 48, 4), 'stage2': (17, 24, 4), 'stage3': (8, 12, 4), 'stage4': (4, 6, 4), 'stage5': (1, 1, 4)}
SHAPES |= {'embedding': (8,), 'head': (3,)}


def slim(**options):
    return create_model('musicnn_vgg', 3, **{**SLIM, **options})


def drawn(model, frames):
    """Random parameters and statistics by NumPy: quicker than compiling the initialisation."""
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, frames, 96, 1)))
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
        low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
        return rng.uniform(low, high, s.shape).astype(s.dtype)

    return jax.tree_util.tree_map_with_path(draw, shapes)


@pytest.fixture(scope='module')
def variables():
    return drawn(slim(), 70)


@pytest.fixture(scope='module')
def x():
    return np.abs(np.random.default_rng(1).standard_normal((3, 70, 96, 1))).astype(np.float32)


@pytest.fixture(scope='module')
def whole(variables, x):
    return jax.tree.map(np.asarray, jax.jit(slim().apply)(variables, x))


@pytest.fixture(scope='module')
def trained(variables, x):
    """((logits, features), new statistics) of a training step without dropout or padding."""
    return run_train(slim(), variables, x)


def run_train(model, variables, x, **options):
    return jax.jit(lambda v, x: model.apply(v, x, train=True, mutable=['batch_stats'], **options))(variables, x)


def test_published_size_and_names():
    model = create_model('musicnn_vgg', 50, head_input='flatten')
    variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 187, 96, 1)))
    params, statistics = flatten_tree(variables['params']), flatten_tree(variables['batch_stats'])
    kernels = 9 * 128 + 4 * 9 * 128 * 128
    assert sum(int(np.prod(s.shape)) for s in params.values()) == kernels + 15 * 128 + 2 + 256 * 50 + 50 == 605_748
    assert set(variables['params']) == set(STAGES) == set(MusicnnVGG.STAGES)
    assert params['stage1/conv/kernel'].shape == (3, 3, 1, 128)
    assert params['stage5/conv/kernel'].shape == (3, 3, 128, 128)
    assert params['stage1/input_bn/scale'].shape == (1,)
    assert params['head/kernel'].shape == (256, 50)
    assert {k.rpartition('/')[0] for k in statistics} == set(norm_paths())
    assert len(norm_paths()) == 6


def test_features_have_names_and_shapes(whole):
    logits, features = whole
    assert {k: v.shape[1:] for k, v in features.items()} == SHAPES
    np.testing.assert_array_equal(features['head'], logits)


@pytest.mark.parametrize('depth', [1, 4])
def test_the_embedding_is_mean_and_maximum_of_the_last_stage(depth, variables, x, whole):
    """A shallower network gives what the deeper one gives on its way."""
    model = slim(depth=depth)
    assert model.STAGES == (*STAGES[:depth], 'head') == model.clone(num_classes=9).STAGES
    part = {kind: {k: v for k, v in tree.items() if k in model.STAGES} for kind, tree in variables.items()}
    logits, features = jax.jit(model.apply)(part, x)
    assert set(features) == {*STAGES[:depth], 'embedding', 'head'}
    last = np.asarray(whole[1][f'stage{depth}'])
    np.testing.assert_allclose(features[f'stage{depth}'], last, rtol=1e-6)
    pooled = np.concatenate([last.mean((1, 2)), last.max((1, 2))], axis=1)
    np.testing.assert_allclose(features['embedding'], pooled, rtol=1e-5, atol=1e-6)
    head = variables['params']['head']
    np.testing.assert_allclose(logits, pooled @ np.asarray(head['kernel']) + head['bias'], rtol=1e-4, atol=1e-5)


def test_flatten_puts_the_last_map_in_a_row_of_time_band_channel():
    model = slim(head_input='flatten')
    variables = drawn(model, 187)
    x = np.random.default_rng(2).standard_normal((1, 187, 96, 1)).astype(np.float32)
    _, features = jax.jit(model.apply)(variables, x)
    assert features['stage5'].shape == (1, 2, 1, 4)
    np.testing.assert_array_equal(features['embedding'], np.asarray(features['stage5']).reshape(1, 8))


def test_a_norm_behind_the_depth_is_unknown():
    model = slim(depth=2, frozen_norms=('stage1/bn', 'stage3/bn'))
    with pytest.raises(ConfigError, match='names stage3/bn; there are: stage1/input_bn, stage1/bn, stage2/bn\n'):
        jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 70, 96, 1)))


def test_freezing_counts_the_stages_that_are_there(variables):
    """Patterns of the class fit; the frozen prefix of a shallow network ends at its own head."""
    names = flatten_tree(variables['params'])
    assert {n for n in names if re.fullmatch(MusicnnVGG.STEM, n)} == {'stage1/conv/kernel', 'stage1/conv/bias'}
    norms = {n.rpartition('/')[0] for n in names if re.fullmatch(MusicnnVGG.NORMS, n)}
    assert norms == set(norm_paths())
    model = slim(depth=3)
    part = {k: v for k, v in variables['params'].items() if k in model.STAGES}
    mask = trainable_mask(part, freezing_rules('head', model))
    assert frozen_prefix(model, mask) == 3 == model.STAGES.index('head')
    statistics = {k: v for k, v in variables['batch_stats'].items() if k in model.STAGES}
    assert set(frozen_norms(statistics, mask)) == set(norm_paths(3))
    mask = trainable_mask(part, freezing_rules('first_last', model))
    assert frozen_prefix(model, mask) == 0
    assert [n for n, trains in flatten_tree(mask).items() if trains and 'head' not in n] == [
        n for n in flatten_tree(part) if n.startswith('stage1/conv')
    ]


def test_running_values_are_nine_parts_old_and_one_part_new(variables, x, trained):
    old, now = (jax.tree.map(np.asarray, v['batch_stats']['stage1']['input_bn']) for v in (variables, trained[1]))
    np.testing.assert_allclose(now['mean'], 0.9 * old['mean'] + 0.1 * x.mean(), rtol=1e-6)
    np.testing.assert_allclose(now['var'], 0.9 * old['var'] + 0.1 * np.var(x, ddof=1), rtol=1e-6)
