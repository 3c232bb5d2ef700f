"""band_mlp: an independent forward in evaluation and training, which axis is averaged, dropout, sizes, refusals."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.band_mlp import BandMLP, norm_paths
from fdx.signal.front_ends import create_front_end
from fdx.types import ConfigError
from fdx.weights.trees import flatten_tree

FRAMES, BANDS, CHANNELS = 5, 7, 2
WIDTH = 8  # of both hidden layers at a 32nd of the width


def slim(**options):
    return create_model('band_mlp', 3, **{'width_multiplier': 1 / 32, 'dropout_rate': 0.0, **options})


def evaluate(variables, x, **options):
    """(logits, features); one program, as each operation would be compiled by itself."""
    return jax.jit(slim(**options).apply)(variables, x)


def shapes_of(model, *example):
    return jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *example)))


@pytest.fixture(scope='module')
def x():
    """float32 [4, FRAMES, BANDS, CHANNELS], bands on levels of their own, as spectra have."""
    rng = np.random.default_rng(1)
    return (rng.standard_normal((4, FRAMES, BANDS, CHANNELS)) + 3 * rng.standard_normal((BANDS, 1))).astype(np.float32)


@pytest.fixture(scope='module')
def variables():
    """Random by NumPy and far from those of an initialisation, where norms do nothing."""
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return (rng.standard_normal(s.shape) / np.sqrt(s.shape[0])).astype(s.dtype)
        low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
        return rng.uniform(low, high, s.shape).astype(s.dtype)

    return jax.tree_util.tree_map_with_path(draw, shapes_of(slim(), FRAMES, BANDS, CHANNELS))


def by_numpy(variables, x, batch_statistics):
    """({stage: float64 array}, {path: running statistics afterwards}) of the network written out."""
    params, running = flatten_tree(variables['params']), flatten_tree(variables['batch_stats'])
    params, running = ({k: np.asarray(v, np.float64) for k, v in tree.items()} for tree in (params, running))
    # One input a band and channel, the channel fastest.
    y = np.array([[image[:, f, c].mean() for f in range(BANDS) for c in range(CHANNELS)] for image in np.float64(x)])
    found, after = {}, dict(running)
    for name in ('hidden', 'bottleneck'):
        mean, var = running[f'{name}/bn/mean'], running[f'{name}/bn/var']
        if batch_statistics:
            n, old_mean, old_var = len(y), mean, var
            mean, var = y.mean(axis=0), y.var(axis=0)
            after[f'{name}/bn/mean'] = 0.9 * old_mean + 0.1 * mean
            after[f'{name}/bn/var'] = 0.9 * old_var + 0.1 * var * n / (n - 1)
        y = (y - mean) / np.sqrt(var + 1e-5) * params[f'{name}/bn/scale'] + params[f'{name}/bn/bias']
        found[name] = y = np.maximum(y @ params[f'{name}/dense/kernel'] + params[f'{name}/dense/bias'], 0)
    found['embedding'] = y
    found['head'] = y @ params['head/kernel'] + params['head/bias']
    return found, after


def test_evaluation_is_the_network_written_out(variables, x):
    logits, features = evaluate(variables, x)
    expected, _ = by_numpy(variables, x, batch_statistics=False)
    assert set(features) == set(expected) == {'hidden', 'bottleneck', 'embedding', 'head'}
    for name, value in expected.items():
        np.testing.assert_allclose(features[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(logits, features['head'])
    assert (expected['hidden'] > 0).any() and (expected['hidden'] == 0).any()


def test_training_normalises_by_the_batch_and_moves_the_statistics_as_torch_does(variables, x):
    train = jax.jit(functools.partial(slim().apply, train=True, mutable=['batch_stats']))
    (logits, features), new = train(variables, x)
    expected, after = by_numpy(variables, x, batch_statistics=True)
    for name, value in expected.items():
        np.testing.assert_allclose(features[name], value, rtol=1e-3, atol=1e-4, err_msg=name)
    found = flatten_tree(new['batch_stats'])
    assert set(found) == set(after) and len(after) == 4
    for path, value in after.items():
        np.testing.assert_allclose(found[path], value, rtol=1e-4, atol=1e-5, err_msg=path)
    assert np.abs(logits - evaluate(variables, x)[0]).max() > 0.05


def test_time_axis_says_where_time_runs(variables, x):
    expected = evaluate(variables, x)[0]
    turned = x.swapaxes(1, 2)
    np.testing.assert_allclose(evaluate(variables, turned, time_axis=1)[0], expected, rtol=1e-5, atol=1e-6)
    # Frames in another order are the same machine; bands in another order are not.
    np.testing.assert_allclose(evaluate(variables, x[:, ::-1])[0], expected, rtol=1e-4, atol=1e-5)
    assert np.abs(evaluate(variables, x[:, :, ::-1])[0] - expected).max() > 0.05
    kernel = shapes_of(slim(time_axis=1), FRAMES, BANDS, CHANNELS)['params']['hidden']['dense']['kernel']
    assert kernel.shape == (FRAMES * CHANNELS, WIDTH)


@pytest.mark.parametrize('frames', [1, 3, 50])
def test_any_number_of_frames_goes_through_the_same_weights(variables, frames):
    image = np.random.default_rng(2).standard_normal((2, 1, BANDS, CHANNELS)).astype(np.float32)
    logits = evaluate(variables, image)[0]
    repeated = evaluate(variables, image.repeat(frames, axis=1))[0]
    np.testing.assert_allclose(repeated, logits, rtol=1e-4, atol=1e-5)


def test_sizes_are_those_of_the_docstring():
    shapes = flatten_tree(shapes_of(BandMLP(4), *create_front_end('musicnn').output_shape(1))['params'])
    assert {k: v.shape for k, v in shapes.items() if k.endswith('kernel')} == {
        'hidden/dense/kernel': (96, 256),
        'bottleneck/dense/kernel': (256, 256),
        'head/kernel': (256, 4),
    }
    assert norm_paths() == ('hidden/bn', 'bottleneck/bn')
    assert BandMLP(4).dropout_rate == 0.5


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'time_axis': 2}, r'time_axis.*=2 .*0 \(images \[T, F, C\]\) or 1'),
        ({'time_axis': -1}, 'time_axis.*=-1'),
    ],
)
def test_what_cannot_be_built_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        shapes_of(slim(**options), FRAMES, BANDS, CHANNELS)
