"""mlp: both sizes written out in NumPy, their stages, where dropout is, and what is refused."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.mlp import MLP
from fdx.models.registry import check_input_shape, model_spec
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.types import ConfigError
from fdx.weights.trees import flatten_tree

COLUMNS, CLASSES = 4, 2
HIDDEN = {'small': ('hidden1',), 'large': ('hidden1', 'hidden2')}
KERNELS = {
    'small': {'hidden1/kernel': (4, 16), 'head/kernel': (16, 2)},
    'large': {'hidden1/kernel': (4, 64), 'hidden2/kernel': (64, 64), 'head/kernel': (64, 2)},
}
VALUES = {'small': 114, 'large': 4610}


@pytest.fixture(autouse=True)
def quick_random():
    """The form of threefry that XLA compiles quickly; networks are set up with it."""
    with jax.threefry_partitionable(False):
        yield


@pytest.fixture(scope='module')
def x():
    return np.random.default_rng(1).standard_normal((9, COLUMNS)).astype(np.float32)


@pytest.fixture(scope='module')
def variables():
    """size -> variables drawn by NumPy, biases too, which an initialisation leaves at zero."""
    rng, made = np.random.default_rng(0), {}
    for size in HIDDEN:
        shapes = jax.eval_shape(create_model('mlp', CLASSES, size=size).init, jax.random.key(0), jnp.zeros((1, 4)))
        made[size] = jax.tree.map(lambda s: rng.normal(0, 0.5, s.shape).astype(s.dtype), shapes)
    return made


def by_numpy(variables, x):
    """{stage: float64 output} of the network written out."""
    params, y, found = variables['params'], np.float64(x), {}
    for name in [n for n in ('hidden1', 'hidden2') if n in params]:
        found[name] = y = np.maximum(y @ np.float64(params[name]['kernel']) + np.float64(params[name]['bias']), 0)
    found['embedding'] = y
    found['head'] = y @ np.float64(params['head']['kernel']) + np.float64(params['head']['bias'])
    return found


@pytest.mark.parametrize('size', HIDDEN)
def test_the_network_written_out(size, variables, x):
    model = create_model('mlp', CLASSES, size=size, dropout_rate=0.5)
    logits, features = jax.jit(model.apply)(variables[size], x)
    expected = by_numpy(variables[size], x)
    assert set(features) == set(expected) == {*HIDDEN[size], 'embedding', 'head'}
    for name, value in expected.items():
        np.testing.assert_allclose(features[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(logits, features['head'])
    assert (expected['embedding'] > 0).any() and (expected['embedding'] == 0).any()


@pytest.mark.parametrize('size', HIDDEN)
def test_sizes_are_those_of_the_docstring(size, variables):
    flat = flatten_tree(variables[size]['params'])
    assert {k: v.shape for k, v in flat.items() if k.endswith('kernel')} == KERNELS[size]
    assert sum(v.size for v in flat.values()) == VALUES[size]
    assert set(variables[size]) == {'params'}


def test_small_without_dropout_is_the_default():
    model = MLP(CLASSES)
    assert (model.size, model.dropout_rate, model.HAS_STATISTICS, model.NORMS) == ('small', 0.0, False, '')
    assert model_spec('mlp').front_end == 'readings'


@pytest.mark.parametrize(('size', 'drops'), [('small', 1), ('large', 2)])
def test_dropout_is_behind_every_hidden_layer_in_training_alone(size, drops, variables, x):
    model = create_model('mlp', CLASSES, size=size, dropout_rate=0.25)
    plain = jax.jit(model.apply)(variables[size], x)[0]
    without = jax.jit(create_model('mlp', CLASSES, size=size).apply)(variables[size], x)[0]
    np.testing.assert_array_equal(plain, without)
    many = np.ones((500, {'small': 16, 'large': 64}[size]), np.float32)
    rngs = {'dropout': jax.random.key(3)}
    for stage in range(1, drops + 1):
        width = KERNELS[size][f'{model.STAGES[stage]}/kernel'][1]
        picks = {'kernel': np.eye(many.shape[1], width, dtype=np.float32), 'bias': np.zeros(width, np.float32)}
        changed = {'params': {**variables[size]['params'], model.STAGES[stage]: picks}}
        run = functools.partial(model.apply, start=stage, stop=stage + 1, train=True, rngs=rngs)
        out = np.asarray(jax.jit(run)(changed, many)[0])
        np.testing.assert_allclose(out[out != 0], 4 / 3, rtol=1e-6)
        assert (out == 0).mean() == pytest.approx(0.25, abs=0.05)
    # The readings themselves are not dropped.
    first = jax.jit(functools.partial(model.apply, stop=1, train=True, rngs=rngs))(variables[size], x)[0]
    np.testing.assert_array_equal(first, jax.jit(functools.partial(model.apply, stop=1))(variables[size], x)[0])


def test_dropout_of_a_row_does_not_depend_on_the_rows_behind_it(variables, x):
    model = create_model('mlp', CLASSES, size='large', dropout_rate=0.5)
    rngs = {'dropout': jax.random.key(1)}
    run = jax.jit(functools.partial(model.apply, train=True, rngs=rngs))
    whole, some, plain = (
        np.asarray(f(variables['large'], rows)[0]) for f, rows in ((run, x), (run, x[:4]), (jax.jit(model.apply), x))
    )
    np.testing.assert_allclose(some, whole[:4], rtol=1e-5, atol=1e-6)
    assert np.abs(whole - plain).max() > 0.05


def test_a_fresh_network_has_he_kernels_and_no_bias():
    init = jax.jit(create_model('mlp', CLASSES, size='large').init)
    kernels = jax.tree.map(np.asarray, init(jax.random.key(0), np.zeros((1, 200), np.float32))['params'])
    np.testing.assert_allclose(kernels['hidden1']['kernel'].std(), np.sqrt(2 / 200), rtol=0.05)
    np.testing.assert_allclose(kernels['hidden2']['kernel'].std(), np.sqrt(2 / 64), rtol=0.05)
    assert not np.any(kernels['hidden1']['bias'])


@pytest.mark.parametrize(('size', 'frozen', 'trained'), [('small', 1, 34), ('large', 2, 130)])
def test_a_frozen_backbone_is_all_hidden_layers(size, frozen, trained):
    config = TrainConfig(dataset='x', model='mlp', model_options={'size': size}, freeze='head')
    setup = set_up_model(config, CLASSES, (COLUMNS,))
    assert (setup.start, setup.trained, setup.norms) == (frozen, trained, 0)
    assert set(setup.params) == {'head'}
    assert tuple(setup.prefix['params']) == HIDDEN[size]


@pytest.mark.parametrize('size', ['medium', '', 'Small'])
def test_an_unknown_size_is_refused(size):
    with pytest.raises(ConfigError, match=f"size.*='{size}' .*small, large"):
        create_model('mlp', CLASSES, size=size)


def test_images_are_refused():
    check_input_shape('mlp', (7,))
    with pytest.raises(ConfigError, match="model 'mlp' takes examples of any, not 96 x 64 x 1: its front end is 'read"):
        check_input_shape('mlp', (96, 64, 1))
    with pytest.raises(ConfigError, match="model 'vggish' takes examples of 96 x 64 x 1, not 4"):
        check_input_shape('vggish', (4,))
