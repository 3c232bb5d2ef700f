"""P-values of scores: exact in the mean within and beyond the range of the healthy scores."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.tail import EXTRAPOLATION, Tail

LAWS = {
    'normal': lambda rng, n: rng.standard_normal(n),
    'exponential': lambda rng, n: rng.exponential(size=n),
    'log-normal': lambda rng, n: np.exp(rng.standard_normal(n)),
    'chi': lambda rng, n: np.sqrt(rng.chisquare(40, n)),
}


@pytest.mark.parametrize('law', LAWS)
def test_the_rate_that_is_promised_is_kept(law):
    """Within its range a limit keeps its rate; five times beyond, it is at most three times as high."""
    rng = np.random.default_rng(0)
    rates = np.zeros(3)
    for _ in range(40):
        tail = Tail.of(LAWS[law](rng, 100))
        p = tail.p_values(LAWS[law](rng, 1500))
        rates += [(p <= rate).mean() / rate / 40 for rate in (0.1, 1 / 101, tail.least_rate)]
    assert 0.85 < rates[0] < 1.15
    assert 0.6 < rates[1] < 1.6
    assert 0.1 < rates[2] < 3


def test_p_values_fall_with_the_score_and_never_reach_zero():
    tail = Tail.of(np.random.default_rng(1).standard_normal(60))
    p = tail.p_values(np.linspace(-5, 1e6, 500))
    assert (np.diff(p) <= 1e-12).all() and p.min() > 0 and p.max() == 1
    assert tail.least_rate == pytest.approx(1 / (EXTRAPOLATION * 61))


def test_the_limit_is_the_inverse_of_the_p_value():
    tail = Tail.of(np.random.default_rng(2).exponential(size=80))
    for rate in (0.05, 0.01, 0.001, tail.least_rate):
        assert tail.p_values(np.array([tail.limit(rate)]))[0] == pytest.approx(rate, rel=1e-3)


def test_scores_that_are_all_alike_make_no_error():
    tail = Tail.of(np.ones(40))
    assert tail.p_values(np.array([1.0]))[0] == 1
    assert tail.p_values(np.array([2.0]))[0] < 0.05
