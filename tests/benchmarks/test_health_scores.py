"""Scores of the benchmark `health`: recordings are the units, and what so few cannot tell is said to be so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fdx.benchmarks.health_claims import pooled_rates
from fdx.benchmarks.health_scores import areas, auc_interval, detection, life, rates, verdict


def test_areas_count_recordings_and_not_their_pieces():
    healthy, faulty = np.arange(10.0), np.array([20.0, 20.0, 20.0, -1.0])
    assert areas(healthy, faulty, np.array([0, 0, 0, 1]))['roc_auc'] == pytest.approx(0.5)
    assert areas(healthy, faulty, np.arange(4))['roc_auc'] == pytest.approx(0.75)
    best = areas(healthy, healthy + 10, np.arange(10))
    assert best == {'roc_auc': pytest.approx(1.0), 'partial_auc_10': pytest.approx(1.0)}
    assert areas(healthy, healthy, np.arange(10))['partial_auc_10'] == pytest.approx(0.5, abs=0.05)


def test_the_interval_of_an_area_has_a_width_where_all_is_right():
    low, high = auc_interval(0.8, 100, 20)
    assert 0.5 < low < 0.8 < high < 1 and auc_interval(0.8, 20, 100) == [low, high]
    assert auc_interval(1.0, 10, 60) == [pytest.approx(0.7225, abs=1e-4), 1.0]


def test_what_is_outside_the_operating_range_does_not_count():
    found = detection(np.array([0.001, 0.01, 0.02, math.nan]), ['a', 'b', 'b', 'b'])
    assert (found['detected'], found['recordings'], found['outside']) == (pytest.approx(2 / 3), 3, 1)
    assert found['by_kind'] == {'a': [1, 1], 'b': [1, 2]}
    assert found['detected_interval'][0] < 2 / 3 < found['detected_interval'][1]
    assert detection(np.array([math.nan]), ['a'])['detected'] is None


def test_rates_count_false_alarms_and_say_when_they_cannot_tell():
    found = rates(np.arange(0.5, 1000) / 1000)
    assert [(r['promised'], r['exceeded']) for r in found] == [(0.1, 100), (0.05, 50), (0.01, 10)]
    pooled = pooled_rates([{'rates': found}, {'rates': found}, {'rates': []}], 'rates')
    assert [(r['exceeded'], r['units']) for r in pooled] == [(200, 2000), (100, 2000), (20, 2000)]
    assert all(r['interval'][0] < r['promised'] < r['interval'][1] for r in pooled)
    assert [verdict(0.1, n, 100) for n in (4, 5, 20, 21)] == ['no', 'yes', 'yes', 'no']
    # One false alarm is expected: two tell nothing, eight cannot be.
    assert [verdict(0.01, n, 100) for n in (0, 2, 8)] == ['few', 'few', 'no']


def test_a_life_counts_false_alarms_and_what_is_left_at_the_alarm():
    ages = np.linspace(0.15, 1.0, 18)
    strengths = np.where(ages > 0.7, 9.0, np.where(np.isclose(ages, 0.25), 6.0, 1.0))
    found = life(strengths >= 5, strengths, ages, 1 / 3)
    assert (found['false_third'], found['false_half'], found['early']) == (1, 1, 4)
    assert found['lead_share'] == pytest.approx(0.25) == found['equal_lead_share']
    # A limit that nobody reaches: no alarm; the equal one is just above the highest of the first third.
    late = life(ages > 2, np.where(ages > 0.9, 7.0, strengths.clip(max=6)), ages, 1 / 3)
    assert late['lead_share'] is None and late['equal_lead_share'] == pytest.approx(0.05)
