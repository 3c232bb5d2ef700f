"""Entropies and divergences against loops in float64."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest

from fdx.adapt.terms.entropy import divergences, entropies, mean_entropy

LOGITS = (np.random.default_rng(0).standard_normal((6, 4)) * 3).astype(np.float32)
OTHER = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)
MASK = np.array([1, 0, 1, 1, 0, 1], np.float32)


def softmax(row):
    exps = [math.exp(float(z)) for z in row]
    return [e / sum(exps) for e in exps]


def test_entropies():
    wanted = [-sum(p * math.log(p) for p in softmax(row)) for row in LOGITS]
    np.testing.assert_allclose(jax.jit(entropies)(LOGITS), wanted, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(entropies)(np.zeros((1, 7), np.float32)), [math.log(7)], rtol=1e-6)
    real = [h for h, m in zip(wanted, MASK) if m]
    assert float(jax.jit(mean_entropy)(LOGITS, MASK)) == pytest.approx(sum(real) / 4, rel=1e-5)


def test_divergences():
    wanted = [sum(p * math.log(p / q) for p, q in zip(softmax(a), softmax(b))) for a, b in zip(LOGITS, OTHER)]
    np.testing.assert_allclose(jax.jit(divergences)(LOGITS, OTHER), wanted, rtol=1e-5)
    np.testing.assert_array_equal(jax.jit(divergences)(LOGITS, LOGITS), 0)
    # Adding a constant to logits changes no probability.
    np.testing.assert_allclose(jax.jit(divergences)(LOGITS + 5, OTHER - 3), wanted, rtol=1e-4)


def test_certain_predictions_have_finite_values_and_gradients():
    certain = np.array([[1e4, 0, 0], [0, -3e30, 0]], np.float32)
    np.testing.assert_allclose(jax.jit(entropies)(certain), [0, math.log(2)], atol=1e-6)
    for function in (lambda z: entropies(z).sum(), lambda z: divergences(z, z[:, ::-1] / 1e4).sum()):
        value, gradient = jax.jit(jax.value_and_grad(function))(certain)
        assert np.isfinite(value) and np.isfinite(gradient).all()


def test_gradient_of_the_mean_entropy_is_the_analytical_one():
    gradient = jax.jit(jax.grad(lambda z: mean_entropy(z, MASK)))(LOGITS)
    wanted = np.zeros((6, 4))
    for i in np.flatnonzero(MASK):
        p = np.array(softmax(LOGITS[i]))
        wanted[i] = -p * (np.log(p) - (p * np.log(p)).sum()) / 4
    np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-6)
