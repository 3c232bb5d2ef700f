"""Remaining life: intervals that hold the truth where growth is steady, and silence where nothing can be said."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.remaining_life import NO_PROMISE, remaining_life
from fdx.types import ConfigError

HOUR_S, DAY = 3600.0, 24.0


def hours(n: int) -> np.ndarray:
    return np.arange(n) * HOUR_S


def test_steady_growth_is_continued():
    rng = np.random.default_rng(0)
    held, told = [], 0
    for _ in range(10):
        found = remaining_life(hours(60), 10 + 0.1 * np.arange(60) + 0.5 * rng.standard_normal(60), 20.0)
        if found.high_days is not None:
            told += 1
            held.append(DAY * found.low_days <= 41 <= DAY * found.high_days)
            assert found.low_days <= found.median_days <= found.high_days
    assert told >= 7 and np.mean(held) >= 0.8


def test_exponential_growth_is_continued_too():
    rng = np.random.default_rng(1)
    y = np.exp(0.04 * np.arange(60)) * np.exp(0.05 * rng.standard_normal(60))
    found = remaining_life(hours(60), y, np.exp(0.04 * 80))
    assert found.high_days is not None and DAY * found.low_days <= 21 <= DAY * found.high_days
    assert 'Extrapolated' in found.words() and NO_PROMISE in found.words()


def test_without_growth_nothing_is_promised():
    rng = np.random.default_rng(2)
    for _ in range(10):
        found = remaining_life(hours(60), rng.standard_normal(60), 8.0)
        assert found.high_days is None and found.reason
        assert 'cannot be said' in found.words()


@pytest.mark.parametrize(
    ('values', 'limit', 'words'),
    [
        (np.arange(5.0), 100.0, 'too few'),
        (10 - 0.1 * np.arange(40.0), 20.0, 'do not grow'),
        (0.01 * np.arange(40.0), 1000.0, 'farther away'),
    ],
)
def test_the_reason_is_told(values, limit, words):
    found = remaining_life(hours(len(values)), values, limit)
    assert found.high_days is None and words in found.reason and words in found.words()


def test_a_limit_that_is_reached():
    found = remaining_life(hours(40), np.arange(40.0), 30.0)
    assert (found.low_days, found.high_days) == (0.0, 0.0) and found.words() == 'The limit is reached.'
    with pytest.raises(ConfigError, match='`limit`'):
        remaining_life(hours(40), np.arange(40.0), np.nan)
