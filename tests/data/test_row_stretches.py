"""Stretches of logs: runs are found where all readings jump, and never cut where labels flicker."""

import numpy as np
import pytest

from fdx.data.protocols.row_stretches import find_jumps, least_stretches, stretches_of
from tests.data.logs import coin_log, taking_turns


@pytest.mark.parametrize('flicker', [0.0, 0.1])
def test_runs_are_found_whatever_their_label_does(flicker):
    values, labels = coin_log(4, flicker=flicker)
    found = stretches_of(values, labels)
    assert found.of_row.tolist() == np.repeat(np.arange(40), 100).tolist()
    assert found.natural.all() and found.memory == 0 and found.dependent
    assert found.names()[150] == 'rows 100 to 199'


def test_a_wild_reading_and_a_set_point_that_moves_alone_end_no_run():
    values, _ = coin_log(0, runs=1, rows=1000)
    values[300] += 1000 * np.ptp(values, axis=0)
    values[500:, 0] += 400
    assert find_jumps(values).tolist() == []
    values[700:, :3] += 400
    assert find_jumps(values).tolist() == [700]


def test_a_log_without_jumps_is_cut_where_its_label_changes_and_remembers_its_neighbours():
    values, labels = coin_log(2, jumps=False)
    found = stretches_of(values, labels)
    assert found.natural.tolist() == [True] + [False] * (len(found) - 1)
    assert 40 < found.memory <= 150
    sizes = np.bincount(found.of_row)
    assert sizes.min() >= 2 * found.memory
    first = np.flatnonzero(np.diff(found.of_row)) + 1
    # Cuts lie where a run of the label ends, within half of the smoothing.
    changes = np.flatnonzero(np.diff(labels)) + 1
    assert all(np.abs(changes - cut).min() <= 4 for cut in first)


def test_machines_that_take_turns_are_not_cut_row_by_row():
    found = stretches_of(*taking_turns(0))
    assert np.bincount(found.of_row).min() >= 200 and found.memory >= 40


def test_independent_rows_lie_in_equal_blocks():
    rng = np.random.default_rng(0)
    found = stretches_of(rng.standard_normal((1000, 3)), rng.integers(2, size=1000))
    assert np.bincount(found.of_row).tolist() == [20] * 50
    assert (found.memory, found.dependent) == (0, False)


def test_a_class_lies_where_it_is_not_just_a_flicker():
    of_row = np.repeat([0, 1, 2, 3], 100)
    labels = np.repeat([0, 1, 0, 1], 100)
    assert least_stretches(of_row, labels) == 2
    labels[5] = 1
    assert least_stretches(of_row, labels) == 2
