"""Drawn readings against the study's figures, and the accuracy that no classifier exceeds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.data.readings_csv import COLUMNS
from fdx.datasets.motor_maintenance.generator import (
    STUDY,
    Normal,
    Parameters,
    bayes_accuracy,
    condition_share,
    conditions,
    generate,
)
from fdx.types import ConfigError

ROWS = 200_000
SAFE = {'rpm': 1600.0, 'temperature_c': 24.0, 'vibration_g': 0.12, 'current_a': 3.5}


@pytest.fixture(scope='module')
def many():
    return generate(ROWS, seed=11)


def row_of(**changed):
    return np.array([[{**SAFE, **changed}[name] for name in COLUMNS]])


def test_readings_have_the_study_s_means_and_deviations(many):
    means, deviations = np.array([1600, 24, 0.12, 3.5]), np.array([200, 5, 0.02, 0.3])
    # Five standard errors; so many rows tell 1600 from 1603.
    np.testing.assert_array_less(np.abs(many.values.mean(axis=0) - means), 5 * deviations / np.sqrt(ROWS))
    np.testing.assert_array_less(np.abs(many.values.std(axis=0) - deviations), 5 * deviations / np.sqrt(2 * ROWS))
    correlations = np.corrcoef(many.values.T)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(ROWS)
    inside = np.abs(many.values - means) < 2 * deviations
    np.testing.assert_allclose(inside.mean(axis=0), 0.9545, atol=0.003)
    assert (many.columns, many.source) == (COLUMNS, 'generator')
    assert (many.values.dtype, many.labels.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize(
    ('column', 'threshold', 'outside'),
    [
        ('temperature_c', 30.0, np.inf),
        ('rpm', 1500.0, -np.inf),
        ('vibration_g', 0.60, np.inf),
        ('current_a', 0.2, -np.inf),
        ('current_a', 10.8, np.inf),
    ],
)
def test_a_condition_holds_beyond_its_threshold_not_at_it(column, threshold, outside):
    assert conditions(row_of()).tolist() == [False]
    assert conditions(row_of(**{column: threshold})).tolist() == [False]
    assert conditions(row_of(**{column: np.nextafter(threshold, outside)})).tolist() == [True]
    assert conditions(row_of(**{column: np.nextafter(threshold, -outside)})).tolist() == [False]


def test_conditions_are_judged_row_by_row():
    rows = np.concatenate([row_of(), row_of(rpm=1400.0), row_of(), row_of(temperature_c=31.0, current_a=11.0)])
    found = conditions(rows)
    assert found.dtype == bool
    assert found.tolist() == [False, True, False, True]


@pytest.mark.parametrize('chances', [(0.9, 0.05), (0.7, 0.2)])
def test_failures_follow_the_chances(chances):
    readings = generate(ROWS, 12, Parameters(p_failure_if_condition=chances[0], p_failure_otherwise=chances[1]))
    holds = conditions(readings.values)
    assert set(readings.labels) == {0, 1}
    assert readings.labels[holds].mean() == pytest.approx(chances[0], abs=0.01)
    assert readings.labels[~holds].mean() == pytest.approx(chances[1], abs=0.01)


def test_chances_of_0_and_1_are_certain():
    readings = generate(5000, 1, Parameters(p_failure_if_condition=1, p_failure_otherwise=0))
    np.testing.assert_array_equal(readings.labels, conditions(readings.values))


def test_a_seed_decides_the_rows():
    first, again, other = generate(500, 4), generate(500, 4), generate(500, 5)
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.any(first.values == other.values)
    assert (first.labels != other.labels).sum() > 100
    # Other chances change failures alone.
    changed = generate(500, 4, Parameters(p_failure_if_condition=0.1))
    np.testing.assert_array_equal(first.values, changed.values)
    assert (first.labels != changed.labels).any()


def test_the_share_of_conditions(many):
    # Beyond 1.2 deviations in temperature or below half a one in rpm, by a table of the normal distribution.
    assert condition_share() == pytest.approx(1 - (1 - 0.11507) * (1 - 0.30854), abs=1e-5)
    assert conditions(many.values).mean() == pytest.approx(condition_share(), abs=0.005)
    near = dataclasses.replace(STUDY, vibration_g=Normal(0.5, 0.1), current_a=Normal(1.2, 1.0))
    assert conditions(generate(ROWS, 13, near).values).mean() == pytest.approx(condition_share(near), abs=0.005)


def test_bayes_accuracy_is_the_ceiling(many):
    assert bayes_accuracy() == pytest.approx(0.9306, abs=5e-5)
    best = conditions(many.values).astype(int)
    assert (best == many.labels).mean() == pytest.approx(bayes_accuracy(), abs=0.003)
    assert bayes_accuracy(STUDY, many.values) == pytest.approx(0.9 * best.mean() + 0.95 * (1 - best.mean()))
    # Failure is less likely on either side: the best classifier always says normal.
    rare = Parameters(p_failure_if_condition=0.3, p_failure_otherwise=0.1)
    q = condition_share()
    assert bayes_accuracy(rare) == pytest.approx(0.7 * q + 0.9 * (1 - q))
    often = Parameters(p_failure_if_condition=0.9, p_failure_otherwise=0.8)
    assert bayes_accuracy(often) == pytest.approx(0.9 * q + 0.8 * (1 - q))
    assert bayes_accuracy(Parameters(p_failure_if_condition=1, p_failure_otherwise=0)) == pytest.approx(1)
    assert bayes_accuracy(Parameters(p_failure_if_condition=0.5, p_failure_otherwise=0.5)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (lambda: generate(0, 1), 'rows is 0'),
        (lambda: generate(2.5, 1), 'rows is 2.5'),
        (lambda: generate(5, -1), 'seed is -1'),
        (lambda: generate(5, 'a'), "seed is 'a'"),
        (lambda: Parameters(p_failure_if_condition=1.1), 'p_failure_if_condition is 1.1'),
        (lambda: Parameters(p_failure_otherwise=float('nan')), 'p_failure_otherwise is nan'),
        (lambda: Normal(0.0, 0.0), 'deviation is 0.0'),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
