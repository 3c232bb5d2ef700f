"""The linear head: scikit-learn's classifier on standardised features, unlabelled windows as its measure."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fdx.train.linear_head import LinearHead, Standardiser


def fitted(features, labels, points, classes, reference=None):
    """Probabilities of `points` by a head on `features`, both standardised by `reference` (None: by the features)."""
    standardise = Standardiser(features if reference is None else reference)
    return LinearHead(standardise(features), labels).probabilities(standardise(points), classes)


def standardised(features, reference):
    spread = reference.std(0)
    return (features - reference.mean(0)) / (spread + 0.1 * np.sqrt((spread**2).mean()))


@pytest.fixture(scope='module')
def windows():
    """Features [60, 5] of three classes, far from zero and on different scales, and labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    features = rng.standard_normal((60, 5)) + labels[:, None] * [1.0, 0.5, 0.0, 0.0, 2.0]
    return features * [1.0, 10.0, 0.1, 5.0, 1.0] + 1000.0, labels


def test_it_is_logistic_regression_on_standardised_features(windows):
    features, labels = windows
    oracle = LogisticRegression(C=1.0, max_iter=1000).fit(standardised(features, features), labels)
    found = fitted(features, labels, features, 3)
    np.testing.assert_allclose(found, oracle.predict_proba(standardised(features, features)), atol=1e-6)
    assert (found.argmax(1) == labels).mean() > 0.7


def test_classes_that_were_not_trained_have_no_probability(windows):
    features, labels = windows
    some = labels != 1
    found = fitted(features[some], labels[some], features, 4)
    assert found.shape == (60, 4)
    assert (found[:, [1, 3]] == 0).all()
    np.testing.assert_allclose(found.sum(1), 1)


def test_fewer_windows_than_values_give_the_same_optimum():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 4)
    features = rng.standard_normal((12, 40)) + labels[:, None]
    points = rng.standard_normal((30, 40)) + 1
    oracle = LogisticRegression(C=1.0, max_iter=1000, tol=1e-6).fit(standardised(features, features), labels)
    found = fitted(features, labels, points, 3)
    np.testing.assert_allclose(found, oracle.predict_proba(standardised(points, features)), atol=5e-3)
    assert np.ptp(found, axis=0).min() > 0.3


def test_unlabelled_windows_are_the_measure(windows):
    features, labels = windows
    few = [0, 1, 20, 21, 40, 41]
    oracle = LogisticRegression(C=1.0, max_iter=1000).fit(standardised(features[few], features), labels[few])
    found = fitted(features[few], labels[few], features, 3, features)
    np.testing.assert_allclose(found, oracle.predict_proba(standardised(features, features)), atol=1e-6)
    assert np.abs(found - fitted(features[few], labels[few], features, 3)).max() > 0.05


def test_values_that_hardly_vary_are_not_blown_up():
    rng = np.random.default_rng(0)
    reference = rng.standard_normal((100, 2)) * [1.0, 1e-6]
    few, points = np.array([[-1.0, 1e-6], [1.0, -1e-6]]), np.array([[1.0, 1e-4], [-1.0, -1e-4]])
    # A hundred spreads of the second value weigh less than one of the first.
    assert fitted(few, np.array([0, 1]), points, 2, reference).argmax(1).tolist() == [1, 0]


def test_features_that_do_not_vary_at_all_are_no_error():
    np.testing.assert_allclose(fitted(np.ones((4, 3)), np.array([0, 1, 0, 1]), np.ones((1, 3)), 2), 0.5)
