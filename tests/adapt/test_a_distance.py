"""The proxy A-distance: values of domains whose error is known, the same by plain scikit-learn, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fdx.adapt.a_distance import checked_features, proxy_a_distance
from fdx.types import DataError


def normal(seed, n, size=3, mean=0.0):
    return np.random.default_rng(seed).standard_normal((n, size)) + mean


def test_one_distribution_has_none_and_separable_ones_have_two():
    assert proxy_a_distance(normal(0, 2000), normal(1, 2000)) < 0.1
    assert proxy_a_distance(normal(0, 200), normal(1, 200, mean=30.0)) == 2.0


@pytest.mark.parametrize('shift', [0.5, 1.0, 2.0])
def test_two_gaussians_have_the_distance_of_the_best_classifier(shift):
    """A shift of d spreads along one axis: e = Phi(-d / 2), whatever the units of the feature."""
    target = normal(1, 4000)
    target[:, 1] += shift
    scale, offset = np.array([1.0, 1e-2, 50.0]), 1000.0
    error = 0.5 * math.erfc(shift / 2 / math.sqrt(2))
    found = proxy_a_distance(normal(0, 4000) * scale + offset, target * scale + offset)
    assert found == pytest.approx(2 * (1 - 2 * error), abs=0.06)


def test_the_larger_domain_is_thinned():
    """Without balance a classifier that always says `target` would have an error of 1 in 11: a distance of 1.6."""
    assert proxy_a_distance(normal(0, 300), normal(1, 3000)) < 0.2


def test_worse_than_chance_is_no_distance():
    """Held-out halves of a few windows can have an error above a half; the distance stays at 0."""
    found = [proxy_a_distance(normal(seed, 6, size=2), normal(seed + 100, 6, size=2)) for seed in range(20)]
    assert min(found) == 0.0
    assert max(found) <= 2.0


def test_a_label_learnt_by_heart_is_no_distance():
    """With more values than windows the training half is always separable: the error must be of the other half."""
    assert proxy_a_distance(normal(0, 60, size=300), normal(1, 60, size=300)) < 0.8


def test_equals_plain_scikit_learn_on_the_two_halves():
    source, target = normal(0, 41), normal(1, 60, mean=0.6)
    rng = np.random.default_rng(7)
    rows = [rng.permutation(len(domain))[:40] for domain in (source, target)]
    s, t = source[rows[0]], target[rows[1]]
    both = np.concatenate([s, t])
    s, t = ((domain - both.mean(0)) / both.std(0) for domain in (s, t))
    labels, wrong = [0] * 20 + [1] * 20, 0
    for train, test in ((slice(0, 20), slice(20, 40)), (slice(20, 40), slice(0, 20))):
        head = LogisticRegression().fit(np.concatenate([s[train], t[train]]), labels)
        wrong += (head.predict(np.concatenate([s[test], t[test]])) != labels).sum()
    found = proxy_a_distance(source, target, seed=7)
    assert found == pytest.approx(2 * (1 - 2 * wrong / 80))
    assert 0 < found < 2
    assert found == proxy_a_distance(source, target, seed=7)


def test_features_without_any_spread_have_no_distance():
    assert proxy_a_distance(np.ones((10, 2)), np.ones((10, 2))) == 0.0


@pytest.mark.parametrize(
    ('source', 'target', 'text'),
    [
        (normal(0, 3), normal(1, 9), '3 and 9 windows .*source and target: at least 4'),
        (normal(0, 9), normal(1, 9, size=2), "different sizes, {'source_features': 3, 'target_features': 2}"),
        (normal(0, 9)[0], normal(1, 9), r'source_features has shape \(3,\)'),
        (normal(0, 9), np.zeros((0, 3)), r'target_features has shape \(0, 3\)'),
        (normal(0, 9), np.where(normal(1, 9) > 9, 0, np.nan), 'target_features: 9 of 9 windows .* not finite'),
    ],
)
def test_other_features_are_refused(source, target, text):
    with pytest.raises(DataError, match=text):
        proxy_a_distance(source, target)


def test_checked_features_keep_order_and_values():
    first, second = checked_features(b=np.ones((2, 3), np.float32), a=[[1, 2, 3]])
    assert (first.shape, first.dtype, second.tolist()) == ((2, 3), np.float64, [[1.0, 2.0, 3.0]])
