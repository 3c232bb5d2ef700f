"""CORAL against numpy.cov."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.adapt.terms.coral import coral, covariance
from fdx.types import DataError

compiled = jax.jit(coral)


def normal(seed, n, width=4, scale=1.0, mean=0.0):
    return (np.random.default_rng(seed).standard_normal((n, width)) * scale + mean).astype(np.float32)


def ones(x):
    return np.ones(len(x), np.float32)


def oracle(source, target):
    cov_s, cov_t = (np.cov(x.astype(np.float64), rowvar=False) for x in (source, target))
    return ((cov_s - cov_t) ** 2).sum() / (4 * source.shape[1] ** 2)


@pytest.mark.parametrize('sizes', [(8, 8), (5, 13), (2, 3)])
def test_value_is_of_numpys_covariances(sizes):
    source, target = normal(0, sizes[0]), normal(1, sizes[1], scale=2.0, mean=5.0)
    value = float(compiled(source, target, ones(source), ones(target)))
    assert value == pytest.approx(oracle(source, target), rel=1e-4)


def test_repeating_examples_changes_it_only_by_n_over_n_minus_1():
    """Without 1 / (n - 1) ten-fold repetition would give the hundred-fold value."""
    n, times = 20, 10
    source, target = normal(0, n), normal(1, n, scale=2.0)
    once = float(compiled(source, target, ones(source), ones(target)))
    source, target = np.tile(source, (times, 1)), np.tile(target, (times, 1))
    repeated = float(compiled(source, target, ones(source), ones(target)))
    change = (times * (n - 1) / (times * n - 1)) ** 2
    assert repeated == pytest.approx(once * change, rel=1e-4)
    assert repeated == pytest.approx(oracle(source, target), rel=1e-4)


def test_covariance_of_real_rows_keeps_its_digits_at_large_means():
    x, mask = normal(0, 9, mean=1e3), np.array([1, 1, 0, 1, 1, 1, 0, 1, 1], np.float32)
    wanted = np.cov(x[mask > 0].astype(np.float64), rowvar=False)
    np.testing.assert_allclose(jax.jit(covariance)(x, mask), wanted, rtol=1e-3, atol=1e-4)


def test_means_do_not_matter():
    source = normal(0, 10)
    assert float(compiled(source, source + 3, ones(source), ones(source))) < 1e-10


def test_widths_that_would_be_spread_are_refused():
    with pytest.raises(DataError, match=r'\[5, 4\] and \[5, 1\]'):
        coral(normal(0, 5), normal(1, 5, width=1), np.ones(5, np.float32), np.ones(5, np.float32))
