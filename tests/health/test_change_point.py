"""Changes: no more false ones than stated, steps and slow growth found, beginnings near the truth, repairs seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from fdx.health.change_point import change_threshold, find_changes
from fdx.health.normal_scores import innovations, normal_of_p, normal_scores, serial_correlation
from fdx.types import ConfigError, DataError


def alike(rng, n: int, correlation: float) -> np.ndarray:
    """Standard normal numbers [n] whose neighbours have a correlation."""
    x = rng.standard_normal(n)
    for i in range(1, n):
        x[i] = correlation * x[i - 1] + math.sqrt(1 - correlation**2) * x[i]
    return x


def test_the_mean_distance_of_false_alarms_is_what_was_asked_for():
    rng = np.random.default_rng(0)
    for wished in (100.0, 500.0):
        alarms = sum(len(find_changes(rng.standard_normal(20_000), run_length=wished).found) for _ in range(4))
        assert alarms == pytest.approx(80_000 / wished, rel=0.3)


@pytest.mark.parametrize(('reference', 'method'), [(10, 'normal'), (20, 'rank'), (20, 'normal'), (60, 'rank')])
def test_a_small_reference_gives_no_more_false_alarms(reference, method):
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(300):
        z = normal_scores(rng.standard_normal(200), rng.standard_normal(reference), method)
        false += bool(find_changes(z, run_length=1000.0, reference=reference, method=method).found)
    assert false / 300 == pytest.approx(1 - math.exp(-0.2), abs=0.07)


def test_neighbours_that_are_alike_give_no_more_false_alarms():
    rng = np.random.default_rng(2)
    z = [alike(rng, 2000, 0.6) for _ in range(10)]
    naive = sum(len(find_changes(one, run_length=200.0).found) for one in z)
    told = sum(len(find_changes(one, run_length=200.0, correlation=0.6).found) for one in z)
    assert naive > 2 * told and told == pytest.approx(100, rel=0.35)


def test_a_step_is_found_soon_and_its_beginning_too():
    rng = np.random.default_rng(3)
    delays, covered = [], []
    for _ in range(200):
        z = rng.standard_normal(200)
        z[120:] += 2.0
        change = find_changes(z, run_length=1000.0).lasting
        assert change is not None and change.earliest <= change.onset <= change.latest <= change.alarm
        delays.append(change.alarm - 120)
        covered.append(change.earliest <= 120 <= change.latest)
    assert np.median(delays) <= 4 and np.mean(covered) >= 0.85


def test_slow_growth_is_found_before_a_single_score_would_tell():
    z = np.random.default_rng(4).standard_normal(300)
    z[100:] += 0.02 * np.arange(200)
    change = find_changes(z, run_length=1000.0).lasting
    # The growth passes the limit of single scores at the same rate (3.1) only near 255.
    assert change is not None and 100 <= change.onset <= change.alarm < 200


def test_a_repair_ends_a_change():
    z = np.random.default_rng(5).standard_normal(400)
    z[100:150] += 4
    changes = find_changes(z, run_length=5000.0)
    assert len(changes.found) == 1 and changes.lasting is None
    assert 150 <= changes.found[0].end < 190
    z[350:] += 4
    assert [c.end is None for c in find_changes(z, run_length=5000.0).found] == [False, True]


def test_one_broken_recording_is_no_change():
    z = np.random.default_rng(6).standard_normal(100) * 0.5
    z[50] = 40.0
    assert not find_changes(z, run_length=1000.0).found
    assert 'about 1000 recordings' in find_changes(z).words()


def test_normal_scores_are_normal_where_nothing_changes():
    rng = np.random.default_rng(7)
    ranks = normal_scores(rng.exponential(size=4000), rng.exponential(size=300))
    assert scipy.stats.norm.ppf(0.9) == pytest.approx(np.quantile(ranks, 0.9), abs=0.2)
    assert normal_scores(np.array([-1.0, 1e9]), np.arange(10.0)) == pytest.approx([-1.69, 1.69], abs=0.01)
    heavy = normal_scores(np.array([100.0]), rng.standard_normal(20), 'normal')
    assert np.isfinite(heavy).all() and heavy[0] > 6
    assert normal_of_p(np.array([0.5, 0.0, 1.0])) == pytest.approx([0.0, 8.0, -8.0])


def test_correlation_is_measured_and_removed():
    rng = np.random.default_rng(8)
    assert serial_correlation(rng.standard_normal(100)) == 0.0
    z = alike(rng, 500, 0.7)
    assert serial_correlation(z) == pytest.approx(0.7, abs=0.1)
    assert abs(serial_correlation(innovations(z, 0.7))) < 0.1 and np.std(innovations(z, 0.7)) == pytest.approx(
        1, abs=0.1
    )
    assert serial_correlation(np.ones(50)) == 0.0


def test_a_smaller_reference_needs_a_higher_threshold():
    thresholds = [change_threshold(1000.0, 300, n, 'normal') for n in (10, 30, 200, None)]
    assert thresholds == sorted(thresholds, reverse=True)


def test_what_cannot_be_used(says):
    with pytest.raises(DataError):
        find_changes(np.array([1.0, np.nan]))
    with pytest.raises(ConfigError, match='`run_length`'):
        find_changes(np.zeros(5), run_length=1.0)
    with pytest.raises(DataError, match='8'):
        normal_scores(np.zeros(5), np.arange(5.0))
    with pytest.raises(DataError, match='differ'):
        normal_scores(np.zeros(5), np.ones(50))
    with pytest.raises(ConfigError, match='`method`'):
        normal_scores(np.zeros(5), np.arange(50.0), 'median')
    assert find_changes(np.zeros(0)).found == ()
