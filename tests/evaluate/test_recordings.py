"""What the windows say of recordings: votes, means, thresholds, and the worst mistakes."""

import numpy as np
import pytest

from fdx.evaluate.recordings import confident_mistakes, per_recording
from fdx.predict.votes import vote
from fdx.types import DataError
from tests.evaluate.prediction_tables import make, two


def test_vote_counts_and_breaks_ties_by_mean_probability():
    mean, by_mean, by_vote, agreement = vote(np.array([[0.6, 0.4, 0.0], [0.6, 0.4, 0.0], [0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(mean, [0.4, 0.6, 0.0])
    assert (by_mean, by_vote) == (1, 0)
    assert agreement == pytest.approx(2 / 3)
    # One vote each for 0 and 1: class 1 has the larger mean (0.55 against 0.35).
    assert vote(np.array([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]))[1:] == (1, 1, 0.5)
    # Class 2 has the largest mean, but no vote: a tie goes to the better of those that were voted for.
    assert vote(np.array([[0.52, 0.0, 0.48], [0.0, 0.53, 0.47]]))[1:] == (2, 1, 0.5)
    assert vote(np.array([[0.5, 0.02, 0.48], [0.02, 0.5, 0.48]]))[1:3] == (2, 0)


def test_per_recording():
    table = per_recording(make())
    assert [row['recording'] for row in table] == ['r1', 'r2', 'r3']
    first = table[0]
    assert first['windows'] == 2
    assert first['label'] == 'normal'
    assert first['predicted_mean'] == first['predicted_vote'] == 'inner_race'
    assert first['agreement'] == 0.5
    assert first['mean_probability'] == pytest.approx({'normal': 0.35, 'inner_race': 0.55, 'ball': 0.1})
    assert table[2]['predicted_mean'] == 'normal'


def test_folds_that_score_the_same_windows_do_not_vote_together():
    table = per_recording(
        make(recordings=['r1', 'r1', 'r1', 'r1'], window_starts=np.array([0, 100, 0, 100]), labels=np.zeros(4, int))
    )
    assert [(row['recording'], row['windows'], row['predicted_mean']) for row in table] == [
        ('r1', 2, 'inner_race'),
        ('r1', 2, 'ball'),
    ]
    apart = per_recording(
        make(recordings=['r1'] * 4, window_starts=np.array([0, 100, 200, 300]), labels=np.zeros(4, int))
    )
    assert [(row['recording'], row['windows']) for row in apart] == [('r1', 4)]


def test_per_recording_refuses_two_labels():
    with pytest.raises(DataError, match="r1 has windows of several labels: .*'normal', 'ball'"):
        per_recording(make(labels=np.array([0, 2, 2, 1])))


def test_confident_mistakes():
    mistakes = confident_mistakes(make())
    assert [(row['recording'], row['window_start']) for row in mistakes] == [('r1', 100), ('r3', 0)]
    assert mistakes[0]['probability'] == pytest.approx(0.8)
    assert mistakes[0]['label_probability'] == pytest.approx(0.1)
    assert (mistakes[1]['label'], mistakes[1]['predicted'], mistakes[1]['fold']) == ('inner_race', 'normal', 1)
    assert len(confident_mistakes(make(), limit=1)) == 1


def test_votes_and_means_go_by_the_threshold():
    windows = np.array([[0.9, 0.1], [0.7, 0.3], [0.65, 0.35]])
    assert vote(windows)[1:] == (0, 0, 1.0)
    # Two windows of three reach 0.3, the mean 0.25 does not.
    mean, by_mean, by_vote, agreement = vote(windows, 0.3)
    np.testing.assert_allclose(mean, [0.75, 0.25])
    assert (by_mean, by_vote) == (0, 1)
    assert agreement == pytest.approx(2 / 3)
    assert vote(windows, 0.2)[1:3] == (1, 1)
    # One vote each: what the mean says by the threshold, though class 0 is the more probable.
    assert vote(np.array([[0.9, 0.1], [0.6, 0.4]]), 0.25)[1:] == (1, 1, 0.5)
    assert vote(np.array([[0.9, 0.1], [0.6, 0.4]]), 0.3)[1:] == (0, 0, 0.5)


def test_recordings_are_diagnosed_by_their_threshold():
    plain, low = two(), two(thresholds=np.full(4, 0.15))
    assert [row['predicted_mean'] for row in per_recording(plain)] == ['normal', 'failure', 'failure']
    # r1 has the mean 0.2, and one of its two windows reaches 0.15.
    assert [row['predicted_mean'] for row in per_recording(low)] == ['failure', 'failure', 'failure']
    assert [row['predicted_vote'] for row in per_recording(low)] == ['failure', 'failure', 'failure']
    assert per_recording(low)[0]['agreement'] == 0.5
    assert [row['mean_probability'] for row in per_recording(low)] == [
        row['mean_probability'] for row in per_recording(plain)
    ]


def test_mistakes_are_those_of_the_threshold():
    assert confident_mistakes(two()) == []
    mistakes = confident_mistakes(two(thresholds=np.full(4, 0.7)))
    assert [(row['recording'], row['label'], row['predicted']) for row in mistakes] == [('r2', 'failure', 'normal')]
    assert mistakes[0]['probability'] == pytest.approx(0.4)
    assert mistakes[0]['label_probability'] == pytest.approx(0.6)
