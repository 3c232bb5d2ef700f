"""ResNet-50: shapes, named features, stages that can be run apart, options, and frozen norms."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.resnet import ResNet50, norm_paths
from fdx.weights.trees import flatten_tree

STAGES = ResNet50.STAGES
SLIM = {'width_multiplier': 1 / 16, 'depths': (2, 1, 1, 1)}
# Of a 33 x 20 image at 1/16 of the widths.
SHAPES = {'stem': (9, 5, 4), 'stage1': (9, 5, 16), 'stage2': (5, 3, 32), 'stage3': (3, 2, 64), 'stage4': (2, 1, 128)}
SHAPES |= {'embedding': (128,), 'head': (3,)}


def slim(**options):
    return create_model('resnet50', 3, **SLIM, **options)


@pytest.fixture(scope='module')
def variables():
    """Random parameters and statistics by NumPy: quicker than compiling the initialisation."""
    shapes = jax.eval_shape(slim().init, jax.random.key(0), jnp.zeros((1, 33, 20, 3)))
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
        low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
        return rng.uniform(low, high, s.shape).astype(s.dtype)

    return jax.tree_util.tree_map_with_path(draw, shapes)


@pytest.fixture(scope='module')
def x():
    return np.random.default_rng(1).standard_normal((3, 33, 20, 3)).astype(np.float32)


@pytest.fixture(scope='module')
def whole(variables, x):
    return jax.tree.map(np.asarray, jax.jit(slim().apply)(variables, x))


def test_published_size_and_names():
    model = create_model('resnet50', 1000)
    variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 64, 64, 3)))
    params, statistics = flatten_tree(variables['params']), flatten_tree(variables['batch_stats'])
    # 25,557,032 is the size of the published network.
    assert sum(int(np.prod(s.shape)) for s in params.values()) == 25_557_032
    assert len(params) == 53 + 2 * 53 + 2
    assert len(statistics) == 2 * 53
    assert params['stem/conv/kernel'].shape == (7, 7, 3, 64)
    assert params['stage3/block6/conv2/kernel'].shape == (3, 3, 256, 256)
    assert params['stage4/block1/shortcut_conv/kernel'].shape == (1, 1, 1024, 2048)
    assert params['head/kernel'].shape == (2048, 1000)
    assert set(variables['params']) == set(STAGES)
    assert {k.rpartition('/')[0] for k in statistics} == set(norm_paths())


def test_features_have_names_and_shapes(whole):
    logits, features = whole
    assert {k: v.shape[1:] for k, v in features.items()} == SHAPES
    np.testing.assert_array_equal(features['head'], logits)
    np.testing.assert_allclose(features['embedding'], features['stage4'].mean((1, 2)), rtol=1e-6)
    for name in ('stage1', 'stage2', 'stage4'):
        assert float(features[name].min()) == 0.0


@pytest.mark.parametrize('shape', [(128, 2, 3), (1, 1, 1), (5, 64, 1), (31, 7, 2)])
def test_any_size_and_channels(shape):
    model, x = slim(), jax.ShapeDtypeStruct((2, *shape), jnp.float32)
    run = functools.partial(model.init_with_output, train=True)
    (_, features), variables = jax.eval_shape(run, jax.random.key(0), x)
    assert variables['params']['stem']['conv']['kernel'].shape == (7, 7, shape[2], 4)
    assert features['stage4'].shape == (2, -(-shape[0] // 32), -(-shape[1] // 32), 128)
    assert features['head'].shape == (2, 3)


def test_initial_values_are_those_of_torchvision():
    model = create_model('resnet50', 20, depths=(1, 1, 1, 1))
    parts = [((8, 8, 3), {'stop': 1}), ((2, 2, 256), {'start': 2, 'stop': 3}), ((2048,), {'start': 5})]
    params, statistics = {}, {}
    with jax.threefry_partitionable(False):  # compiles in a fraction of the time
        for shape, part in parts:
            variables = jax.jit(functools.partial(model.init, **part))(
                jax.random.key(1), np.zeros((1, *shape), np.float32)
            )
            params |= flatten_tree(variables['params'])
            statistics |= flatten_tree(variables.get('batch_stats', {}))
    assert len(params) == 3 + 4 * 3 + 2 and len(statistics) == 2 + 4 * 2
    for name, value in params.items():
        value = np.asarray(value)
        if name == 'head/kernel':
            bound = 1 / np.sqrt(2048)
            assert 0.98 * bound < np.abs(value).max() <= bound
        elif name.endswith('kernel'):
            fan_out = value.shape[0] * value.shape[1] * value.shape[3]
            assert value.std() == pytest.approx(np.sqrt(2 / fan_out), rel=0.05), name
        else:
            np.testing.assert_array_equal(value, 1.0 if name.endswith('scale') else 0.0)
    for name, value in statistics.items():
        np.testing.assert_array_equal(value, 1.0 if name.endswith('var') else 0.0)
