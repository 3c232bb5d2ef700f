"""Gradient reversal and its ramp."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.adapt.terms.reversal import ramp, reverse_gradient

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
W = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)


@pytest.mark.parametrize('factor', [0, 0.3, 1, 2.5])
def test_identity_forward_and_minus_factor_times_the_gradient_backward(factor):
    def loss(x):
        return (W * jnp.sin(reverse_gradient(x, factor))).sum()

    value, gradient = jax.jit(jax.value_and_grad(loss))(X)
    assert float(value) == pytest.approx(float((W * np.sin(X)).sum()), rel=1e-5)
    np.testing.assert_array_equal(reverse_gradient(X, factor), X)
    np.testing.assert_allclose(gradient, -factor * W * np.cos(X), rtol=1e-5, atol=1e-7)


def test_a_traced_factor_compiles_once_and_gets_no_gradient():
    traces = []

    @jax.jit
    def grads(x, factor):
        traces.append(factor)
        return jax.grad(lambda x, f: (W * reverse_gradient(x, f)).sum(), argnums=(0, 1))(x, factor)

    for factor in (0.25, 0.5):
        by_x, by_factor = grads(X, np.float32(factor))
        np.testing.assert_allclose(by_x, -factor * W, rtol=1e-6)
        assert float(by_factor) == 0
    assert len(traces) == 1


def test_a_step_trains_the_discriminator_and_works_against_it_for_the_features():
    def loss(features, weight, factor):
        return ((reverse_gradient(features, factor) * weight - 1) ** 2).sum()

    features, weight = np.float32(2.0), np.float32(3.0)
    by_features, by_weight = jax.jit(jax.grad(loss, argnums=(0, 1)))(features, weight, 0.5)
    assert float(by_weight) == pytest.approx(2 * (6 - 1) * 2)
    assert float(by_features) == pytest.approx(-0.5 * 2 * (6 - 1) * 3)


def test_ramp_is_the_papers_schedule():
    progress = np.linspace(0, 1, 11)
    for steepness in (10.0, 4.0):
        wanted = 2 / (1 + np.exp(-steepness * progress)) - 1
        np.testing.assert_allclose(jax.jit(ramp)(progress, steepness), wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(jax.jit(ramp)(progress), 2 / (1 + np.exp(-10 * progress)) - 1, rtol=1e-5, atol=1e-7)
    assert float(ramp(0.0)) == 0 and float(ramp(1.0)) == pytest.approx(0.9999092)
