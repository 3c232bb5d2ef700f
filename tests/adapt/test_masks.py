"""Masks, and the laws of padding, held by every term: padded rows change nothing, too few examples give 0."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.adapt.terms.cdan import cdan, conditional_map, entropy_weights
from fdx.adapt.terms.coral import coral
from fdx.adapt.terms.dann import dann
from fdx.adapt.terms.dirt_t import teacher_divergence
from fdx.adapt.terms.entropy import mean_entropy
from fdx.adapt.terms.jmmd import jmmd
from fdx.adapt.terms.kernels import mean_bandwidth
from fdx.adapt.terms.masks import count_real, masked_mean, without_padding
from fdx.adapt.terms.mcc import mcc
from fdx.adapt.terms.mk_mmd import mk_mmd
from fdx.adapt.terms.virtual_adversarial import virtual_adversarial
from fdx.types import DataError

WIDTH = 4
MATRIX = np.random.default_rng(7).standard_normal((WIDTH, 3)).astype(np.float32)


def joint(s, t, sm, tm):
    return jmmd((s, jax.nn.softmax(s)), (t, jax.nn.softmax(t)), sm, tm)


def conditional(s, t, sm, tm):
    weights = [entropy_weights(jax.nn.softmax(without_padding(x, m)), m) for x, m in ((s, sm), (t, tm))]
    logits = [conditional_map(x, jax.nn.softmax(x))[:, 1] for x in (s, t)]
    return cdan(*logits, sm, tm, *weights)[0]


def vat(s, t, sm, tm):
    del s, sm
    return masked_mean(virtual_adversarial(lambda x: jnp.tanh(x) @ MATRIX, t, tm, jax.random.key(0), 0.3), tm)


# Every term as a function of both domains' rows [B, WIDTH] and masks; those of one domain take the target's.
TERMS = {
    'mk_mmd': mk_mmd,
    'jmmd': joint,
    'coral': coral,
    'dann': lambda s, t, sm, tm: dann(s[:, 0], t[:, 0], sm, tm)[0],
    'cdan': conditional,
    'mcc': lambda s, t, sm, tm: mcc(t, tm),
    'entropy': lambda s, t, sm, tm: mean_entropy(t, tm),
    'virtual_adversarial': vat,
    'dirt_t': lambda s, t, sm, tm: teacher_divergence(t, jnp.flip(t, 1), tm),
}
WITHOUT_GRADIENT = {
    'domain_accuracy': lambda s, t, sm, tm: dann(s[:, 0], t[:, 0], sm, tm)[1],
    'mean_bandwidth': lambda s, t, sm, tm: mean_bandwidth(t, tm),
}


@functools.cache
def compiled(name):
    """(value, gradients) of a term: one program for all tests, whose rows and masks have the same shapes."""
    return jax.jit(jax.value_and_grad((TERMS | WITHOUT_GRADIENT)[name], argnums=(0, 1)))


# Real rows are spread among the padding; the domains differ in size.
SOURCE_MASK = np.array([1, 0, 1, 1, 1, 0, 1], np.float32)
TARGET_MASK = np.array([0, 1, 1, 0, 1], np.float32)


@pytest.fixture(scope='module')
def rows():
    rng = np.random.default_rng(0)
    return [rng.standard_normal((len(m), WIDTH)).astype(np.float32) for m in (SOURCE_MASK, TARGET_MASK)]


def with_garbage(x, mask, garbage):
    return np.where(mask[:, None] > 0, x, np.float32(garbage))


@pytest.mark.parametrize('name', [*TERMS, *WITHOUT_GRADIENT])
def test_padding_changes_neither_value_nor_gradient(rows, name):
    term = compiled(name)
    masks = SOURCE_MASK, TARGET_MASK
    value, grads = term(*(with_garbage(x, m, 0) for x, m in zip(rows, masks)), *masks)
    assert np.isfinite(value) and abs(value) > 1e-4
    assert any(np.any(np.asarray(g) != 0) for g in grads) == (name in TERMS)
    for garbage in (-7.0, 3e30, -3e38):
        found, found_grads = term(*(with_garbage(x, m, garbage) for x, m in zip(rows, masks)), *masks)
        assert found == value, garbage
        for gradient, wanted, mask in zip(found_grads, grads, masks):
            np.testing.assert_array_equal(gradient, wanted)
            np.testing.assert_array_equal(np.asarray(gradient)[mask == 0], 0)


@pytest.mark.parametrize('name', [name for name in TERMS if name != 'virtual_adversarial'])
def test_padded_batches_have_the_value_of_the_real_rows(rows, name):
    """Not virtual_adversarial: its random directions belong to places in the batch."""
    short = [x[m > 0] for x, m in zip(rows, (SOURCE_MASK, TARGET_MASK))]
    wanted = jax.jit(TERMS[name])(*short, *(np.ones(len(x), np.float32) for x in short))
    found, _ = compiled(name)(*rows, SOURCE_MASK, TARGET_MASK)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('name', TERMS)
def test_too_few_examples_give_zero_and_no_nan(rows, name):
    term = compiled(name)
    least = 2 if name in ('mk_mmd', 'jmmd', 'coral') else 1
    for real in range(least):
        masks = [(np.arange(len(m)) < real).astype(np.float32) for m in (SOURCE_MASK, TARGET_MASK)]
        value, grads = term(*rows, *masks)
        assert value == 0, real
        for gradient in grads:
            np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize('name', TERMS)
def test_one_example_and_equal_examples_give_finite_gradients(rows, name):
    term = compiled(name)
    one = [(np.arange(len(m)) < 1).astype(np.float32) for m in (SOURCE_MASK, TARGET_MASK)]
    same = [np.ones_like(x) for x in rows]
    for inputs, masks in ((rows, one), (same, (SOURCE_MASK, TARGET_MASK)), ([x * 1e4 for x in rows], one)):
        value, grads = term(*inputs, *masks)
        assert np.isfinite(value) and all(np.isfinite(g).all() for g in grads)


def test_padding_may_even_be_infinite_or_unknown():
    """A product with the mask would pass every test with finite rows and fail here."""
    mask = np.array([1, 0, 1, 0], np.float32)
    x = np.array([2, np.inf, 3, np.nan], np.float32)
    value, gradient = jax.jit(jax.value_and_grad(lambda v: jnp.square(without_padding(v, mask)).sum()))(x)
    assert float(value) == 13
    np.testing.assert_array_equal(gradient, [4, 0, 6, 0])
    assert float(masked_mean(x, mask)) == 2.5


def test_masked_mean_is_a_weighted_mean_of_real_values():
    values, mask = np.array([1.0, 5.0, 100.0, 4.0], np.float32), np.array([1, 1, 0, 1], np.float32)
    assert float(masked_mean(values, mask)) == pytest.approx(10 / 3)
    weights = np.array([1.0, 0.0, 50.0, 3.0], np.float32)
    assert float(masked_mean(values, mask, weights)) == pytest.approx((1 * 1 + 4 * 3) / 4)
    assert float(masked_mean(values, np.zeros(4, np.float32))) == 0
    assert float(count_real(mask)) == 3


def test_shapes_that_would_be_spread_are_refused():
    mask = np.ones(3, np.float32)
    with pytest.raises(DataError, match=r'values \[3, 1\] are not \[B\]'):
        masked_mean(np.ones((3, 1), np.float32), mask)
    with pytest.raises(DataError, match=r'mask \[4\]'):
        without_padding(np.ones((3, 2), np.float32), np.ones(4, np.float32))
    with pytest.raises(DataError, match=r'mask \[3, 1\]'):
        without_padding(np.ones((3, 2), np.float32), mask[:, None])
    with pytest.raises(DataError, match=r'weights \[3, 1\]'):
        masked_mean(mask, mask, mask[:, None])
