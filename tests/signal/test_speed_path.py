"""A course of the speed stays inside the picture, whatever the guesses were."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.speed_path import contrast, refined
from fdx.signal.speed_picture import REACH, Picture

SEGMENTS, ORDERS = 12, 40


def random_picture(seed: int) -> Picture:
    excess = np.random.default_rng(seed).standard_normal((5, SEGMENTS, ORDERS + 2 * REACH)).astype(np.float32)
    return Picture(excess, np.arange(SEGMENTS, dtype=float), np.ones(ORDERS, np.float32), 8.0)


@pytest.mark.parametrize('edge', [REACH, -REACH])
def test_a_lopsided_course_stays_in_the_picture(edge):
    """Its mean is far from the middle, so that taking it off used to move other segments out of the picture."""
    picture = random_picture(0)
    shifts = np.full(SEGMENTS, edge)
    shifts[0] = -edge
    course = refined(picture, shifts)
    assert np.abs(course).max() <= REACH
    assert np.isfinite(contrast(picture, np.rint(course).astype(np.int64)))


def test_a_course_in_the_middle_keeps_its_mean():
    assert refined(random_picture(1), np.zeros(SEGMENTS, np.int64)).mean() == pytest.approx(0, abs=1e-9)
