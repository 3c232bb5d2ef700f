"""Warm-up, strength and learning rate of a run of adaptation."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.adapt.schedule import FULL_STRENGTH, SCHEDULES, WARM_UP, after_warm_up, annealed, in_steps, strength


def test_progress_begins_where_the_warm_up_ends():
    found = after_warm_up(np.array([0.0, 0.25, 0.5, 0.75, 1.0]), 0.5)
    np.testing.assert_allclose(found, [0, 0, 0, 0.5, 1], atol=1e-7)
    np.testing.assert_allclose(after_warm_up(np.array([0.0, 0.3, 1.0]), 0.0), [0, 0.3, 1], atol=1e-7)


@pytest.mark.parametrize(('progress', 'warm_up'), [(0.3, 0.0), (0.6, 1 / 6), (0.1, 1 / 6), (1.0, 0.5)])
def test_strength_is_the_ramp_of_the_literature(progress, warm_up):
    p = max(0.0, (progress - warm_up) / (1 - warm_up))
    assert strength(progress, warm_up) == pytest.approx(2 / (1 + np.exp(-10 * p)) - 1, abs=1e-6)


def test_ten_of_sixty_epochs_are_without_the_term_and_the_last_ones_at_full_strength():
    assert [strength(e / 60, WARM_UP) > 0 for e in (1, 10, 11)] == [False, False, True]
    full = [e for e in range(1, 61) if strength(e / 60, WARM_UP) >= FULL_STRENGTH]
    assert full == list(range(29, 61))


def test_learning_rates():
    p = np.array([0.0, 0.49, 0.5, 0.79, 0.8, 1.0], np.float32)
    np.testing.assert_allclose(in_steps(p), [1, 1, 0.1, 0.1, 0.01, 0.01])
    np.testing.assert_allclose(annealed(p), (1 + 10 * p) ** -0.75, rtol=1e-6)
    np.testing.assert_array_equal(SCHEDULES['constant'](p), np.ones(6))
    assert set(SCHEDULES) == {'steps', 'annealed', 'constant'}
