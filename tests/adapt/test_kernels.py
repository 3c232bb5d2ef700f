"""Kernels, bandwidths and MMD^2 against loops in float64."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.adapt.terms.kernels import gaussian_kernels, mean_bandwidth, squared_distances, unbiased_mmd
from fdx.types import ConfigError, DataError

kernels = jax.jit(gaussian_kernels, static_argnames=('num_kernels', 'factor'))
A = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
B = np.random.default_rng(1).standard_normal((7, 3)).astype(np.float32)


def distance(a, b):
    return sum((float(x) - float(y)) ** 2 for x, y in zip(a, b))


def test_kernels_are_the_mean_over_bandwidths():
    wanted = np.zeros((5, 7))
    for i, a in enumerate(A):
        for j, b in enumerate(B):
            wanted[i, j] = np.mean([np.exp(-distance(a, b) / (1.5 * ratio)) for ratio in (1 / 4, 1 / 2, 1, 2, 4)])
    np.testing.assert_allclose(kernels(A, B, 1.5), wanted, rtol=2e-5)
    np.testing.assert_allclose(np.diag(kernels(A, A, 1.5)), 1, rtol=1e-5)
    wanted = np.exp(-distance(A[0], B[0]) / 3) / 2 + np.exp(-distance(A[0], B[0])) / 2
    assert float(kernels(A, B, 3.0, num_kernels=2, factor=3.0)[0, 0]) == pytest.approx(wanted, rel=1e-5)


def test_distances_keep_their_digits_far_from_the_origin():
    """|a|^2 + |b|^2 - 2ab without a shift would round distances of about 6 to multiples of 0.5 here."""
    far_a, far_b = A + np.float32(1e3), B + np.float32(1e3)
    wanted = [[distance(a, b) for b in far_b] for a in far_a]
    np.testing.assert_allclose(jax.jit(squared_distances)(far_a, far_b), wanted, rtol=1e-4)


def test_gradient_of_a_kernel_is_the_analytical_one():
    gradient = jax.jit(jax.grad(lambda a: gaussian_kernels(a, B, 2.0, num_kernels=1).sum()))(A)
    wanted = np.zeros((5, 3))
    for i, a in enumerate(A):
        for b in B:
            wanted[i] += np.exp(-distance(a, b) / 2) * -(a.astype(np.float64) - b)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-5)


def test_bandwidth_is_the_mean_over_distinct_real_pairs_without_gradient():
    mask = np.array([1, 0, 1, 1, 0, 1, 1], np.float32)
    real = B[mask > 0]
    pairs = [distance(real[i], real[j]) for i in range(5) for j in range(i)]
    bandwidth = jax.jit(mean_bandwidth)
    assert float(bandwidth(B, mask)) == pytest.approx(np.mean(pairs), rel=1e-5)
    np.testing.assert_array_equal(jax.jit(jax.grad(mean_bandwidth))(B, mask), 0)
    assert float(bandwidth(B, np.eye(7, dtype=np.float32)[2])) == 0
    assert float(bandwidth(B, np.zeros(7, np.float32))) == 0


def test_unbiased_mmd_of_any_kernel_matrix():
    kernels = np.random.default_rng(2).uniform(size=(9, 9)).astype(np.float32)
    source_mask, target_mask = np.array([1, 1, 0, 1], np.float32), np.array([1, 0, 1, 1, 1], np.float32)
    s, t = [0, 1, 3], [4, 6, 7, 8]
    within = [np.mean([float(kernels[i, j]) for i in rows for j in rows if i != j]) for rows in (s, t)]
    between = np.mean([float(kernels[i, j]) for i in s for j in t])
    wanted = sum(within) - 2 * between
    assert float(jax.jit(unbiased_mmd)(kernels, source_mask, target_mask)) == pytest.approx(wanted, rel=1e-5)


def test_values_that_cannot_be_used():
    with pytest.raises(ConfigError, match='num_kernels=0'):
        gaussian_kernels(A, B, 1.0, num_kernels=0)
    with pytest.raises(ConfigError, match='factor=-1'):
        gaussian_kernels(A, B, 1.0, factor=-1.0)
    with pytest.raises(DataError, match=r'\[5, 3\] and \[7, 2\]'):
        squared_distances(A, B[:, :2])
