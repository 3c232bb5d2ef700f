"""Domain-adversarial loss against loops in float64."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.adapt.terms.dann import dann
from fdx.adapt.terms.reversal import reverse_gradient
from fdx.types import DataError

compiled = jax.jit(dann)


def logits(seed, n):
    return (np.random.default_rng(seed).standard_normal(n) * 2).astype(np.float32)


def ones(x):
    return np.ones(len(x), np.float32)


def oracle(source, target):
    source_loss = sum(math.log(1 + math.exp(-z)) for z in source) / len(source)
    target_loss = sum(math.log(1 + math.exp(z)) for z in target) / len(target)
    accuracy = sum(z > 0 for z in source) / len(source) + sum(z <= 0 for z in target) / len(target)
    return (source_loss + target_loss) / 2, accuracy / 2


@pytest.mark.parametrize('sizes', [(6, 6), (3, 11)])
def test_each_domain_counts_half(sizes):
    source, target = logits(0, sizes[0]), logits(1, sizes[1])
    np.testing.assert_allclose(compiled(source, target, ones(source), ones(target)), oracle(source, target), rtol=1e-5)


def test_repeating_one_domain_changes_nothing():
    source, target = logits(0, 4), logits(1, 5)
    once = compiled(source, target, ones(source), ones(target))
    many = np.tile(target, 10)
    np.testing.assert_allclose(compiled(source, many, ones(source), ones(many)), once, rtol=1e-5)


def test_a_discriminator_that_knows_nothing_has_log_2():
    zeros = np.zeros(4, np.float32)
    loss, accuracy = compiled(zeros, zeros, ones(zeros), ones(zeros))
    assert float(loss) == pytest.approx(math.log(2)) and float(accuracy) == 0.5


def test_a_domain_without_examples_adds_nothing():
    source = logits(0, 4)
    loss, accuracy = compiled(source, source, ones(source), np.zeros(4, np.float32))
    assert float(loss) == pytest.approx(sum(math.log(1 + math.exp(-z)) for z in source) / 8, rel=1e-5)
    assert float(accuracy) == pytest.approx((source > 0).mean() / 2)


def test_reversed_gradient_moves_features_of_both_domains_towards_each_other():
    weight = np.array([1.0, -0.5], np.float32)

    def loss(source, target):
        s, t = (reverse_gradient(x, 1.0) @ weight for x in (source, target))
        return dann(s, t, jnp.ones(3), jnp.ones(3))[0]

    source, target = np.ones((3, 2), np.float32), -np.ones((3, 2), np.float32)
    by_source, by_target = jax.jit(jax.grad(loss, argnums=(0, 1)))(source, target)
    # A step against the gradient lowers the logit of the source and raises the target's.
    assert ((-by_source @ weight) < 0).all() and ((-by_target @ weight) > 0).all()


def test_column_vectors_are_refused():
    with pytest.raises(DataError, match=r'\[4, 1\]'):
        dann(logits(0, 4)[:, None], logits(1, 4)[:, None], np.ones(4, np.float32), np.ones(4, np.float32))
