"""EfficientNet-Lite0: shapes, named features, stages that can be run apart, options, padding examples, frozen norms."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.efficientnet_lite0 import EfficientNetLite0, norm_paths
from fdx.weights.trees import flatten_tree

STAGES = EfficientNetLite0.STAGES
SLIM = {'width_multiplier': 1 / 8, 'depths': (1, 2, 1, 1, 1, 1, 1)}
# Of a 33 x 20 image at 1/8 of the widths.
SHAPES = {'stem': (17, 10, 4), 'stage1': (17, 10, 2), 'stage2': (9, 5, 3), 'stage3': (5, 3, 5), 'stage4': (3, 2, 10)}
SHAPES |= {'stage5': (3, 2, 14), 'stage6': (2, 1, 24), 'stage7': (2, 1, 40), 'top': (2, 1, 160)}
SHAPES |= {'embedding': (160,), 'head': (3,)}


def slim(**options):
    return create_model('efficientnet_lite0', 3, **SLIM, **options)


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
    return (3 * np.random.default_rng(1).standard_normal((3, 33, 20, 3))).astype(np.float32)


@pytest.fixture(scope='module')
def whole(variables, x):
    return jax.tree.map(np.asarray, jax.jit(slim().apply)(variables, x))


def test_published_size_and_names():
    model = create_model('efficientnet_lite0', 1000)
    variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 64, 64, 3)))
    params, statistics = flatten_tree(variables['params']), flatten_tree(variables['batch_stats'])
    # 4,652,008 is the size of the published network.
    assert sum(int(np.prod(s.shape)) for s in params.values()) == 4_652_008
    assert len(params) == 49 + 2 * 49 + 2
    assert len(statistics) == 2 * 49
    assert params['stem/conv/kernel'].shape == (3, 3, 3, 32)
    assert params['stage1/block1/depthwise_conv/kernel'].shape == (3, 3, 1, 32)
    assert params['stage3/block1/depthwise_conv/kernel'].shape == (5, 5, 1, 144)
    assert params['stage6/block4/expand_conv/kernel'].shape == (1, 1, 192, 1152)
    assert params['head/kernel'].shape == (1280, 1000)
    assert set(variables['params']) == set(STAGES)
    assert 'stage1/block1/expand_conv/kernel' not in params
    assert {k.rpartition('/')[0] for k in statistics} == set(norm_paths())


def test_features_have_names_and_shapes(whole):
    logits, features = whole
    assert {k: v.shape[1:] for k, v in features.items()} == SHAPES
    np.testing.assert_array_equal(features['head'], logits)
    np.testing.assert_allclose(features['embedding'], features['top'].mean((1, 2)), rtol=1e-5)
    for name in ('stem', 'top'):
        assert float(features[name].min()) == 0.0
    assert float(features['stem'].max()) == 6.0
    assert float(features['stage4'].min()) < 0.0  # the output of a block is linear


@pytest.mark.parametrize('shape', [(128, 96, 3), (1, 1, 1), (5, 64, 1), (31, 7, 2)])
def test_any_size_and_channels(shape):
    model, x = slim(), jax.ShapeDtypeStruct((2, *shape), jnp.float32)
    run = functools.partial(model.init_with_output, train=True)
    (_, features), variables = jax.eval_shape(run, jax.random.key(0), x)
    assert variables['params']['stem']['conv']['kernel'].shape == (3, 3, shape[2], 4)
    assert features['top'].shape == (2, -(-shape[0] // 32), -(-shape[1] // 32), 160)
    assert features['head'].shape == (2, 3)


def test_initial_values():
    """Kernels as in the origin: normal, variance 2 over the taps and channels that an input reaches."""
    model = create_model('efficientnet_lite0', 20, depths=(1,) * 7)
    stages = [((4, 4, 3), {'stop': 1}), ((2, 2, 112), {'start': 6, 'stop': 7}), ((1280,), {'start': 9})]
    found = []
    with jax.threefry_partitionable(False):  # compiles in a fraction of the time
        for shape, part in stages:
            init = jax.jit(functools.partial(lambda key, x, part: model.init(key, x, **part)['params'], part=part))
            found += flatten_tree(init(jax.random.key(1), jnp.zeros((1, *shape)))).items()
    assert len(found) == 3 + 9 + 2
    for name, value in found:
        value = np.asarray(value)
        if name == 'head/kernel':
            assert 0.98 / np.sqrt(1280) < np.abs(value).max() <= 1 / np.sqrt(1280)
        elif name.endswith('kernel'):
            reached = value.shape[0] * value.shape[1] * (1 if 'depthwise' in name else value.shape[3])
            assert value.std() == pytest.approx(np.sqrt(2 / reached), rel=0.1), name
        else:
            np.testing.assert_array_equal(value, 1.0 if name.endswith('scale') else 0.0)


def test_statistics_keep_nine_tenths(variables, x):
    """TensorFlow's epsilon, a momentum for short runs; on the stem's convolution, padded as TensorFlow pads."""
    stem, before = variables['params']['stem'], variables['batch_stats']['stem']['bn']
    padded = np.pad(x, ((0, 0), (1, 1), (0, 1), (0, 0)))  # 33 rows and 20 columns, stride 2
    convolve = functools.partial(jax.lax.conv_general_dilated, dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
    y = np.asarray(jax.jit(lambda x, kernel: convolve(x, kernel, (2, 2), 'VALID'))(padded, stem['conv']['kernel']))
    mask = np.float32([1, 1, 1, 0, 0])
    run = jax.jit(lambda v, x: slim().apply(v, x, train=True, mask=mask, mutable=['batch_stats'], stop=1))
    (_, features), new = jax.tree.map(np.asarray, run(variables, np.concatenate([x, np.full_like(x[:2], 1e3)])))
    found, mean = new['batch_stats']['stem']['bn'], y.mean((0, 1, 2))
    np.testing.assert_allclose(found['mean'], 0.9 * before['mean'] + 0.1 * mean, rtol=1e-4, atol=1e-5)
    unbiased = y.var((0, 1, 2), ddof=1)
    np.testing.assert_allclose(found['var'], 0.9 * before['var'] + 0.1 * unbiased, rtol=1e-4, atol=1e-5)
    assert np.abs(found['var'] - before['var']).max() > 0.01
    norm = stem['bn']['scale'] / np.sqrt(y.var((0, 1, 2)) + 1e-3)
    expected = np.clip((y - mean) * norm + stem['bn']['bias'], 0, 6)
    np.testing.assert_allclose(features['stem'][:3], expected, rtol=1e-4, atol=1e-4)
