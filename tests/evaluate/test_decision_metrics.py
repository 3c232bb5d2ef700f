"""Figures of merit of two classes, by hand and by scikit-learn, and the bins of a reliability diagram."""

import json
import math

import numpy as np
import pytest
from sklearn.metrics import fbeta_score, precision_score, recall_score

from fdx.evaluate.decision_metrics import binary_summary, checked_table, checked_thresholds, reliability
from fdx.evaluate.metrics import expected_calibration_error
from fdx.types import DataError

NAMES = ['normal', 'failure']
# At 0.35: hits 0.9, 0.8, 0.4; missed 0.3, 0.2; false alarms 0.6, 0.5; quiet 0.1, 0.1, 0.3.
SCORES = np.array([0.9, 0.8, 0.4, 0.3, 0.2, 0.6, 0.5, 0.1, 0.1, 0.3])
LABELS = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
CALLED = (SCORES >= 0.35).astype(int)


def table(scores):
    scores = np.asarray(scores, float)
    return np.stack([1 - scores, scores], axis=1)


def random_table(n, k, seed):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(k), n), rng.integers(0, k, n)


def test_summary_by_hand():
    s = binary_summary(table(SCORES), LABELS, CALLED, NAMES, np.full(10, 0.35))
    assert (s['positive'], s['threshold'], s['false_alarms'], s['missed']) == ('failure', 0.35, 2, 2)
    assert (s['precision'], s['recall'], s['specificity']) == (3 / 5, 3 / 5, 3 / 5)
    assert s['f1'] == pytest.approx(6 / (6 + 2 + 2))
    assert s['f2'] == pytest.approx(15 / (15 + 4 * 2 + 2))
    # Pairs (failure above normal): 5 + 5 + 3 + 2.5 (a tie with 0.3) + 2 of 25.
    assert s['roc_auc'] == pytest.approx(17.5 / 25)
    # Recall rises by 1/5 at the ranks 1, 2, 5, 7 (tied with a normal) and 8.
    assert s['average_precision'] == pytest.approx((1 + 1 + 3 / 5 + 4 / 7 + 5 / 8) / 5)
    assert s['brier'] == pytest.approx((0.01 + 0.04 + 0.36 + 0.49 + 0.64 + 0.36 + 0.25 + 0.01 + 0.01 + 0.09) / 10)


def test_f_beta_is_that_of_scikit_learn():
    probabilities, labels = random_table(60, 2, 1)
    called = (probabilities[:, 1] >= 0.2).astype(int)
    s = binary_summary(probabilities, labels, called, NAMES)
    for name, value in (
        ('precision', precision_score(labels, called)),
        ('recall', recall_score(labels, called)),
        ('specificity', recall_score(labels, called, pos_label=0)),
        ('f1', fbeta_score(labels, called, beta=1)),
        ('f2', fbeta_score(labels, called, beta=2)),
    ):
        assert s[name] == pytest.approx(value), name
    assert s['f1'] != pytest.approx(s['f2'])


def test_threshold_is_one_number_a_sorted_list_or_null():
    def threshold(values):
        return binary_summary(table(SCORES), LABELS, CALLED, NAMES, values)['threshold']

    assert threshold(None) is None
    assert threshold(np.full(10, 0.25)) == 0.25
    assert threshold([0.4] * 5 + [0.25] * 3 + [0.4] * 2) == [0.25, 0.4]


def test_decision_comes_from_the_caller_and_the_areas_do_not_depend_on_it():
    quiet = binary_summary(table(SCORES), LABELS, np.zeros(10, int), NAMES)
    loud = binary_summary(table(SCORES), LABELS, np.ones(10, int), NAMES)
    assert (quiet['precision'], quiet['recall'], quiet['f1'], quiet['specificity'], quiet['missed']) == (0, 0, 0, 1, 5)
    assert (loud['precision'], loud['recall'], loud['specificity'], loud['false_alarms']) == (0.5, 1, 0, 5)
    assert loud['f2'] == pytest.approx(25 / 30)
    for name in ('roc_auc', 'average_precision', 'brier'):
        assert quiet[name] == loud[name]


