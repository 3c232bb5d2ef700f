import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score

from fdx.benchmarks.compare_scores import curves, differences, score, smooth, votes
from fdx.evaluate.predictions import Predictions
from fdx.evaluate.spread import spread
from fdx.types import DataError

NAMES = ['normal', 'inner_race', 'outer_race']


def table(labels, predicted, recordings=None):
    recordings = recordings or [f'r{i}' for i in range(len(labels))]
    sure = np.eye(len(NAMES))[predicted] * 0.7 + 0.1
    return Predictions(sure, np.array(labels), recordings, np.arange(len(labels)), NAMES, np.zeros(len(labels), int))


def test_smoothing_is_the_weighted_mean_of_the_past():
    x, w = np.array([4.0, 1.0, -2.0, 8.0]), 0.6
    for t, value in enumerate(smooth(x, w)):
        weights = w ** np.arange(t, -1, -1)
        assert value == pytest.approx(np.average(x[: t + 1], weights=weights))
    np.testing.assert_allclose(smooth(x, 0), x)
    np.testing.assert_allclose(smooth(np.full(5, 3.0), 0.9), 3.0)


def test_smoothing_leaves_out_what_is_not_finite():
    x = np.array([2.0, np.nan, 4.0, np.inf])
    out = smooth(x, 0.5)
    assert np.isnan(out[[1, 3]]).all()
    np.testing.assert_allclose(out[[0, 2]], smooth(np.array([2.0, 4.0]), 0.5))
    for weight in (-0.1, 1.0):
        with pytest.raises(DataError, match=r'\[0, 1\)'):
            smooth(x, weight)


def test_curves_average_the_runs_smoothed_curves():
    a = [{'epoch': e, 'train_loss': v, 'validation_loss': 1.0} for e, v in enumerate((3.0, 1.0), 1)]
    b = [{'epoch': e, 'train_loss': v, 'validation_loss': v} for e, v in enumerate((5.0, None), 1)]
    found = curves([a, b], 0.5)
    assert found['epochs'] == [1, 2]
    assert found['train_loss'] == {
        'raw': [4.0, None], 'smoothed': [4.0, None], 'band': [pytest.approx(2**0.5), None]
    }  # fmt: skip
    alone = curves([a], 0.5)['train_loss']
    assert alone['raw'] == [3.0, 1.0]
    assert alone['smoothed'] == pytest.approx([3.0, (3 * 0.25 + 0.5) / 0.75])
    assert alone['band'] == [0.0, 0.0]


def test_spread_is_the_samples():
    assert spread([0.5, 0.7, 0.9]) == {
        'mean': pytest.approx(0.7),
        'standard_deviation': pytest.approx(0.2),
        'values': [0.5, 0.7, 0.9],
    }
    assert spread([3.0])['standard_deviation'] is None


def test_scores_are_scikit_learns():
    y, p = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 2, 1, 0])
    found = score(table(y, p, ['a', 'a', 'a', 'b', 'c', 'c']))
    options = {'labels': [0, 1], 'zero_division': 0}
    assert found['accuracy'] == found['weighted_recall'] == pytest.approx(0.5)
    assert found['macro_recall'] == pytest.approx(balanced_accuracy_score(y, p)) == pytest.approx(0.5)
    assert found['macro_precision'] == pytest.approx(precision_score(y, p, average='macro', **options))
    assert found['weighted_precision'] == pytest.approx(precision_score(y, p, average='weighted', **options))
    assert found['macro_f1'] == pytest.approx(f1_score(y, p, average='macro', **options))
    assert found['weighted_f1'] == pytest.approx(f1_score(y, p, average='weighted', **options))
    assert found['macro_precision'] != pytest.approx(found['weighted_precision'])
    # a: two of three for class 0, right; b: wrong; c: one each, equal means, the first class wins: wrong.
    assert found['recording_vote_accuracy'] == pytest.approx(1 / 3)
    assert found['confusion_matrix'] == [[2, 1, 1], [1, 1, 0], [0, 0, 0]]


def test_differences_are_paired_and_their_interval_is_over_recordings():
    labels, ids = [0, 0, 1, 1], ['a', 'a', 'b', 'b']
    good, poor = table(labels, [0, 0, 1, 1], ids), table(labels, [0, 1, 1, 1], ids)
    (row,) = differences({'good': [good, good], 'poor': [poor, good]})
    # Over two seeds one window of eight is won, in recording a: draws of two recordings hold it 0, 1 or 2 times.
    assert (row['first'], row['second'], row['recordings']) == ('good', 'poor', 2)
    assert row['difference'] == pytest.approx(1 / 8)
    assert row['interval'] == pytest.approx([0.0, 1 / 4])
    (same,) = differences({'x': [poor], 'y': [poor]})
    assert (same['difference'], same['interval']) == (0.0, [0.0, 0.0])
    (less,) = differences({'x': [poor], 'y': [good]})
    assert less['difference'] == pytest.approx(-1 / 4)


def test_differences_refuse_other_windows():
    with pytest.raises(DataError, match='different windows'):
        differences({'x': [table([0, 1], [0, 1])], 'y': [table([0, 1], [0, 1], ['r0', 'other'])]})


def test_votes_count_seeds_and_put_mistakes_first():
    ids = ['a', 'a', 'a', 'b']
    right, wrong = table([0, 0, 0, 1], [0, 0, 2, 1], ids), table([0, 0, 0, 1], [0, 0, 0, 2], ids)
    rows = votes({'x': [right, wrong], 'y': [wrong]})
    assert [row['recording'] for row in rows] == ['b', 'a']
    assert rows[0]['label'] == 'inner_race'
    assert rows[0]['strategies']['x'] == {'verdicts': {'inner_race': 1, 'outer_race': 1}, 'right': 1, 'seeds': 2}
    assert rows[0]['strategies']['y'] == {'verdicts': {'outer_race': 1}, 'right': 0, 'seeds': 1}
    assert rows[1]['strategies']['x'] == {'verdicts': {'normal': 2}, 'right': 2, 'seeds': 2}
