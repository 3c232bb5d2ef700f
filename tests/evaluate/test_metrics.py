import json
import math

import numpy as np
import pytest

from fdx.evaluate.intervals import wilson_interval
from fdx.evaluate.metrics import expected_calibration_error, interval_text, mean_and_spread, summarise
from fdx.evaluate.predictions import Predictions
from fdx.types import DataError


def make(labels, predicted, k=3, confidence=0.7, recordings=None):
    """Predictions whose most probable class is `predicted`, with that confidence."""
    n = len(labels)
    probabilities = np.full((n, k), (1 - confidence) / (k - 1))
    probabilities[np.arange(n), predicted] = confidence
    names = ['normal', 'inner_race', 'ball', 'cage'][:k]
    recordings = recordings or [f'r{i}' for i in range(n)]
    return Predictions(probabilities, np.array(labels), recordings, np.arange(n), names, np.arange(n) % 2)


# By hand:            predicted
#              normal  inner_race  ball
# normal          3        1         0     recall 3/4
# inner_race      0        2         0     recall 1
# ball            1        1         2     recall 1/2
# precision      3/4      1/2        1
LABELS = [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]
PREDICTED = [0, 0, 0, 1, 1, 1, 2, 2, 0, 1]


def test_summarise_by_hand():
    s = summarise(make(LABELS, PREDICTED))
    assert s['confusion_matrix'] == [[3, 1, 0], [0, 2, 0], [1, 1, 2]]
    assert s['accuracy'] == 0.7
    assert s['accuracy_interval'] == pytest.approx(list(wilson_interval(7, 10)))
    f1 = [3 / 4, 2 / 3, 2 / 3]
    assert [row['f1'] for row in s['per_class']] == pytest.approx(f1)
    assert [row['precision'] for row in s['per_class']] == pytest.approx([3 / 4, 1 / 2, 1])
    assert [row['recall'] for row in s['per_class']] == pytest.approx([3 / 4, 1, 1 / 2])
    assert [row['support'] for row in s['per_class']] == [4, 2, 4]
    assert [row['class'] for row in s['per_class']] == s['class_names'] == ['normal', 'inner_race', 'ball']
    assert s['per_class'][1]['recall_interval'] == pytest.approx(list(wilson_interval(2, 2)))
    assert s['macro_f1'] == pytest.approx(25 / 36)
    assert s['weighted_precision'] == pytest.approx((4 * 3 / 4 + 2 * 1 / 2 + 4 * 1) / 10)
    assert s['weighted_recall'] == pytest.approx(0.7)
    assert s['weighted_f1'] == pytest.approx((4 * 3 / 4 + 2 * 2 / 3 + 4 * 2 / 3) / 10)
    assert s['log_loss'] == pytest.approx(-0.7 * math.log(0.7) - 0.3 * math.log(0.15), rel=1e-5)
    assert s['ece'] == pytest.approx(0, abs=1e-6)
    assert (s['windows'], s['recordings'], s['folds']) == (10, 10, [0, 1])
    json.dumps(s, allow_nan=False)


def test_absent_class_is_null_and_outside_the_macro_mean():
    # Class 3 never occurs, yet once it is predicted; class 1 occurs and is never predicted.
    s = summarise(make([0, 0, 1, 2], [0, 0, 3, 2], k=4))
    absent = s['per_class'][3]
    assert absent == {
        'class': 'cage', 'precision': None, 'recall': None, 'recall_interval': None, 'f1': None, 'support': 0,
        'units': 0,
    }  # fmt: skip
    assert (s['per_class'][1]['precision'], s['per_class'][1]['f1']) == (0, 0)
    assert s['macro_f1'] == pytest.approx(2 / 3)
    assert np.shape(s['confusion_matrix']) == (4, 4)
    assert s['confusion_matrix'][1] == [0, 0, 0, 1]
    json.dumps(s, allow_nan=False)


def test_recording_accuracy_by_mean_and_vote():
    # r1: two weak votes for class 1 against one strong for the true class 0; the mean is right, the vote is wrong.
    probabilities = [[0.4, 0.6], [0.4, 0.6], [1.0, 0.0], [0.1, 0.9]]
    p = Predictions(
        np.array(probabilities),
        np.array([0, 0, 0, 1]),
        ['r1', 'r1', 'r1', 'r2'],
        np.arange(4),
        ['a', 'b'],
        np.zeros(4, int),
    )
    accuracy = summarise(p)['recording_accuracy']
    assert accuracy['mean_probability'] == 1.0
    assert accuracy['vote'] == 0.5
    assert accuracy['vote_interval'] == pytest.approx(list(wilson_interval(1, 2)))


def test_log_loss_ignores_the_rounding_of_the_rows():
    exact = make([0, 1], [0, 1])
    scaled = make([0, 1], [0, 1])
    object.__setattr__(scaled, 'probabilities', exact.probabilities * np.float32(1.005))
    assert summarise(scaled)['log_loss'] == pytest.approx(summarise(exact)['log_loss'], abs=1e-6)


