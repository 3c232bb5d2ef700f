"""The textbook forms, in which networks are exported: the values of the CPU forms, and only inside their context."""

from __future__ import annotations

import contextlib
import functools
import re

import jax
import numpy as np
import pytest

from fdx.models import cell_pool, conv, conv1x1, depthwise, inverted_bottleneck, pooling
from fdx.models.conv import in_textbook_forms, on_cpu, textbook_forms
from fdx.models.registry import create_model, model_names

# Shape of an example, with odd lengths where a network takes them, and options that make it slim.
NETWORKS = {
    'band_linear': ((7, 9, 2), {}),
    'band_mlp': ((7, 9, 2), {'width_multiplier': 1 / 8}),
    'cnn1d': ((71, 1, 2), {'width_multiplier': 1 / 8}),
    'cnn_small': ((19, 17, 2), {'width_multiplier': 1 / 8}),
    'efficientnet_lite0': ((33, 27, 3), {'width_multiplier': 1 / 16, 'depths': (1,) * 7}),
    'evidence_judge': ((5, 4, 5), {'width_multiplier': 1 / 8, 'bands': 3}),
    'mlp': ((4,), {}),
    'musicnn_vgg': ((45, 96, 1), {'width_multiplier': 1 / 32, 'depth': 3}),
    'resnet50': ((33, 27, 3), {'width_multiplier': 1 / 16, 'depths': (1,) * 4}),
    'vgg16': ((35, 33, 3), {'width_multiplier': 1 / 16, 'fc_width': 512, 'cells': 2}),
    'vggish': ((96, 64, 1), {'width_multiplier': 1 / 16}),
    'yamnet': ((33, 27, 1), {'width_multiplier': 1 / 16}),
}
# Dense layers and means have one form only.
SAME = {'band_linear', 'band_mlp', 'evidence_judge', 'mlp'}
# Its maximum over bands is `reduce_max`, which 8-bit models compute as floats.
MAXIMUM_OF_JUDGE = pytest.mark.xfail(strict=True, reason='evidence_judge holds reduce_max in both forms')
# The maximum of a part of cnn1d keeps its gradient rule; what it computes has both forms.
RULES_OF_BOTH = {'_max_in_time'}


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def positive(seed, shape):
    """As behind a ReLU: half of them zeros, so that many cells tie."""
    return np.maximum(normal(seed, shape), 0)


def in_textbook(function, *args):
    """`function` as an exported network computes it."""
    with textbook_forms():
        return jax.jit(lambda *a: function(*a))(*args)


def as_trained(function, *args):
    return jax.jit(lambda *a: function(*a))(*args)


def primitives_of(function, *args) -> str:
    """The jaxpr; a new function each time, as JAX remembers what it traced."""
    return str(jax.make_jaxpr(lambda *a: function(*a))(*args))


def rules_of(jaxpr: str) -> set[str]:
    """Names of the functions with gradients of their own: such are the CPU forms."""
    return set(re.findall(r'custom_vjp_call\[\s*name=(\w+)', jaxpr))


def drawn(model, x) -> dict:
    """Random variables, the statistics of norms too."""
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
        low, high = (0.5, 1.5) if path[-1].key in ('scale', 'var') else (-0.3, 0.3)
        return rng.uniform(low, high, s.shape).astype(s.dtype)

    return jax.tree_util.tree_map_with_path(draw, jax.eval_shape(model.init, jax.random.key(0), x))


@functools.cache
def both_forms(name):
    """(jaxpr, (logits, features)) of a network as it is trained, and then the same as it is exported."""
    shape, options = NETWORKS[name]
    model, x = create_model(name, 3, **options), normal(1, (2, *shape))
    variables, found = drawn(model, x), []
    for context in (contextlib.nullcontext(), textbook_forms()):
        with context:
            # A new function each time, as JAX remembers what it traced. One trace serves the jaxpr and the program.
            traced = jax.jit(lambda v, x: model.apply(v, x, train=False)).trace(variables, x)
            found.append((str(traced.jaxpr), traced.lower().compile()(variables, x)))
    return found


def test_every_model_of_the_table_is_here():
    assert sorted(NETWORKS) == model_names()


