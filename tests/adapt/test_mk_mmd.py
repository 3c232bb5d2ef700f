"""Multi-kernel MMD against loops in float64."""

from __future__ import annotations

import functools

import jax
import numpy as np
import pytest

from fdx.adapt.terms.mk_mmd import mk_mmd

compiled = jax.jit(mk_mmd)


def normal(seed, n, width=3, mean=0.0):
    return (np.random.default_rng(seed).standard_normal((n, width)) + mean).astype(np.float32)


def ones(x):
    return np.ones(len(x), np.float32)


def oracle(source, target, exponents=(-2, -1, 0, 1, 2), factor=2.0):
    source, target = source.astype(np.float64), target.astype(np.float64)
    both = [*source, *target]
    bandwidth = np.mean([((a - b) ** 2).sum() for i, a in enumerate(both) for b in both[:i]])

    def kernel(a, b):
        return np.mean([np.exp(-((a - b) ** 2).sum() / (bandwidth * factor**e)) for e in exponents])

    def within(x):
        return np.mean([kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j])

    return within(source) + within(target) - 2 * np.mean([kernel(s, t) for s in source for t in target])


@pytest.mark.parametrize(('sizes', 'mean'), [((6, 6), 0.0), ((5, 9), 1.0), ((2, 7), -0.5)])
def test_value_for_equal_and_unequal_batches(sizes, mean):
    source, target = normal(0, sizes[0]), normal(1, sizes[1], mean=mean)
    value = float(compiled(source, target, ones(source), ones(target)))
    assert value == pytest.approx(oracle(source, target), rel=1e-4, abs=1e-6)


def test_options_reach_the_kernels():
    source, target = normal(0, 5), normal(1, 4, mean=1.0)
    three = jax.jit(functools.partial(mk_mmd, num_kernels=3, factor=5.0))
    value = float(three(source, target, ones(source), ones(target)))
    assert value == pytest.approx(oracle(source, target, (-1, 0, 1), 5.0), rel=1e-4)
    assert value != pytest.approx(oracle(source, target), rel=1e-3)


def test_the_mean_over_draws_of_one_distribution_is_zero():
    """The biased estimate is 0.13 here, over 40 standard errors away."""
    draws = [np.random.default_rng(s).standard_normal((400, 8, 3)).astype(np.float32) for s in (0, 1)]
    mask = np.ones(8, np.float32)
    values = np.asarray(jax.jit(jax.vmap(lambda s, t: mk_mmd(s, t, mask, mask)))(*draws))
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean()) < 4 * error < 0.014
    assert (values < 0).any()


def test_it_grows_with_the_distance_and_forgets_the_unit():
    source = normal(0, 30)
    values = [float(compiled(source, normal(1, 30, mean=m), ones(source), ones(source))) for m in (0, 0.5, 1, 2)]
    assert values == sorted(values) and values[-1] > 0.5
    scaled = float(compiled(source * 100, normal(1, 30, mean=1) * 100, ones(source), ones(source)))
    assert scaled == pytest.approx(values[2], rel=1e-4)


def test_a_gradient_step_brings_the_domains_together():
    source, target = normal(0, 20), normal(1, 30, mean=1.0)

    @jax.jit
    def distance(t):
        return mk_mmd(source, t, ones(source), ones(target))

    value, gradient = jax.value_and_grad(distance)(target)
    assert float(distance(target - np.asarray(gradient))) < float(value)
    assert (np.asarray(gradient).mean(0) > 0).all()  # Downhill is towards the source, at 0.
