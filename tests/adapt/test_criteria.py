"""Label-free selection: values by hand and by plain loops, and a covariate shift whose target risk is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fdx.adapt import criteria as selection_criteria
from fdx.adapt.criteria import (
    dev_risk,
    mean_entropy,
    soft_neighbourhood_density,
    soft_neighbourhood_risk,
    source_risk,
)
from fdx.adapt.criteria_weights import LARGEST_LOGIT, importance_weights
from fdx.types import ConfigError, DataError


def normal(seed, n, mean=0.0, size=2):
    return np.random.default_rng(seed).standard_normal((n, size)) + mean


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def test_source_risk_is_the_mean():
    assert source_risk([0.5, 1.0, 3.0]) == 1.5


def test_dev_by_hand():
    """w = (0, 1, 3), l = (2, 1, 1): w l = (0, 1, 3), so cov(w l, w) = var(w), eta = -1 and the risk 4/3 - 4/3 + 1."""
    assert dev_risk([0.0, 1.0, 3.0], [2.0, 1.0, 1.0]) == pytest.approx(1.0)
    # w l = (0, 1, 6): cov = 19/3 - 4/3 * 7/3 = 29/9, var = 14/9, eta = -29/14 and the risk 7/3 - 29/14 * (4/3 - 1).
    assert dev_risk([0.0, 1.0, 3.0], [5.0, 1.0, 2.0]) == pytest.approx(23 / 14)


def test_a_constant_loss_is_its_own_risk_whatever_the_weights():
    """The control variate takes all the variance away that the weights bring in."""
    weights = np.random.default_rng(0).lognormal(0, 2, 50)
    assert dev_risk(weights, np.full(50, 0.7)) == pytest.approx(0.7)
    assert np.mean(weights * 0.7) != pytest.approx(0.7, rel=0.1)


@pytest.mark.parametrize('weights', [np.full(4, 0.5), np.zeros(4), 0.1 + np.array([0.0, 1e-17, 2e-17, 1e-16])])
def test_equal_weights_leave_the_weighted_mean(weights):
    losses = np.array([1.0, 2.0, 3.0, 7.0])
    assert dev_risk(weights, losses) == pytest.approx(np.mean(weights * losses))


def test_dev_estimates_the_target_risk_of_a_covariate_shift():
    """Source N(0, 1), target N(1, 1) along one axis: the ratio is exp(x - 1/2), the risk an integral."""
    grid = np.linspace(-8, 10, 20001)

    def risk(loss, mean):
        return np.sum(loss(grid) * np.exp(-((grid - mean) ** 2) / 2)) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])

    def good_on_source(x):
        return np.log1p(np.exp(2 * x))

    def good_on_target(x):
        return np.log1p(np.exp(1.5 - 2 * x))

    source, validation, target = normal(0, 6000), normal(1, 4000), normal(2, 3000)
    target[:, 0] += 1
    weights = importance_weights(source, target, validation, seed=0)
    assert weights.shape == (4000,)
    np.testing.assert_allclose(weights.mean(), 1, atol=0.05)
    # Twice as many windows of the source as of the target: without the factor every ratio would be half as large.
    middle = np.abs(validation[:, 0]) < 2
    np.testing.assert_allclose(np.log(weights)[middle], (validation[:, 0] - 0.5)[middle], atol=0.25)

    found, losses = {}, {}
    for model in (good_on_source, good_on_target):
        losses[model] = model(validation[:, 0])
        found[model] = dev_risk(weights, losses[model])
        wanted = risk(model, 1.0)
        assert abs(found[model] - wanted) < 0.1 * abs(source_risk(losses[model]) - wanted)
    assert source_risk(losses[good_on_source]) < source_risk(losses[good_on_target])
    assert found[good_on_target] < found[good_on_source]


def test_one_distribution_has_ratios_of_one():
    weights = importance_weights(normal(0, 500, size=5), normal(1, 500, size=5), normal(2, 100, size=5), seed=0)
    np.testing.assert_allclose(weights, 1, atol=0.35)


def test_ratios_do_not_depend_on_units_but_on_the_seed_alone():
    source, target, validation = normal(0, 60), normal(1, 40, mean=0.5), normal(2, 10)
    first = importance_weights(source, target, validation, seed=3)
    np.testing.assert_array_equal(importance_weights(source, target, validation, seed=3), first)
    units = np.array([100.0, 1e-3])
    scaled = importance_weights(*(units * a + 7 for a in (source, target, validation)), seed=3)
    np.testing.assert_allclose(scaled, first, rtol=1e-4)
    assert np.ptp(first) > 0.1


def test_separable_domains_keep_ratios_finite():
    source, target = normal(0, 40), normal(1, 20, mean=1000.0)
    weights = importance_weights(source, target, np.array([[0.0, 0.0], [1e9, 1e9]]), seed=0)
    assert 0 < weights[0] < 0.2
    assert weights[1] == pytest.approx(np.exp(LARGEST_LOGIT) * 2)


def density_by_loops(probabilities, temperature):
    total, n = 0.0, len(probabilities)
    for i in range(n):
        shares = []
        for j in range(n):
            if j != i:
                a, b = probabilities[i], probabilities[j]
                shares.append(math.exp(sum(a * b) / math.sqrt(sum(a * a)) / math.sqrt(sum(b * b)) / temperature))
        total -= sum(s / sum(shares) * math.log(s / sum(shares)) for s in shares)
    return total / n


@pytest.mark.parametrize('temperature', [0.05, 0.5])
@pytest.mark.parametrize('at_once', [4_000_000, 30, 1])
def test_soft_neighbourhood_density_is_a_plain_loop(at_once, temperature, monkeypatch):
    monkeypatch.setattr(selection_criteria, 'SIMILARITIES_AT_ONCE', at_once)
    probabilities = softmax(2 * normal(0, 13, size=4))
    wanted = density_by_loops(probabilities, temperature)
    assert soft_neighbourhood_density(probabilities, temperature) == pytest.approx(wanted, rel=1e-9)
    assert soft_neighbourhood_risk(probabilities, temperature) == pytest.approx(-wanted, rel=1e-9)
    assert 0.1 < wanted < math.log(12)


def test_compact_clusters_are_denser_than_spread_outputs():
    corners = np.eye(4)[np.arange(40) % 4] * 0.94 + 0.015
    # Each window has nine like it, the other thirty count for nothing at a twentieth.
    assert soft_neighbourhood_density(corners) == pytest.approx(math.log(9), abs=1e-4)
    assert soft_neighbourhood_density(corners) > soft_neighbourhood_density(softmax(2 * normal(0, 40, size=4)))
    assert soft_neighbourhood_density(np.full((40, 4), 0.25)) == pytest.approx(math.log(39))
    assert soft_neighbourhood_density([[0.5, 0.5], [0.1, 0.9]]) == 0.0


def test_mean_entropy_in_nats():
    assert mean_entropy([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]) == pytest.approx(math.log(2) / 2)
    assert mean_entropy(np.full((3, 7), 1 / 7)) == pytest.approx(math.log(7))
    # Rows of a network in half precision are brought to a sum of 1.
    assert mean_entropy([[0.5005, 0.5]]) == pytest.approx(math.log(2), abs=1e-5)


@pytest.mark.parametrize(
    ('call', 'error', 'text'),
    [
        (lambda: source_risk([]), DataError, r'source_losses has shape \(0,\)'),
        (lambda: source_risk([1.0, math.nan]), DataError, 'source_losses: 1 of 2 .*not finite'),
        (lambda: dev_risk([1.0, 1.0], [1.0]), DataError, '2 weights and 1 losses'),
        (lambda: dev_risk([1.0, -0.5], [1.0, 1.0]), DataError, 'the smallest weight is -0.5'),
        (lambda: mean_entropy([[0.5, 0.2]]), DataError, '0.7 to 0.7 .*not probabilities'),
        (lambda: mean_entropy([[1.5, -0.5]]), DataError, 'values from -0.5 to 1.5'),
        (lambda: mean_entropy([[math.nan, 1.0]]), DataError, 'are not probabilities'),
        (lambda: mean_entropy([0.5, 0.5]), DataError, r'shape \(2,\)'),
        (lambda: soft_neighbourhood_density([[1.0, 0.0]]), DataError, '1 window has no neighbours'),
        (lambda: soft_neighbourhood_density([[1.0, 0.0]] * 2, 0.0), ConfigError, 'temperature=0.0 must be above 0'),
        (
            lambda: importance_weights(normal(0, 4), normal(1, 9), normal(2, 3), seed=0),
            DataError,
            '4 training windows .*source and 9 .*target: at least 5',
        ),
        (
            lambda: importance_weights(normal(0, 9), normal(1, 9), normal(2, 3, size=3), seed=0),
            DataError,
            'different sizes',
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
