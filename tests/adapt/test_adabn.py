"""Pooled batch statistics against numpy over all examples at once."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.adapt.terms.adabn import pooled_statistics
from fdx.types import DataError

compiled = jax.jit(pooled_statistics)
SIZES = (5, 1, 12, 3)


def batches(mean=0.0):
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((n, 4)) * (i + 1) + mean + i).astype(np.float32) for i, n in enumerate(SIZES)]


def statistics(parts):
    exact = [x.astype(np.float64) for x in parts]
    return (
        np.array([len(x) for x in exact], np.float32),
        np.stack([x.mean(0) for x in exact]).astype(np.float32),
        np.stack([x.var(0) for x in exact]).astype(np.float32),
    )


@pytest.mark.parametrize(('mean', 'rtol'), [(0.0, 1e-5), (1000.0, 1e-4)])
def test_statistics_of_unequal_batches_are_those_of_all_examples(mean, rtol):
    """At a mean of 1000 (decibels have such ratios) E[x^2] - E[x]^2 in float32 would be wrong in the first digit."""
    parts = batches(mean)
    everything = np.concatenate(parts).astype(np.float64)
    found_mean, found_var = compiled(*statistics(parts))
    np.testing.assert_allclose(found_mean, everything.mean(0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found_var, everything.var(0), rtol=rtol)


def test_it_is_no_mean_of_the_batches():
    count, mean, var = statistics(batches())
    found_mean, found_var = compiled(count, mean, var)
    assert np.abs(found_mean - mean.mean(0)).max() > 0.1
    assert (np.asarray(found_var) > (count[:, None] * var).sum(0) / count.sum() + 0.1).all()


def test_a_batch_without_examples_is_ignored():
    count, mean, var = statistics(batches(5.0))
    wanted = compiled(count, mean, var)
    for garbage in (1e30, np.nan):
        row = np.full((1, 4), garbage, np.float32)
        more = np.insert(count, 0, 0), np.concatenate([row, mean]), np.concatenate([row, var])
        np.testing.assert_array_equal(compiled(*more), wanted)
    for found in compiled(count * 0, mean, var):
        np.testing.assert_array_equal(found, 0)


def test_pooling_pools_of_batches_is_pooling_the_batches():
    count, mean, var = statistics(batches())
    first, last = (compiled(count[s], mean[s], var[s]) for s in (slice(0, 2), slice(2, 4)))
    halves = (np.array([count[:2].sum(), count[2:].sum()]), *(np.stack(pair) for pair in zip(first, last)))
    for found, wanted in zip(compiled(*halves), compiled(count, mean, var)):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_shapes_that_do_not_fit():
    count, mean, var = statistics(batches())
    for arguments in ((count[:3], mean, var), (count, mean, var[:, :2]), (count[:0], mean[:0], var[:0])):
        with pytest.raises(DataError, match='pooled_statistics: count'):
            pooled_statistics(*arguments)