@pytest.mark.parametrize('name', NETWORKS)
def test_a_network_gives_the_same_features_in_both_forms(name):
    (_, (expected, expected_features)), (_, (logits, features)) = both_forms(name)
    assert set(features) == set(expected_features)
    features, expected_features = {**features, 'logits': logits}, {**expected_features, 'logits': expected}
    for key, value in expected_features.items():
        largest = np.abs(value).max()
        assert largest > 1e-3, key
        np.testing.assert_allclose(features[key], value, rtol=0, atol=1e-5 * largest, err_msg=key)


@pytest.mark.parametrize(
    'name', [pytest.param(n, marks=MAXIMUM_OF_JUDGE) if n == 'evidence_judge' else n for n in NETWORKS]
)
def test_an_exported_network_holds_nothing_of_the_cpu_forms(name):
    """Also where it was traced in them before: JAX keeps traces of functions with gradients of their own."""
    (trained, _), (exported, _) = both_forms(name)
    assert bool(rules_of(trained) - RULES_OF_BOTH) == (name not in SAME)
    assert rules_of(exported) <= RULES_OF_BOTH
    assert 'reduce_max[' not in exported


@pytest.mark.parametrize(
    ('function', 'x'),
    [
        (pooling.max_pool_3x3, positive(0, (2, 7, 6, 3))),
        (pooling.max_pool_3x3, positive(0, (1, 1, 2, 1))),
        (conv.max_pool_2x2, normal(0, (2, 7, 6, 3))),
        (functools.partial(cell_pool.max_pool, cell=(4, 1), stride=(4, 1)), normal(0, (2, 9, 3, 2))),
        (functools.partial(cell_pool.max_pool, cell=(2, 2), stride=(1, 1)), normal(0, (2, 5, 3, 2))),
        (functools.partial(conv.conv3x3, kernel=normal(1, (3, 3, 1, 4))), normal(0, (2, 7, 6, 1))),
        (functools.partial(conv1x1.conv1x1, kernel=normal(1, (1, 1, 3, 4)), stride=2), normal(0, (2, 7, 6, 3))),
        (
            functools.partial(depthwise.depthwise_conv, kernel=normal(1, (5, 5, 1, 3)), stride=2),
            normal(0, (2, 7, 6, 3)),
        ),
    ],
)
def test_a_layer_gives_the_same_values_in_both_forms(function, x):
    found, expected = in_textbook(function, x), as_trained(function, x)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert rules_of(primitives_of(function, x))
    with textbook_forms():
        assert not rules_of(primitives_of(function, x))


@pytest.mark.parametrize('axes', [(1,), (2,), (1, 2)])
def test_a_maximum_over_axes_is_a_pool_in_textbook_form(axes):
    """Of negative values too: nothing is padded."""
    x = normal(0, (2, 7, 6, 3)) - np.float32(10)
    function = functools.partial(pooling.max_of_axes, axes=axes)
    expected = np.asarray(x).max(axis=axes, keepdims=True)
    np.testing.assert_array_equal(as_trained(function, x), expected)
    np.testing.assert_array_equal(in_textbook(function, x), expected)
    assert 'reduce_max[' in primitives_of(function, x)
    with textbook_forms():
        assert 'reduce_window_max[' in primitives_of(function, x)


def test_relu6_is_one_operation_in_textbook_form():
    x = np.float32([-7.0, -1.0, 0.0, 2.5, 6.0, 6.5, 1e6])
    np.testing.assert_array_equal(in_textbook(inverted_bottleneck.relu6, x), [0, 0, 0, 2.5, 6, 6, 6])
    np.testing.assert_array_equal(as_trained(inverted_bottleneck.relu6, x), [0, 0, 0, 2.5, 6, 6, 6])
    assert ' ge ' in primitives_of(inverted_bottleneck.relu6, x)
    with textbook_forms():
        text = primitives_of(inverted_bottleneck.relu6, x)
    assert ' ge ' not in text
    assert ' min ' in text


def test_the_cpu_forms_are_back_afterwards_also_after_an_exception():
    assert (on_cpu(), in_textbook_forms()) == (True, False)
    with textbook_forms():
        assert (on_cpu(), in_textbook_forms()) == (False, True)
    assert (on_cpu(), in_textbook_forms()) == (True, False)
    with pytest.raises(ZeroDivisionError), textbook_forms():
        1 / 0  # noqa: B018
    assert (on_cpu(), in_textbook_forms()) == (True, False)
    # One inside another: the outer one still stands when the inner one ends.
    with textbook_forms():
        with textbook_forms():
            pass
        assert in_textbook_forms()
    assert on_cpu()