def test_a_missing_class_gives_nulls_and_json():
    healthy = binary_summary(table([0.1, 0.7, 0.2]), [0, 0, 0], [0, 1, 0], NAMES)
    assert {k for k, v in healthy.items() if v is None} == {
        'threshold', 'precision', 'recall', 'f1', 'f2', 'roc_auc', 'average_precision'
    }  # fmt: skip
    assert (healthy['specificity'], healthy['false_alarms']) == (2 / 3, 1)
    assert healthy['brier'] == pytest.approx((0.01 + 0.49 + 0.04) / 3)
    broken = binary_summary(table([0.1, 0.7]), [1, 1], [0, 1], NAMES, np.full(2, 0.5))
    assert {k for k, v in broken.items() if v is None} == {'specificity', 'roc_auc', 'average_precision'}
    assert (broken['precision'], broken['recall'], broken['missed']) == (1, 0.5, 1)
    for summary in (healthy, broken):
        assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_rows_that_sum_to_one_only_nearly_have_a_brier_score():
    s = binary_summary(np.array([[0.0, 1.004], [0.996, 0.0]], np.float32), [1, 0], [1, 0], NAMES)
    assert s['brier'] == pytest.approx(0, abs=1e-12)


def test_reliability_by_hand():
    # Four bins: 0.5 lies in (1/4, 1/2], 0.75 in (1/2, 3/4].
    found = reliability(table([0.5, 0.75, 0.4, 0.9, 0.05, 1.0]), [0, 1, 1, 1, 1, 1], bins=4)
    assert found['edges'] == [0, 0.25, 0.5, 0.75, 1]
    assert found['count'] == [0, 1, 2, 3]
    assert found['confidence'] == [None, 0.5, pytest.approx((0.75 + 0.6) / 2), pytest.approx((0.9 + 0.95 + 1) / 3)]
    assert found['accuracy'] == [None, 1, 0.5, pytest.approx(2 / 3)]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize('n, k, bins', [(1, 2, 15), (7, 2, 1), (200, 2, 15), (500, 5, 10), (90, 11, 15)])
@pytest.mark.parametrize('dtype', [np.float64, np.float32])
def test_weighted_gaps_are_the_expected_calibration_error(n, k, bins, dtype):
    probabilities, labels = random_table(n, k, n + k)
    probabilities = probabilities.astype(dtype)
    found = reliability(probabilities, labels, bins)
    rows = zip(found['accuracy'], found['confidence'], found['count'])
    gaps = [abs(accuracy - confidence) * m / n for accuracy, confidence, m in rows if m]
    assert sum(found['count']) == n
    assert math.fsum(gaps) == pytest.approx(expected_calibration_error(probabilities, labels, bins), rel=1e-9)
    assert math.fsum(gaps) > 0


def test_confidence_on_an_edge_falls_into_the_bin_below_it():
    edges = np.arange(8, 16) / 15
    assert reliability(table(edges), np.ones(8, int))['count'] == [0] * 7 + [1] * 8


def test_refuses_what_does_not_fit():
    good = table([0.2, 0.7])
    for probabilities, labels, match in (
        (good[:, :1], [0, 1], r'\(2, 1\).*K > 1'),
        (good[0], [0, 1], r'\(2,\)'),
        (np.zeros((0, 2)), [], r'\(0, 2\)'),
        (np.array([[0.5, 0.5], [math.nan, 0.5]]), [0, 1], 'row 1 .*softmax'),
        (np.array([[3.0, -2.0], [0.5, 0.5]]), [0, 1], 'row 0 .*softmax'),
        (good, [0, 1, 1], r'labels .* 2 rows, not int64 \(3,\) from 0 to 1'),
        (good, [0, 2], 'from 0 to 2'),
        (good, [-1, 1], 'from -1 to 1'),
        (good, [0.0, 1.0], 'float64'),
    ):
        with pytest.raises(DataError, match=match):
            reliability(probabilities, np.asarray(labels))
    for bins in (0, -3, 2.5):
        with pytest.raises(DataError, match='whole number of bins'):
            reliability(good, [0, 1], bins)


def test_a_decision_has_two_classes():
    three, labels = random_table(4, 3, 0)
    for probabilities, names in ((three, ['a', 'b', 'c']), (three, NAMES), (table([0.1] * 4), ['a', 'b', 'c'])):
        with pytest.raises(DataError, match='two classes'):
            binary_summary(probabilities, labels % 2, labels % 2, names)
    assert checked_table(three, labels)[0].shape == (4, 3)
    with pytest.raises(DataError, match=r'predicted must be .* from 0 to 2'):
        binary_summary(table([0.1, 0.2]), [0, 1], [0, 2], NAMES)


def test_thresholds_lie_inside_zero_and_one():
    for bad in ([0.5], [0.5, 0.0], [0.5, 1.0], [0.5, math.nan]):
        with pytest.raises(DataError, match='one for each of 2 rows'):
            binary_summary(table([0.1, 0.2]), [0, 1], [0, 1], NAMES, bad)
    assert checked_thresholds([0.25, 0.5], 2).tolist() == [0.25, 0.5]
