"""Levels that do not overlap, and which of them a fault explains."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.inspect.levels import beyond_faults, level_gap


def gap(mine, others, domains=None):
    values = np.log10(np.array([*mine, *others]))[:, None]
    members = np.arange(len(values)) < len(mine)
    return level_gap(values, members, np.zeros(len(values), int) if domains is None else np.array(domains))


def test_the_gap_is_that_of_the_nearest_recordings():
    found = gap([0.001, 0.002], [0.1, 0.5])
    assert (found.factor, found.louder) == (pytest.approx(50), False)
    assert gap([3.0], [0.1, 0.5]).louder
    assert gap([0.2], [0.1, 0.5]) is None


def test_each_condition_is_compared_with_itself():
    """Quiet at 600 rpm and loud at 3000 rpm, whatever the class: within each speed the factor is 20."""
    found = gap([0.01, 1.0], [0.2, 20.0], [0, 1, 0, 1])
    assert found.factor == pytest.approx(20)
    assert gap([0.01, 20.0], [0.2, 1.0], [0, 1, 0, 1]) is None, 'ordered differently'


def test_groups_that_never_share_a_condition_are_not_compared():
    assert gap([0.01, 0.01], [5.0, 5.0], [0, 0, 1, 1]) is None


def test_the_weakest_channel_counts():
    values = np.log10(np.array([[1.0, 1.0], [100.0, 2.0]]))
    assert level_gap(values, np.array([True, False]), np.zeros(2, int)).factor == pytest.approx(2)


@pytest.mark.parametrize(
    ('mine', 'others', 'healthy', 'beyond'),
    [
        ([0.01], [0.09], True, False),
        ([0.01], [0.11], True, True),
        ([0.04], [0.01], True, True),
        ([0.02], [0.01], True, False),
        ([0.04], [0.01], False, False),
        ([0.2], [0.01], False, True),
    ],
)
def test_a_fault_raises_the_level_less_than_tenfold_and_never_lowers_it(mine, others, healthy, beyond):
    assert beyond_faults(gap(mine, others), healthy) == beyond


def test_overlap_is_never_beyond_faults():
    assert not beyond_faults(None, True)
