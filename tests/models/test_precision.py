"""Networks in bfloat16: which products are, what stays float32, and that float32 is untouched."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core

from fdx.models import MODELS, create_model
from fdx.models.batch_norm import BatchNorm
from fdx.models.precision import WITHOUT_PRODUCTS, in_float32
from fdx.models.registry import options_for
from fdx.types import ConfigError
from fdx.weights.structure import example_input, model_name, variable_shapes

CLASSES = 3
PRODUCTS = ('dot_general', 'conv_general_dilated')
NAMES = sorted(set(MODELS) - set(WITHOUT_PRODUCTS))
SHALLOW = {'efficientnet_lite0': {'depths': (1,) * 7}, 'resnet50': {'depths': (1,) * 4}}
# Means of cells, and the slices of the depthwise form for CPU, add in float32.
ADD_IN_FLOAT32 = {'cnn_small', 'vgg16', 'efficientnet_lite0', 'yamnet'}


def low(name, **options):
    return create_model(name, CLASSES, compute_dtype='bfloat16', dropout_rate=0.0, **options)


def inner(jaxpr):
    """The equations of a program and of the programs inside it."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            for part in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(part, core.ClosedJaxpr):
                    yield from inner(part.jaxpr)
                elif isinstance(part, core.Jaxpr):
                    yield from inner(part)


def products(function, *args):
    """Types and shapes of the operands of each product."""
    program = jax.make_jaxpr(function)(*args)
    operands = [[v.aval for v in e.invars] for e in inner(program.jaxpr) if e.primitive.name in PRODUCTS]
    return [({str(a.dtype) for a in pair}, [a.shape for a in pair]) for pair in operands]


@pytest.mark.parametrize('name', NAMES)
def test_products_in_front_of_the_classifier_are_bfloat16(name):
    """Those of the forward pass and of the gradients; logits and features come out as float32."""
    shape = example_input(low(name)).shape[1:]
    model = low(name, **options_for(name, shape, SHALLOW.get(name, {})))
    assert model_name(model) == name
    variables, x = variable_shapes(model, shape), jax.ShapeDtypeStruct((2, *shape), jnp.float32)
    assert variables == variable_shapes(in_float32(model), shape)
    assert {str(s.dtype) for s in jax.tree.leaves(variables)} == {'float32'}
    params = variables.pop('params')
    stats = jax.tree.map(lambda s: np.ones(s.shape, s.dtype), variables)

    def outputs(params, x):
        return model.apply({'params': params, **stats}, x, train=True, mutable=list(stats))[0]

    logits, features = jax.eval_shape(outputs, params, x)
    assert {str(s.dtype) for s in (logits, *features.values())} == {'float32'}
    found = products(jax.grad(lambda p, x: outputs(p, x)[0].sum()), params, x)
    of_head = [p for p in found if any(CLASSES in shape for shape in p[1]) and p[0] == {'float32'}]
    assert len(of_head) >= 2
    assert any(types == {'bfloat16'} for types, _ in found)
    if name not in ADD_IN_FLOAT32:
        assert [p for p in found if p[0] != {'bfloat16'}] == of_head


def test_float32_is_the_network_as_it_is():
    assert create_model('mlp', CLASSES, compute_dtype='float32') == create_model('mlp', CLASSES)
    plain = create_model('cnn1d', CLASSES, stop_after='conv2')
    assert in_float32(plain) is plain
    model = create_model('cnn1d', CLASSES, stop_after='conv2', compute_dtype='bfloat16', width_multiplier=0.5)
    assert model_name(model) == 'cnn1d'
    assert model.STAGES == plain.STAGES
    assert in_float32(model) == plain.clone(width_multiplier=0.5)
    assert model.clone(axis_name=None) == model
    assert model != in_float32(model)


@pytest.mark.parametrize(
    ('name', 'dtype', 'words'),
    [
        ('band_linear', 'bfloat16', '`compute_dtype`=bfloat16: band_linear has no matrix product but its classifier'),
        ('mlp', 'float64', "`compute_dtype`='float64': it must be float32 or bfloat16"),
    ],
)
def test_what_cannot_be_is_refused(name, dtype, words):
    with pytest.raises(ConfigError, match=words):
        create_model(name, CLASSES, compute_dtype=dtype)


def test_initial_values_are_those_of_float32():
    model, x = low('mlp'), np.ones((1, 4), np.float32)
    fresh, plain = (m.init(jax.random.key(0), x) for m in (model, in_float32(model)))
    jax.tree.map(np.testing.assert_array_equal, fresh, plain)


def test_a_dense_network_written_out():
    """Products of rounded operands, rounded again; the classifier in float32."""
    model, rng = low('mlp'), np.random.default_rng(0)
    x = rng.standard_normal((5, 4)).astype(np.float32)
    params = jax.device_get(model.init(jax.random.key(1), x))['params']
    rounded = lambda a: np.asarray(jnp.asarray(a, jnp.bfloat16), np.float32)  # noqa: E731
    hidden = rounded(rounded(x) @ rounded(params['hidden1']['kernel']))
    hidden = np.maximum(rounded(hidden + rounded(params['hidden1']['bias'])), 0)
    wanted = hidden @ params['head']['kernel'] + params['head']['bias']
    logits, features = model.apply({'params': params}, x)
    np.testing.assert_array_equal(features['hidden1'], rounded(features['hidden1']))
    np.testing.assert_allclose(features['hidden1'], hidden, rtol=2**-7, atol=1e-6)
    np.testing.assert_allclose(logits, wanted, rtol=0.02, atol=0.02)
    assert np.abs(logits - in_float32(model).apply({'params': params}, x)[0]).max() > 1e-5
    # Adaptation asks whether a cached output is the layer itself (fdx.adapt.outputs.is_reached).
    output, features = model.apply({'params': params}, x, stop=1)
    assert output is features['embedding'] is features['hidden1']


def test_a_norm_of_bfloat16_has_statistics_in_float32():
    """Values around 300, where bfloat16 has steps of 2: the mean of 4096 of them is exact all the same."""
    rng = np.random.default_rng(0)
    x = jnp.asarray(300 + 10 * rng.standard_normal((4096, 2)), jnp.bfloat16)
    exact = np.asarray(x, np.float64)
    norm = BatchNorm(2)
    y, changed = norm.apply(norm.init(jax.random.key(0), x, train=True), x, train=True, mutable=['batch_stats'])
    assert y.dtype == jnp.bfloat16
    mean = changed['batch_stats']['mean']
    assert mean.dtype == jnp.float32
    np.testing.assert_allclose(mean, 0.1 * exact.mean(0), rtol=1e-5)
    wanted = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5)
    np.testing.assert_allclose(np.asarray(y, np.float64), wanted, rtol=2**-8, atol=1e-3)
