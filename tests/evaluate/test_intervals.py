"""Intervals of proportions: Wilson's, and that of windows which came in recordings."""

import numpy as np
import pytest

from fdx.evaluate.intervals import clustered_interval, effective_number, wilson_interval
from fdx.types import DataError


@pytest.mark.parametrize(
    'successes, n, low, high',
    [
        # Newcombe, Statistics in Medicine 17:857-872, 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # Mirrored.
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_interval_of_the_literature(successes, n, low, high):
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_at_its_edges():
    assert wilson_interval(0, 0) is None
    assert wilson_interval(0, 7)[0] == 0.0
    assert wilson_interval(7, 7)[1] == 1.0
    assert wilson_interval(5, 10, z=0) == (0.5, 0.5)
    for successes, n in ((3, 2), (-1, 2), (0, -1)):
        with pytest.raises(DataError, match='impossible'):
            wilson_interval(successes, n)


def test_independent_windows_keep_wilsons_interval():
    correct = np.arange(10) < 7
    assert effective_number(correct, np.arange(10)) == pytest.approx(10)
    assert clustered_interval(correct, np.arange(10)) == pytest.approx(list(wilson_interval(7, 10)))


def test_recordings_that_are_right_or_wrong_as_a_whole_count_once():
    correct = np.repeat(np.arange(10) < 7, 30)
    units = np.repeat([f'r{i}' for i in range(10)], 30)
    assert effective_number(correct, units) == pytest.approx(10)
    assert clustered_interval(correct, units) == pytest.approx(list(wilson_interval(7, 10)))
    shuffled = np.random.default_rng(0).permutation(300)
    assert clustered_interval(correct[shuffled], units[shuffled]) == clustered_interval(correct, units)


def test_errors_that_are_spread_evenly_are_worth_more_than_recordings_and_less_than_windows():
    correct, units = np.tile([True, False], 150), np.repeat(np.arange(10), 30)
    # By hand: shares and centre 1/2; the variance is that of the two added units, (1/4 + 1/4) / 12.
    assert effective_number(correct, units) == pytest.approx(10 * 0.25 / (0.5 / 12))


@pytest.mark.parametrize(('count', 'low'), [(1, 0.2065), (2, 0.3424), (10, 0.7225), (40, 0.9124)])
def test_no_error_in_few_recordings_is_no_certainty(count, low):
    interval = clustered_interval(np.ones(30 * count, bool), np.repeat(np.arange(count), 30))
    assert interval == pytest.approx([low, 1.0], abs=1e-4)
    # One wrong window does not make the others surer.
    nearly = np.ones(30 * count, bool)
    nearly[0] = False
    assert clustered_interval(nearly, np.repeat(np.arange(count), 30))[0] == pytest.approx(low, abs=0.02)


def test_one_large_recording_among_small_ones_is_about_one():
    units = np.r_[np.zeros(1000, int), np.arange(1, 10)]
    assert effective_number(np.ones(1009, bool), units) < 1.1


@pytest.mark.parametrize(('accuracy', 'correlation', 'count'), [(0.8, 0.5, 6), (0.95, 0.2, 10), (0.99, 0.9, 40)])
def test_other_recordings_lie_inside_as_often_as_said(accuracy, correlation, count):
    rng, inside = np.random.default_rng(1), 0
    scale = 1 / correlation - 1
    for _ in range(300):
        units = np.repeat(np.arange(count), rng.integers(10, 40, count))
        correct = rng.random(len(units)) < rng.beta(accuracy * scale, (1 - accuracy) * scale, count)[units]
        low, high = clustered_interval(correct, units)
        inside += low <= accuracy <= high
    assert inside / 300 >= 0.92


def test_what_cannot_be_is_refused():
    assert clustered_interval(np.zeros(0, bool), []) is None
    with pytest.raises(DataError, match='units for'):
        effective_number(np.ones(3, bool), ['a', 'b'])
    with pytest.raises(DataError, match='at least one window'):
        effective_number(np.zeros(0, bool), [])
