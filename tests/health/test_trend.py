"""Levels, health index and growth on simulated histories, with intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.level import MOST_POINTS, smooth_level
from fdx.health.trend import growth, health_index
from fdx.types import ConfigError, DataError

HOUR_S = 3600.0


def test_a_level_is_smoother_than_its_readings_and_holds_the_truth():
    rng = np.random.default_rng(0)
    t = np.arange(300) * HOUR_S
    truth = np.cumsum(0.05 * rng.standard_normal(300))
    level = smooth_level(t, truth + rng.standard_normal(300))
    error = level.values - truth
    assert np.sqrt(np.mean(error**2)) < 0.4
    assert 0.75 < np.mean(np.abs(error) < 1.645 * level.deviations) <= 1


def test_a_step_is_followed():
    rng = np.random.default_rng(1)
    y = 0.1 * rng.standard_normal(100) + np.where(np.arange(100) < 60, 0.0, 5.0)
    level = smooth_level(np.arange(100.0), y)
    assert level.values[58] == pytest.approx(0, abs=0.4) and level.values[62] == pytest.approx(5, abs=0.4)


def test_a_constant_level_is_known_the_better_the_longer_it_is_seen():
    rng = np.random.default_rng(2)
    few, many = (smooth_level(np.arange(n) * HOUR_S, rng.standard_normal(n)) for n in (20, 2000))
    assert len(many.times_s) == MOST_POINTS
    assert many.deviations[-1] < few.deviations[-1] < 0.5


def test_the_index_is_100_when_healthy_and_0_at_the_limit():
    t = np.arange(50) * HOUR_S
    rng = np.random.default_rng(3)
    for score, expected in ((1.0, 100.0), (3.0, 0.0), (2.0, 50.0), (5.0, -100.0)):
        index = health_index(t, score + 0.01 * rng.standard_normal(50), 1.0, 3.0)
        assert index.values == pytest.approx(expected, abs=2)
        assert (index.low <= index.values).all() and (index.values <= index.high).all()
    with pytest.raises(ConfigError, match='`limit`'):
        health_index(t, np.ones(50), 3.0, 3.0)


def test_growth_is_per_day_and_its_interval_holds_the_truth():
    rng = np.random.default_rng(4)
    t, held = np.arange(60) * HOUR_S, []
    for _ in range(40):
        noise = rng.standard_normal(60)
        for i in range(1, 60):
            noise[i] += 0.4 * noise[i - 1]
        found = growth(t, 10 + 0.1 * np.arange(60) + noise)
        held.append(found.low <= 2.4 <= found.high)
    assert np.mean(held) >= 0.75
    assert growth(t, 0.1 * np.arange(60)).per_day == pytest.approx(2.4)


def test_no_growth_is_not_called_one():
    rng = np.random.default_rng(5)
    t = np.arange(40) * HOUR_S
    clear = [growth(t, rng.standard_normal(40)).is_clear for _ in range(25)]
    assert np.mean(clear) <= 0.25
    assert growth(t, 0.2 * np.arange(40) + rng.standard_normal(40)).is_clear


def test_an_outlier_does_not_bend_the_line():
    y = 0.1 * np.arange(40.0)
    y[39] = 1000.0
    assert growth(np.arange(40) * HOUR_S, y).per_day == pytest.approx(2.4, rel=0.05)


def test_what_has_no_growth_or_cannot_be_used():
    assert growth(np.arange(5.0), np.arange(5.0)) is None
    assert growth(np.zeros(20), np.arange(20.0)) is None
    for t, y in (([2.0, 1.0], [0.0, 0.0]), ([1.0], [np.nan]), ([1.0, 2.0], [1.0]), ([], [])):
        with pytest.raises(DataError):
            smooth_level(np.array(t), np.array(y))
    assert smooth_level(np.array([1.0]), np.array([2.0])).values == [2.0]