def test_calibration_error_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [0.38, 0.62]])
    labels = np.array([0, 1, 1, 1])
    # Three bins of 15: {0.95, 0.95} with accuracy 0.5; 0.6 is the closed end of (8/15, 9/15]; 0.62 is in the next.
    expected = (2 * 0.45 + 0.4 + 0.38) / 4
    assert expected_calibration_error(probabilities, labels) == pytest.approx(expected)
    # In one bin the gaps of opposite sign cancel: accuracy 3/4 against a mean confidence of 0.78.
    assert expected_calibration_error(probabilities, labels, bins=1) == pytest.approx(0.03)


def test_mean_and_spread():
    results = [{'accuracy': a, 'macro_f1': f} for a, f in ((0.8, 0.5), (0.9, 0.7), (1.0, 0.6))]
    spread = mean_and_spread(results)
    assert spread['n'] == 3
    assert spread['accuracy'] == pytest.approx({'mean': 0.9, 'standard_deviation': 0.1})
    assert spread['macro_f1'] == pytest.approx({'mean': 0.6, 'standard_deviation': 0.1})
    assert mean_and_spread(results[:1])['accuracy'] == {'mean': 0.8, 'standard_deviation': None}
    with pytest.raises(DataError, match='no results'):
        mean_and_spread([])


def test_intervals_count_recordings_and_the_window_level_one_is_named():
    # Four recordings of 25 windows, all right but the last one: 75 % of 100 windows, and of 4 recordings.
    labels = np.repeat([0, 1, 0, 1], 25)
    predicted = np.where(np.arange(100) < 75, labels, 0)
    s = summarise(make(labels, predicted, k=2, recordings=[f'r{i // 25}' for i in range(100)]))
    assert (s['interval_unit'], s['units'], s['windows']) == ('recording', 4, 100)
    assert s['effective_number'] == pytest.approx(4)
    assert s['accuracy_interval'] == pytest.approx(list(wilson_interval(3, 4)))
    assert s['accuracy_interval_windows'] == pytest.approx(list(wilson_interval(75, 100)))
    assert s['per_class'][1]['recall_interval'] == pytest.approx(list(wilson_interval(1, 2)))
    assert [row['units'] for row in s['per_class']] == [2, 2]
    low, high = (100 * v for v in wilson_interval(3, 4))
    assert interval_text(s).startswith(f'{low:.2f}-{high:.2f}% by recording (4), ')
    assert interval_text(s).endswith('% if windows were independent')
    json.dumps(s, allow_nan=False)


def test_ten_recordings_without_an_error_leave_doubt():
    labels = np.repeat(np.arange(10) % 2, 36)
    s = summarise(make(labels, labels, k=2, recordings=[f'r{i // 36}' for i in range(360)]))
    assert s['accuracy'] == 1.0
    assert s['accuracy_interval'] == pytest.approx(list(wilson_interval(10, 10)))
    # One recording a class: nothing more is known than of one trial.
    of_one = summarise(make(labels, labels, k=2, recordings=[f'r{y}' for y in labels]))
    assert of_one['per_class'][0]['recall_interval'] == pytest.approx(list(wilson_interval(1, 1)))


def test_bearings_that_several_recordings_share_have_an_interval_of_their_own():
    labels = np.repeat([0, 0, 1, 1], 10)
    fields = vars(make(labels, labels, k=2, recordings=[f'r{i // 10}' for i in range(40)]))
    s = summarise(Predictions(**{**fields, 'bearings': [f'b{y}' for y in labels]}))
    assert (s['bearings'], s['units']) == (2, 4)
    assert s['accuracy_interval_bearings'] == pytest.approx(list(wilson_interval(2, 2)))
    assert '% by bearing (2), ' in interval_text(s)
    # A motor in two states is two machines to a diagnosis; unknown bearings are as many as recordings.
    motor = summarise(Predictions(**{**fields, 'bearings': ['motor'] * 40}))
    assert motor['bearings'] == 2
    for bearings in (None, [''] * 40, fields['recordings']):
        s = summarise(Predictions(**{**fields, 'bearings': bearings}))
        assert (s['bearings'], s['accuracy_interval_bearings']) == (None, None)


def test_rows_of_a_table_count_by_their_units():
    fields = vars(make([0, 1] * 10, [0, 1] * 10, k=2))
    rows = summarise(Predictions(**{**fields, 'unit_name': 'row'}))
    assert (rows['interval_unit'], rows['units']) == ('row', 20)
    assert rows['accuracy_interval'] == pytest.approx(list(wilson_interval(20, 20)))
    stretches = Predictions(**{**fields, 'units': ['a'] * 10 + ['b'] * 10, 'unit_name': 'stretch of rows'})
    s = summarise(stretches)
    assert s['accuracy_interval'] == pytest.approx(list(wilson_interval(2, 2)))
    assert interval_text(s).endswith('100.00% if rows were independent')


def test_a_recording_that_several_folds_score_counts_once():
    n = 12
    p = Predictions(
        np.tile([0.9, 0.1], (n, 1)), np.zeros(n, int), ['r1'] * n, np.tile(np.arange(4), 3), ['a', 'b'],
        np.repeat(np.arange(3), 4),
    )  # fmt: skip
    assert summarise(p)['recording_accuracy']['vote_interval'] == pytest.approx(list(wilson_interval(1, 1)))
