"""cnn1d: published size, an independent forward and its gradient, running values, dropout, what it refuses."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fdx.models import create_model
from fdx.models.cnn1d import CNN1D, norm_paths
from fdx.models.registry import check_input_shape
from fdx.train.partition import split_variables
from fdx.types import ConfigError
from fdx.weights.trees import flatten_tree

SLIM = {'width_multiplier': 1 / 8, 'dropout_rate': 0.0}
STAGES = ('conv1', 'conv2', 'conv3', 'conv4', 'fc', 'bottleneck', 'head')
# Of windows of 71 samples at an eighth of the width: 57, 55 // 2, 25 and 23 positions, of which four are kept.
SHAPES = {'conv1': (57, 1, 2), 'conv2': (27, 1, 4), 'conv3': (25, 1, 8), 'conv4': (4, 1, 16)}
SHAPES |= {'fc': (32,), 'bottleneck': (32,), 'embedding': (32,), 'head': (3,)}
LABELS = np.array([0, 2, 1])


def slim(**options):
    return create_model('cnn1d', 3, **{**SLIM, **options})


def shapes_of(model, *example):
    return jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *example)))


def drawn(model, *example):
    """Random parameters and statistics by NumPy, far from those of an initialisation and quicker."""
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
        low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
        return rng.uniform(low, high, s.shape).astype(s.dtype)

    return jax.tree_util.tree_map_with_path(draw, shapes_of(model, *example))


@pytest.fixture(scope='module')
def variables():
    return drawn(slim(), 71, 1, 2)


@pytest.fixture(scope='module')
def x():
    return np.random.default_rng(1).standard_normal((3, 71, 1, 2)).astype(np.float32)


@pytest.fixture(scope='module')
def whole(variables, x):
    return jax.jit(slim().apply)(variables, x)


@pytest.fixture(scope='module')
def trained(variables, x):
    """((logits, features), new statistics) of a training step without dropout or padding."""
    return jax.jit(lambda v, x: slim().apply(v, x, train=True, mutable=['batch_stats']))(variables, x)


def by_numpy(params, statistics, x):
    """{name: float64 array} of the network written out; flat trees, x [B, T, C]; no statistics: those of the batch."""
    found, x = {}, np.asarray(x, np.float64)
    for name in ('conv1', 'conv2', 'conv3', 'conv4'):
        kernel = np.asarray(params[f'{name}/conv/kernel'], np.float64)[:, 0]
        windows = np.lib.stride_tricks.sliding_window_view(x, len(kernel), axis=1)
        y = np.einsum('btcn,nco->bto', windows, kernel) + params[f'{name}/conv/bias']
        mean, var = y.mean((0, 1)), y.var((0, 1))
        if statistics is not None:
            mean, var = (statistics[f'{name}/bn/{key}'] for key in ('mean', 'var'))
        y = (y - mean) / np.sqrt(var + 1e-5) * params[f'{name}/bn/scale'] + params[f'{name}/bn/bias']
        x = np.maximum(y, 0)
        if name == 'conv2':
            x = np.stack([x[:, i : i + 2].max(1) for i in range(0, x.shape[1] - 1, 2)], axis=1)
        if name == 'conv4':
            n = x.shape[1]
            x = np.stack([x[:, int(np.floor(i * n / 4)) : int(np.ceil((i + 1) * n / 4))].max(1) for i in range(4)], 1)
        found[name] = x
    x = x.reshape(len(x), -1)
    for name in ('fc', 'bottleneck'):
        kernel = np.asarray(params[f'{name}/kernel'], np.float64)
        found[name] = x = np.maximum(x @ kernel + params[f'{name}/bias'], 0)
    found['head'] = x @ np.asarray(params['head/kernel'], np.float64) + params['head/bias']
    return found


def cross_entropy(logits):
    shifted = logits - logits.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(LABELS)), LABELS]))


def test_published_size_and_names():
    shapes = shapes_of(create_model('cnn1d', 10), 2048, 1, 1)
    params = flatten_tree(shapes['params'])
    convolutions = (15 + 1) * 16 + (3 * 16 + 1) * 32 + (3 * 32 + 1) * 64 + (3 * 64 + 1) * 128
    dense = 513 * 256 + 257 * 256 + 257 * 10
    norms = 2 * (16 + 32 + 64 + 128)
    assert sum(int(np.prod(s.shape)) for s in params.values()) == convolutions + norms + dense == 232_906
    assert set(shapes['params']) == set(STAGES)
    assert CNN1D.STAGES == STAGES
    assert params['conv1/conv/kernel'].shape == (15, 1, 1, 16)
    assert params['fc/kernel'].shape == (512, 256)
    assert {n.rpartition('/')[0] for n in flatten_tree(shapes['batch_stats'])} == set(norm_paths())
    assert create_model('cnn1d', 10).dropout_rate == 0.5


def test_features_have_names_and_shapes(whole):
    logits, features = whole
    assert {k: v.shape[1:] for k, v in features.items()} == SHAPES
    np.testing.assert_array_equal(features['head'], logits)
    np.testing.assert_array_equal(features['embedding'], features['bottleneck'])


@pytest.mark.parametrize('train', [False, True])
def test_every_stage_is_what_numpy_finds(train, variables, x, whole, trained):
    features = (trained[0] if train else whole)[1]
    statistics = None if train else flatten_tree(variables['batch_stats'])
    wanted = by_numpy(flatten_tree(variables['params']), statistics, x[:, :, 0])
    assert set(wanted) == set(STAGES)
    for name, value in wanted.items():
        np.testing.assert_allclose(np.asarray(features[name]).reshape(value.shape), value, rtol=2e-4, atol=2e-5)
        assert value.std() > 0.05, name


def test_gradient_is_the_slope_of_the_numpy_loss(variables, x):
    """Of a compiled training step, in a random direction of each parameter, by central differences in float64."""

    def loss_fn(params):
        (logits, _), _ = slim().apply({**variables, 'params': params}, x, train=True, mutable=['batch_stats'])
        return optax.softmax_cross_entropy_with_integer_labels(logits, LABELS).mean()

    gradients = flatten_tree(jax.jit(jax.grad(loss_fn))(variables['params']))
    params = {k: np.asarray(v, np.float64) for k, v in flatten_tree(variables['params']).items()}
    rng, step = np.random.default_rng(2), 1e-6
    slopes = {}
    for name, gradient in gradients.items():
        direction = rng.standard_normal(gradient.shape)
        moved = [{**params, name: params[name] + sign * step * direction} for sign in (1, -1)]
        losses = [cross_entropy(by_numpy(p, None, x[:, :, 0])['head']) for p in moved]
        slopes[name] = (losses[0] - losses[1]) / (2 * step)
        np.testing.assert_allclose((gradient * direction).sum(), slopes[name], rtol=2e-3, atol=2e-5, err_msg=name)
    # A bias in front of a norm over the batch has none.
    assert all((abs(slope) < 1e-6) == name.endswith('conv/bias') for name, slope in slopes.items())


def test_running_values_are_torchs(variables, x, trained):
    """0.9 old + 0.1 batch, the variance unbiased, of the output of the first convolution."""
    params, old = (flatten_tree(variables[k]) for k in ('params', 'batch_stats'))
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(x[:, :, 0], np.float64), 15, axis=1)
    y = np.einsum('btcn,nco->bto', windows, params['conv1/conv/kernel'][:, 0]) + params['conv1/conv/bias']
    new = flatten_tree(trained[1]['batch_stats'])
    np.testing.assert_allclose(new['conv1/bn/mean'], 0.9 * old['conv1/bn/mean'] + 0.1 * y.mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(new['conv1/bn/var'], 0.9 * old['conv1/bn/var'] + 0.1 * y.var((0, 1), ddof=1), rtol=1e-5)


def test_dropout_stands_in_front_of_the_bottleneck_and_of_the_classifier(variables, trained):
    """Behind the cached outputs of a frozen stage it is there, too; the embedding itself is whole."""
    (plain, features), _ = trained
    model, key = slim(dropout_rate=0.5), {'dropout': jax.random.key(1)}
    _, second = split_variables(model, variables, 5)

    @jax.jit
    def run(second, features):
        _, found = model.apply(second, features['fc'], train=True, start=5, rngs=key)
        logits, _ = model.apply(second, features['embedding'], train=True, start=6, rngs=key)
        return found['embedding'], logits, model.apply(second, features['fc'], start=5)[0]

    embedding, logits, again = map(np.asarray, run(second, features))
    assert np.abs(embedding - features['embedding']).max() > 0.01
    assert np.abs(logits - plain).max() > 0.01
    np.testing.assert_allclose(again, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('length', [32, 33, 34, 100])
def test_any_length_from_32_on_gives_four_positions(length, variables):
    x = jnp.ones((1, length, 1, 2))
    assert jax.eval_shape(lambda v: slim().apply(v, x, stop=4)[0], variables).shape == (1, 4, 1, 16)


@pytest.mark.parametrize(
    ('shape', 'text'),
    [
        ((31, 1, 2), 'at least 32 samples, .* 31 x 1 x 2: .*longer windows'),
        ((100, 8, 2), 'samples x 1 x channels, not 100 x 8 x 2'),
        ((100, 2), 'not 100 x 2'),
    ],
)
def test_other_windows_are_refused(shape, text, variables):
    with pytest.raises(ConfigError, match=text):
        jax.eval_shape(lambda v: slim().apply(v, jnp.ones((1, *shape))), variables)


@pytest.mark.parametrize('channels', [1, 3, 8])
def test_any_number_of_sensors_sees_every_one_of_them(channels):
    check_input_shape('cnn1d', (64, 1, channels))
    model = slim()
    variables = drawn(model, 64, 1, channels)
    x = np.random.default_rng(3).standard_normal((1, 64, 1, channels)).astype(np.float32)
    slope = jax.jit(jax.grad(lambda x: (model.apply(variables, x)[0] ** 2).sum()))(x)
    assert (np.abs(slope).max((0, 1, 2)) > 0).all()
