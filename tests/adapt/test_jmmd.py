"""Joint MMD against loops in float64."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.adapt.terms.jmmd import jmmd
from fdx.adapt.terms.mk_mmd import mk_mmd
from fdx.types import ConfigError

compiled = jax.jit(jmmd)


def layers(seed, n, mean=0.0):
    """Features [n, 4] and probabilities [n, 3]."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, 4)) + mean).astype(np.float32), rng.dirichlet(np.ones(3), n).astype(np.float32)


def ones(n):
    return np.ones(n, np.float32)


def kernel_matrix(both, exponents=(-2, -1, 0, 1, 2)):
    n = len(both)
    distances = np.array([[((a - b) ** 2).sum() for b in both] for a in both])
    bandwidth = distances.sum() / (n * (n - 1))
    return np.mean([np.exp(-distances / (bandwidth * 2.0**e)) for e in exponents], axis=0)


def oracle(source_layers, target_layers):
    product, n = 1.0, len(source_layers[0])
    for source, target in zip(source_layers, target_layers):
        product = product * kernel_matrix(np.concatenate([source, target]).astype(np.float64))
    s, t = range(n), range(n, len(product))
    within = [np.mean([product[i, j] for i in rows for j in rows if i != j]) for rows in (s, t)]
    return sum(within) - 2 * np.mean([product[i, j] for i in s for j in t])


@pytest.mark.parametrize('sizes', [(6, 6), (4, 9)])
def test_kernels_of_all_layers_are_multiplied(sizes):
    source, target = layers(0, sizes[0]), layers(1, sizes[1], mean=0.7)
    value = float(compiled(source, target, ones(sizes[0]), ones(sizes[1])))
    assert value == pytest.approx(oracle(source, target), rel=1e-4)


def test_one_layer_is_mk_mmd():
    source, target = layers(0, 5), layers(1, 7, mean=0.5)
    value = float(compiled(source[:1], target[:1], ones(5), ones(7)))
    assert value == pytest.approx(float(jax.jit(mk_mmd)(source[0], target[0], ones(5), ones(7))), rel=1e-6)


def test_it_sees_classes_that_are_swapped_between_the_domains():
    """Features and classes have the same marginals in both domains; only what goes with what differs."""
    rng = np.random.default_rng(0)
    classes = np.arange(40) % 2
    features = (rng.standard_normal((40, 4)) + 4 * classes[:, None]).astype(np.float32)
    hot = np.eye(2, dtype=np.float32)
    joint = float(compiled((features, hot[classes]), (features, hot[1 - classes]), ones(40), ones(40)))
    same = float(compiled((features, hot[classes]), (features, hot[classes]), ones(40), ones(40)))
    assert joint > 0.2 > 0.05 > abs(same)
    assert abs(float(jax.jit(mk_mmd)(features, features, ones(40), ones(40)))) < 0.05


def test_layers_must_fit():
    source, target = layers(0, 4), layers(1, 4)
    for first, second in ((source, target[:1]), ((), ()), (source, target[::-1])):
        with pytest.raises(ConfigError, match='pass the same, at least one'):
            jmmd(first, second, ones(4), ones(4))
