"""cnn_small: sizes and cells, an independent forward and its gradient, dropout; that it learns where a line stands."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fdx.models import create_model
from fdx.models.cnn_small import CNNSmall, norm_paths, pool_cell
from fdx.models.registry import check_input_shape
from fdx.weights.trees import flatten_tree

SLIM = {'width_multiplier': 1 / 8, 'dropout_rate': 0.0}
STAGES = ('stage1', 'stage2', 'stage3', 'bottleneck', 'head')
# Of images of 19 x 9 at an eighth of the width: the second axis is halved once, as two positions would be left.
SHAPES = {'stage1': (9, 4, 2), 'stage2': (4, 4, 4), 'stage3': (4, 4, 8)}
SHAPES |= {'bottleneck': (32,), 'embedding': (32,), 'head': (3,)}
LABELS = np.array([0, 2, 1])


def slim(**options):
    return create_model('cnn_small', 3, **{**SLIM, **options})


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
    return drawn(slim(), 19, 9, 2)


@pytest.fixture(scope='module')
def x():
    return np.random.default_rng(1).standard_normal((3, 19, 9, 2)).astype(np.float32)


@pytest.fixture(scope='module')
def whole(variables, x):
    return jax.jit(slim().apply)(variables, x)


@pytest.fixture(scope='module')
def trained(variables, x):
    """((logits, features), new statistics) of a training step without dropout or padding."""
    return jax.jit(lambda v, x: slim().apply(v, x, train=True, mutable=['batch_stats']))(variables, x)


def means_by_numpy(x):
    """[B, H, W, C] -> [B, 4, 4, C], cell by cell."""
    found = np.zeros((len(x), 4, 4, x.shape[3]))
    for i, j in np.ndindex(4, 4):
        h, w = x.shape[1] / 4, x.shape[2] / 4
        rows = slice(int(np.floor(i * h)), int(np.ceil((i + 1) * h)))
        columns = slice(int(np.floor(j * w)), int(np.ceil((j + 1) * w)))
        found[:, i, j] = x[:, rows, columns].mean((1, 2))
    return found


def by_numpy(params, statistics, x):
    """{name: float64 array} of the network written out; flat trees; no statistics: those of the batch."""
    found, x = {}, np.asarray(x, np.float64)
    for name in ('stage1', 'stage2', 'stage3'):
        kernel = np.asarray(params[f'{name}/conv/kernel'], np.float64)
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        y = np.einsum('bhwcij,ijco->bhwo', windows, kernel) + params[f'{name}/conv/bias']
        mean, var = y.mean((0, 1, 2)), y.var((0, 1, 2))
        if statistics is not None:
            mean, var = (statistics[f'{name}/bn/{key}'] for key in ('mean', 'var'))
        y = (y - mean) / np.sqrt(var + 1e-5) * params[f'{name}/bn/scale'] + params[f'{name}/bn/bias']
        x = np.maximum(y, 0)
        if x.shape[1] >= 8:
            x = np.stack([x[:, i : i + 2].max(1) for i in range(0, x.shape[1] - 1, 2)], axis=1)
        if x.shape[2] >= 8:
            x = np.stack([x[:, :, i : i + 2].max(2) for i in range(0, x.shape[2] - 1, 2)], axis=2)
        found[name] = x
    cells = means_by_numpy(x).reshape(len(x), -1)
    kernel = np.asarray(params['bottleneck/kernel'], np.float64)
    found['bottleneck'] = x = np.maximum(cells @ kernel + params['bottleneck/bias'], 0)
    found['head'] = x @ np.asarray(params['head/kernel'], np.float64) + params['head/bias']
    return found


def cross_entropy(logits):
    shifted = logits - logits.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(LABELS)), LABELS]))


@pytest.mark.parametrize('channels', [1, 3, 5])
@pytest.mark.parametrize('size', [(8, 8), (128, 24), (8, 200)])
def test_parameters_are_the_same_for_images_of_any_size(size, channels):
    check_input_shape('cnn_small', (*size, channels))
    shapes = shapes_of(create_model('cnn_small', 10), *size, channels)
    params = flatten_tree(shapes['params'])
    convolutions = (9 * channels + 1) * 16 + (9 * 16 + 1) * 32 + (9 * 32 + 1) * 64
    norms, dense = 2 * (16 + 32 + 64), (16 * 64 + 1) * 256 + 257 * 10
    assert sum(int(np.prod(s.shape)) for s in params.values()) == convolutions + norms + dense
    assert set(shapes['params']) == set(STAGES)
    assert CNNSmall.STAGES == STAGES
    assert params['bottleneck/kernel'].shape == (1024, 256)
    assert {n.rpartition('/')[0] for n in flatten_tree(shapes['batch_stats'])} == set(norm_paths())


def test_features_have_names_and_shapes(whole):
    logits, features = whole
    assert {k: v.shape[1:] for k, v in features.items()} == SHAPES
    np.testing.assert_array_equal(features['head'], logits)
    np.testing.assert_array_equal(features['embedding'], features['bottleneck'])


@pytest.mark.parametrize(
    ('size', 'maps'),
    [
        ((128, 24), [(64, 12), (32, 6), (16, 6)]),
        ((8, 9), [(4, 4)] * 3),
        ((7, 63), [(7, 31), (7, 15), (7, 7)]),
        ((2, 1), [(2, 1)] * 3),
    ],
)
def test_an_axis_is_halved_while_four_positions_stay(size, maps, variables):
    _, features = jax.eval_shape(lambda v: slim().apply(v, jnp.ones((1, *size, 2))), variables)
    assert [features[f'stage{i}'].shape[1:3] for i in (1, 2, 3)] == maps
    assert features['head'].shape == (1, 3)
    assert pool_cell(8, 7) == (2, 1)


@pytest.mark.parametrize('train', [False, True])
def test_every_stage_is_what_numpy_finds(train, variables, x, whole, trained):
    features = (trained[0] if train else whole)[1]
    statistics = None if train else flatten_tree(variables['batch_stats'])
    wanted = by_numpy(flatten_tree(variables['params']), statistics, x)
    assert set(wanted) == set(STAGES)
    for name, value in wanted.items():
        assert value.std() > 0.05, name
        np.testing.assert_allclose(features[name], value, rtol=2e-4, atol=2e-5, err_msg=name)


def test_gradient_is_the_slope_of_the_numpy_loss(variables, x):
    """Of a compiled training step, in a random direction of each parameter, by central differences in float64."""

    def loss_fn(params):
        (logits, _), _ = slim().apply({**variables, 'params': params}, x, train=True, mutable=['batch_stats'])
        return optax.softmax_cross_entropy_with_integer_labels(logits, LABELS).mean()

    gradients = flatten_tree(jax.jit(jax.grad(loss_fn))(variables['params']))
    params = {k: np.asarray(v, np.float64) for k, v in flatten_tree(variables['params']).items()}
    rng, step = np.random.default_rng(2), 1e-6
    for name, gradient in gradients.items():
        direction = rng.standard_normal(gradient.shape)
        moved = [{**params, name: params[name] + sign * step * direction} for sign in (1, -1)]
        losses = [cross_entropy(by_numpy(p, None, x)['head']) for p in moved]
        slope = (losses[0] - losses[1]) / (2 * step)
        np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=2e-3, atol=2e-5, err_msg=name)
        # A bias in front of a norm over the batch has none.
        assert (abs(slope) < 1e-6) == name.endswith('conv/bias'), name


def test_the_bottleneck_takes_cells_and_the_map():
    """What is cached behind stage3 has one size, and the map gives the same."""
    x = np.random.default_rng(4).standard_normal((2, 80, 56, 1)).astype(np.float32)
    variables = drawn(slim(), 80, 56, 1)

    @jax.jit
    def run(variables, x):
        cells, features = slim().apply(variables, x, stop=3)
        return cells, features['stage3'], *(slim().apply(variables, y, start=3)[0] for y in (features['stage3'], cells))

    cells, stage, found, wanted = run(variables, x)
    assert (cells.shape, stage.shape) == ((2, 4, 4, 8), (2, 10, 7, 8))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_it_learns_where_a_line_stands():
    """Three classes that differ in the band of one line alone, which a mean over the whole image hardly tells."""
    rng = np.random.default_rng(5)
    labels = np.arange(48) % 3
    images = 0.3 * rng.standard_normal((48, 24, 16, 1)).astype(np.float32)
    images[np.arange(48), np.array([3, 11, 19])[labels]] += 1.0
    model = slim(width_multiplier=1 / 4)
    variables, optimiser = drawn(model, 24, 16, 1), optax.adam(3e-3)
    start = {k: variables[k] for k in ('params', 'batch_stats')}

    @jax.jit
    def step(variables, state, x, y):
        def loss_fn(params):
            (logits, _), new = model.apply({**variables, 'params': params}, x, train=True, mutable=['batch_stats'])
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), new

        gradients, new = jax.grad(loss_fn, has_aux=True)(variables['params'])
        updates, state = optimiser.update(gradients, state)
        return {'params': optax.apply_updates(variables['params'], updates), **new}, state

    state = optimiser.init(start['params'])
    for _ in range(40):
        start, state = step(start, state, images[:24], labels[:24])
    found = np.asarray(jax.jit(model.apply)(start, images[24:])[0]).argmax(-1)
    assert (found == labels[24:]).mean() > 0.9
