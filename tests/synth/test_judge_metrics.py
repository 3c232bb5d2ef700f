"""Distances between sets of embeddings, against closed forms, scipy's root of a matrix and cases made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg

from fdx.synth.judge_metrics import frechet_distance, jittered, manifold_precision_recall, memorisation
from fdx.types import DataError


def column(*values: float) -> np.ndarray:
    """Embeddings [N, 1] on a line."""
    return np.array(values, np.float64)[:, None]


def whitened(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Samples [n, d] whose mean is exactly 0 and whose covariance is exactly the identity."""
    x = rng.standard_normal((n, d))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T


def by_square_root(a: np.ndarray, b: np.ndarray) -> float:
    """The distance as its definition has it, by a root of the product of both covariances."""
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = scipy.linalg.sqrtm(cov_a @ cov_b)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * np.real(root)))


def test_frechet_distance_on_a_line():
    # Means 1 and 7; variances 2 and 8, so that their roots differ by sqrt(2).
    assert frechet_distance(column(0, 2), column(5, 9)) == pytest.approx(36 + 2)


def test_frechet_distance_of_independent_axes():
    rng = np.random.default_rng(0)
    spread_a, spread_b, apart = np.array([1.0, 0.5, 3.0]), np.array([2.0, 0.5, 0.1]), np.array([0.0, -2.0, 1.0])
    a, b = whitened(rng, 50, 3) * spread_a, whitened(rng, 20, 3) * spread_b + apart
    expected = (apart**2).sum() + ((spread_a - spread_b) ** 2).sum()
    assert frechet_distance(a, b) == pytest.approx(expected)


@pytest.mark.parametrize(('n', 'm'), [(40, 40), (40, 13), (13, 200)])
def test_frechet_distance_is_that_of_the_definition(n, m):
    rng = np.random.default_rng(n + m)
    a = rng.standard_normal((n, 6)) @ rng.standard_normal((6, 6)) + 1
    b = rng.standard_normal((m, 6)) @ rng.standard_normal((6, 6))
    assert frechet_distance(a, b) == pytest.approx(by_square_root(a, b), rel=1e-6)


def test_frechet_distance_of_fewer_samples_than_dimensions():
    # Padding with constant columns and turning all of them changes no distance, but there are then 50 dimensions.
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((9, 4)), 3 * rng.standard_normal((7, 4)) + 1
    turn = np.linalg.qr(rng.standard_normal((50, 50)))[0]
    wide_a, wide_b = (np.pad(x, ((0, 0), (0, 46))) @ turn for x in (a, b))
    assert frechet_distance(wide_a, wide_b) == pytest.approx(by_square_root(a, b), rel=1e-6)


def test_frechet_distance_of_the_same_set_is_zero_and_both_ways_are_equal():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((30, 8)), rng.standard_normal((12, 8)) + 0.3
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a[::-1]) >= 0
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert frechet_distance(a, b) > 0.1


def test_one_sample_has_no_spread():
    assert frechet_distance(column(3), column(-1)) == pytest.approx(16)
    assert frechet_distance(column(3), column(0, 2)) == pytest.approx(4 + 2)


def test_float32_embeddings_far_from_zero_lose_no_digits():
    a = np.random.default_rng(3).integers(0, 4, (20, 3)).astype(np.float32)
    shift = np.float32(2**20)  # Sums of squares need 40 bits.
    assert frechet_distance(a + shift, 2 * a + shift) == pytest.approx(frechet_distance(a, 2 * a), rel=1e-6)


def test_precision_and_recall_by_hand():
    real, generated = column(0, 1, 10), column(1.5, 2.5, 25, -0.5)
    # Real radii 1, 1 and 9 cover [-1, 19]: all but 25. Generated radii 1, 1, 22.5 and 2 cover [-2.5, 47.5].
    assert manifold_precision_recall(real, generated, k=1) == (3 / 4, 1.0)
    # Without 25 and -0.5 they cover [0.5, 3.5]: 1 alone.
    assert manifold_precision_recall(real, generated[:2], k=1) == (1.0, 1 / 3)


def test_a_generator_that_repeats_itself_is_precise_and_recalls_little():
    rng = np.random.default_rng(4)
    real = rng.standard_normal((60, 5))
    collapsed = real[7] + 1e-3 * rng.standard_normal((60, 5))
    precision, recall = manifold_precision_recall(real, collapsed)
    assert precision == 1.0
    assert recall <= 1 / 60
    assert manifold_precision_recall(real, real) == (1.0, 1.0)
    assert manifold_precision_recall(real, real + 100) == (0.0, 0.0)


