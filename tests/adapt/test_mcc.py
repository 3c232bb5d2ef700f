"""Minimum class confusion against the paper's equations in float64."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.adapt.terms.mcc import mcc
from fdx.types import ConfigError

compiled = jax.jit(mcc, static_argnames='temperature')
LOGITS = (np.random.default_rng(0).standard_normal((7, 4)) * 3).astype(np.float32)
MASK = np.array([1, 1, 0, 1, 1, 0, 1], np.float32)


def oracle(logits, temperature=2.5, weights=None):
    z = logits.astype(np.float64) / temperature
    y = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    n, classes = y.shape
    if weights is None:
        raw = 1 + np.exp((y * np.log(y)).sum(1))
        weights = n * raw / raw.sum()
    confusion = np.zeros((classes, classes))
    for i in range(n):
        for j in range(classes):
            for k in range(classes):
                confusion[j, k] += weights[i] * y[i, j] * y[i, k]
    confusion /= confusion.sum(1, keepdims=True)
    return sum(confusion[j, k] for j in range(classes) for k in range(classes) if j != k) / classes


@pytest.mark.parametrize('temperature', [1.0, 2.5, 10.0])
def test_value(temperature):
    ones = np.ones(7, np.float32)
    plain = float(compiled(LOGITS, ones, temperature=temperature))
    assert plain == pytest.approx(oracle(LOGITS, temperature), rel=1e-5)
    masked = float(compiled(LOGITS, MASK, temperature=temperature))
    assert masked == pytest.approx(oracle(LOGITS[MASK > 0], temperature), rel=1e-5)


def test_default_temperature_and_entropy_weights_matter():
    ones = np.ones(7, np.float32)
    value = float(compiled(LOGITS, ones))
    assert value == pytest.approx(oracle(LOGITS), rel=1e-5)
    assert value != pytest.approx(oracle(LOGITS, weights=np.ones(7)), rel=1e-3)


def test_uniform_and_perfect_predictions():
    ones = np.ones(8, np.float32)
    assert float(compiled(np.zeros((8, 4), np.float32), ones)) == pytest.approx(3 / 4)
    certain = np.eye(4, dtype=np.float32)[np.arange(8) % 4] * 1e3
    assert float(compiled(certain, ones)) == pytest.approx(0, abs=1e-6)


def test_a_class_that_no_example_is_taken_for_is_no_zero_over_zero():
    """Its probabilities are 0 in float32; the shares of its few predictions are those of a milder case."""
    logits = LOGITS.copy()
    logits[:, 3] = -500
    value, gradient = jax.jit(jax.value_and_grad(mcc))(logits, MASK)
    assert np.isfinite(gradient).all()
    assert float(value) == pytest.approx(oracle(logits[MASK > 0]), rel=1e-4)


def test_gradient_holds_the_weights_fixed():
    gradient = np.asarray(jax.jit(jax.grad(mcc))(LOGITS, np.ones(7, np.float32)))
    z = LOGITS.astype(np.float64) / 2.5
    y = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    raw = 1 + np.exp((y * np.log(y)).sum(1))
    weights, step = 7 * raw / raw.sum(), 1e-5
    for i, j in ((0, 0), (2, 3), (6, 1)):
        moved = LOGITS.astype(np.float64)
        moved[i, j] += step
        up = oracle(moved, weights=weights)
        moved[i, j] -= 2 * step
        assert gradient[i, j] == pytest.approx((up - oracle(moved, weights=weights)) / (2 * step), rel=1e-3, abs=1e-6)


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ConfigError, match='temperature=0'):
        mcc(LOGITS, MASK, temperature=0.0)
