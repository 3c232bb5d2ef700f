"""Conditional domain-adversarial loss, its maps and weights, against loops in float64."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest

from fdx.adapt.terms.cdan import cdan, conditional_map, entropy_weights, randomised_map
from fdx.adapt.terms.dann import dann

# One program for each: operation by operation, each would be compiled.
compiled, compiled_weights = jax.jit(cdan), jax.jit(entropy_weights)
RNG = np.random.default_rng(0)
SOURCE, TARGET = (RNG.standard_normal(n).astype(np.float32) * 2 for n in (4, 7))
SOURCE_MASK, TARGET_MASK = np.ones(4, np.float32), np.array([1, 1, 0, 1, 1, 0, 1], np.float32)
FEATURES = RNG.standard_normal((5, 3)).astype(np.float32)
PROBABILITIES = RNG.dirichlet(np.ones(4), 5).astype(np.float32)


def test_conditional_map_is_the_outer_product():
    mapped = np.asarray(jax.jit(conditional_map)(FEATURES, PROBABILITIES))
    assert mapped.shape == (5, 12)
    for b in range(5):
        for d in range(3):
            for k in range(4):
                assert mapped[b, d * 4 + k] == pytest.approx(FEATURES[b, d] * PROBABILITIES[b, k], rel=1e-6)


def test_randomised_map_keeps_inner_products_and_is_fixed_by_its_key():
    key = jax.random.key(3)
    mapped = np.asarray(randomised_map(FEATURES, PROBABILITIES, key, size=60_000), np.float64)
    wanted = (FEATURES @ FEATURES.T) * (PROBABILITIES @ PROBABILITIES.T)
    # The products' standard deviation is about 3 times their size, over the root of 60,000.
    np.testing.assert_allclose(mapped @ mapped.T, wanted, atol=0.06 * wanted.max())
    one = randomised_map(FEATURES[1:2], PROBABILITIES[1:2], key, size=50)
    np.testing.assert_allclose(one[0], randomised_map(FEATURES, PROBABILITIES, key, size=50)[1], rtol=1e-5, atol=1e-6)
    other = randomised_map(FEATURES, PROBABILITIES, jax.random.key(4), size=50)
    assert not np.allclose(other[1], one[0])
    assert randomised_map(FEATURES, PROBABILITIES, key).shape == (5, 1024)


def weights_oracle(probabilities):
    raw = [1 + math.exp(sum(p * math.log(p) for p in row if p > 0)) for row in probabilities.astype(np.float64)]
    return [w * len(raw) / sum(raw) for w in raw]


def test_weights_sum_to_the_real_examples_and_have_no_gradient():
    mask = np.array([1, 0, 1, 1, 1], np.float32)
    probabilities = PROBABILITIES.copy()
    probabilities[3] = [0, 1, 0, 0]  # Certain: 0 log 0 must be 0.
    weights = np.asarray(compiled_weights(probabilities, mask))
    np.testing.assert_allclose(weights[mask > 0], weights_oracle(probabilities[mask > 0]), rtol=1e-5)
    assert weights[1] == 0 and weights.sum() == pytest.approx(4, rel=1e-6)
    assert weights.argmax() == 3
    np.testing.assert_array_equal(jax.jit(jax.grad(lambda p: entropy_weights(p, mask)[0]))(probabilities), 0)
    np.testing.assert_array_equal(compiled_weights(probabilities, mask * 0), 0)


def oracle(source, target, source_weights, target_weights):
    source_loss = sum(w * math.log(1 + math.exp(-z)) for z, w in zip(source, source_weights)) / sum(source_weights)
    target_loss = sum(w * math.log(1 + math.exp(z)) for z, w in zip(target, target_weights)) / sum(target_weights)
    return (source_loss + target_loss) / 2


def test_uniform_weights_are_plain_cdan():
    plain = compiled(SOURCE, TARGET, SOURCE_MASK, TARGET_MASK)
    np.testing.assert_allclose(plain, jax.jit(dann)(SOURCE, TARGET, SOURCE_MASK, TARGET_MASK), rtol=1e-6)
    for size in (1.0, 1.7):
        weights = np.full(4, size, np.float32), np.full(7, size, np.float32)
        np.testing.assert_allclose(compiled(SOURCE, TARGET, SOURCE_MASK, TARGET_MASK, *weights), plain, rtol=1e-6)
    uncertain = [
        compiled_weights(np.full((n, 3), 1 / 3, np.float32), m) for n, m in ((4, SOURCE_MASK), (7, TARGET_MASK))
    ]
    np.testing.assert_allclose(compiled(SOURCE, TARGET, SOURCE_MASK, TARGET_MASK, *uncertain), plain, rtol=1e-6)


@pytest.mark.parametrize('certain', range(5))
def test_moving_the_weight_to_one_confident_example_reaches_that_example(certain):
    """Weights on a loss that is averaged already would give the same loss whichever example is certain."""
    probabilities = np.full((5, 3), 1 / 3, np.float32)
    probabilities[certain] = [0.98, 0.01, 0.01]
    padded = np.full((7, 3), 1 / 3, np.float32)
    padded[TARGET_MASK > 0] = probabilities
    weights = compiled_weights(padded, TARGET_MASK)
    loss, accuracy = compiled(SOURCE, TARGET, SOURCE_MASK, TARGET_MASK, None, weights)
    real = TARGET[TARGET_MASK > 0]
    wanted = oracle(SOURCE, real, np.ones(4), weights_oracle(probabilities))
    assert float(loss) == pytest.approx(wanted, rel=1e-5)
    plain, plain_accuracy = compiled(SOURCE, TARGET, SOURCE_MASK, TARGET_MASK)
    assert abs(float(loss) - float(plain)) > 1e-3
    assert (float(loss) > float(plain)) == (real[certain] > np.log(np.expm1(np.log1p(np.exp(real)).mean())))
    assert float(accuracy) == float(plain_accuracy)


def test_weights_reach_the_gradients_of_their_examples():
    weights = np.array([0.4, 1.6, 1.5, 0.5], np.float32)
    gradient = jax.jit(jax.grad(lambda z: cdan(z, TARGET, SOURCE_MASK, TARGET_MASK, weights)[0]))(SOURCE)
    wanted = [w * -(1 / (1 + math.exp(z))) / 4 / 2 for z, w in zip(SOURCE, weights)]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-5)