def test_more_neighbours_make_larger_balls():
    real, generated = column(0, 1, 3), column(4.5, -2.5, 100)
    # Radii of one neighbour 1, 1, 2 cover [-1, 5]; of two 3, 2, 3 cover [-3, 6].
    assert manifold_precision_recall(real, generated, k=1)[0] == 1 / 3
    assert manifold_precision_recall(real, generated, k=2)[0] == 2 / 3
    # Three samples have two others each, whatever is asked for.
    assert manifold_precision_recall(real, generated, k=9)[0] == 2 / 3
    # A ball has its edge.
    assert manifold_precision_recall(real, column(-1, 5), k=1)[0] == 1.0


def test_a_single_sample_spans_no_manifold():
    precision, recall = manifold_precision_recall(column(1), column(0, 3))
    assert math.isnan(precision)
    assert recall == 1.0
    precision, recall = manifold_precision_recall(column(0, 3), column(1))
    assert precision == 1.0
    assert math.isnan(recall)


def test_distances_to_what_was_learned_from_by_hand():
    # Among themselves 0, 4, 10, 16 are 4, 4, 6, 6 apart: 5 in the median, so that copies lie within 2.5.
    found = memorisation(column(0, 4, 10, 16), column(1, 2, 12.5, 13, 50), column(-8, 20))
    # Generated samples are 1, 2, 2.5, 3 and 34 away, held-out ones 8 and 4.
    assert (found.generated, found.among_train, found.held_out) == (2.5, 5.0, 6.0)
    assert found.ratio == pytest.approx(2.5 / 6)
    assert found.share_closer == 3 / 5


def test_copies_are_found_and_new_samples_are_not():
    rng = np.random.default_rng(5)
    train, new, held_out = (rng.standard_normal((80, 4)) for _ in range(3))
    copies = memorisation(train, train[:40] + 1e-3 * rng.standard_normal((40, 4)), held_out)
    assert copies.share_closer == 1.0
    assert copies.ratio < 0.01
    fresh = memorisation(train, new, held_out)
    assert fresh.share_closer < 0.2
    assert 0.7 < fresh.ratio < 1.4
    half = memorisation(train, np.concatenate([train[:40], new[:40] + 50]), held_out)
    assert half.share_closer == 0.5


def test_without_held_out_samples_the_training_samples_are_the_scale():
    found = memorisation(column(0, 4, 8), column(2))
    assert math.isnan(found.held_out)
    assert found.ratio == 2 / 4


def test_what_few_or_equal_training_samples_leave_unknown():
    lone = memorisation(column(0), column(2), column(4))
    assert math.isnan(lone.among_train) and math.isnan(lone.share_closer)
    assert lone.ratio == 2 / 4
    assert math.isnan(memorisation(column(0), column(2)).ratio)
    # Every training sample stands there twice: their distance is no scale, yet a copy is a copy.
    doubled = memorisation(column(0, 0, 5, 5), column(0, 5, 1))
    assert doubled.share_closer == pytest.approx(2 / 3)
    assert math.isnan(doubled.ratio)


@pytest.mark.parametrize('compare', [frechet_distance, manifold_precision_recall, memorisation])
def test_what_cannot_be_compared(compare):
    good = np.zeros((3, 2))
    for bad, message in (
        (np.zeros((0, 2)), r'\(0, 2\).*neither empty'),
        (np.zeros((3, 4)), r'\(3, 4\).*cannot be compared'),
        (np.zeros(3), r'\(3,\)'),
        (np.full((3, 2), np.inf), 'not finite'),
        (np.full((3, 2), np.nan), 'not finite'),
    ):
        for sets in ((good, bad), (bad, good)):
            with pytest.raises(DataError, match=message):
                compare(*sets)


def test_held_out_samples_are_checked_too():
    with pytest.raises(DataError, match=r'\(3, 2\) and \(1, 5\)'):
        memorisation(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros((1, 5)))


def test_jitter_is_noise_in_standard_deviations_of_the_images():
    images = (5 + 2 * np.random.default_rng(6).standard_normal((50, 16, 8, 1))).astype(np.float32)
    noisy = jittered(images, 0.1, seed=1)
    noise = noisy - images
    assert noisy.dtype == np.float32
    assert noisy.shape == images.shape
    assert noise.std() == pytest.approx(0.1 * images.std(), rel=0.05)
    assert abs(noise.mean()) < 0.02
    assert not np.array_equal(noise[0], noise[1])
    np.testing.assert_array_equal(jittered(images, 0.1, seed=1), noisy)
    assert not np.array_equal(jittered(images, 0.1, seed=2), noisy)
    np.testing.assert_array_equal(jittered(images, 0.0, seed=1), images)
