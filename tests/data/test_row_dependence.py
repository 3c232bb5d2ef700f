"""Whether rows of a table are alike: logs are, independent rows of any kind are not."""

import numpy as np
import pytest

from fdx.data.protocols.row_dependence import Alike, autocorrelation, row_dependence
from fdx.datasets.motor_maintenance.generator import generate
from tests.data.logs import NAMES, coin_log, taking_turns


def test_autocorrelation_by_hand():
    # 1, -1, 1, -1: the mean is 0, the power 4; products at lag 1 are -3, at lag 2 they are 2.
    np.testing.assert_allclose(autocorrelation(np.array([1.0, -1, 1, -1]), 2), [1, -3 / 4, 2 / 4])
    assert autocorrelation(np.full(9, 3.0), 2).tolist() == [0, 0, 0]


@pytest.mark.parametrize('seed', range(3))
def test_a_log_is_known_by_its_readings_and_by_its_label(seed):
    found = row_dependence(*coin_log(seed), NAMES)
    assert {a.column for a in found.readings} == set(NAMES)
    assert all(a.lag == 1 and a.correlation > 0.95 for a in found.readings)
    assert found.label.lag == 1 and found.label.correlation > 0.9
    assert 'resembles the row before (rank correlation 0.9' in found.words() or '1.00' in found.words()
    assert 'the label comes in runs' in found.words()


def test_a_label_that_flickers_still_comes_in_runs():
    values, labels = coin_log(1, flicker=0.2)
    assert row_dependence(values, labels).label.correlation == pytest.approx(0.36, abs=0.06)


def test_machines_that_take_turns_are_alike_after_a_turn():
    found = row_dependence(*taking_turns(0), NAMES)
    assert found.readings[0].lag == 5
    assert '5 rows before' in found.words()


def test_each_kind_of_dependence_alone():
    values, labels = coin_log(2)
    rng = np.random.default_rng(0)
    assert row_dependence(values, rng.integers(2, size=len(labels))).label is None
    of_label = row_dependence(rng.standard_normal(values.shape), np.sort(labels))
    assert of_label.readings == () and isinstance(of_label.label, Alike)


@pytest.mark.parametrize('rows', [300, 1500, 10000])
def test_drawn_readings_are_independent(rows):
    for seed in range(10):
        readings = generate(rows, seed)
        assert not row_dependence(readings.values, readings.labels)


def test_wild_readings_and_rare_failures_are_no_dependence():
    rng = np.random.default_rng(3)
    for share in (0.01, 0.03, 0.5):
        for _ in range(60):
            n = int(rng.integers(20, 2000))
            found = row_dependence(rng.standard_cauchy((n, 3)), (rng.random(n) < share).astype(int))
            assert not found, found.words()


def test_few_rows_and_constant_columns_say_nothing():
    assert not row_dependence(np.arange(19.0)[:, None], np.arange(19) // 10)
    assert not row_dependence(np.ones((100, 2)), np.zeros(100, int))
