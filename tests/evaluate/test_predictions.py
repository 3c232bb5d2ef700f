import numpy as np
import pytest

from fdx.evaluate.predictions import (
    Predictions,
    concatenate,
    confident_mistakes,
    load_predictions,
    per_recording,
    save_predictions,
    vote,
)
from fdx.types import DataError

PROBABILITIES = [[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.5, 0.4, 0.1]]


def make(**changes):
    fields = {
        'probabilities': np.array(PROBABILITIES),
        'labels': np.array([0, 0, 2, 1]),
        'recordings': ['r1', 'r1', 'r2', 'r3'],
        'window_starts': np.array([0, 100, 0, 0]),
        'class_names': ['normal', 'inner_race', 'ball'],
        'folds': np.array([0, 0, 1, 1]),
        'domains': ['0hp', '0hp', '1hp', '1hp'],
    }
    return Predictions(**{**fields, **changes})


def test_types_and_predicted():
    p = make()
    assert p.probabilities.dtype == np.float32
    assert p.labels.dtype == p.window_starts.dtype == p.folds.dtype == np.int64
    assert p.predicted.tolist() == [0, 1, 2, 0]
    assert len(p) == 4


@pytest.mark.parametrize(
    'changes, message',
    [
        ({'probabilities': np.ones((4, 2)) / 2}, r'shape \(4, 2\), expected \[N, 3\]'),
        ({'probabilities': np.array(PROBABILITIES) * 2}, '4 rows of probabilities are not distributions, first row 0'),
        ({'probabilities': np.array([*PROBABILITIES[:3], [np.nan, 0.5, 0.5]])}, '1 rows .* first row 3'),
        ({'probabilities': np.array([*PROBABILITIES[:3], [1.5, -0.5, 0.0]])}, '1 rows .* first row 3'),
        ({'labels': np.array([0, 0, 3, 1])}, r'labels lie in \[0, 3\].*allow \[0, 2\]'),
        ({'labels': np.array([0, 0, -1, 1])}, r'labels lie in \[-1, 1\]'),
        ({'labels': np.array([0.0, 0, 1, 1])}, 'labels must be integers'),
        ({'folds': np.array([0, 1])}, r'folds must be integers of shape \(4,\)'),
        ({'window_starts': np.zeros((4, 1), int)}, 'window_starts must be'),
        ({'recordings': ['r1']}, 'recordings has 1 entries for 4 windows'),
        ({'domains': ['a']}, 'domains has 1 entries'),
        ({'class_names': ['a', 'a', 'b']}, 'distinct'),
        ({'probabilities': np.zeros((0, 3))}, 'no scored windows'),
    ],
)
def test_bad_tables_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        make(**changes)


def test_concatenate_pools_in_order():
    a, b = make(), make(folds=np.array([2, 2, 3, 3]), recordings=['r4', 'r4', 'r5', 'r6'])
    pooled = concatenate([a, b])
    assert pooled.folds.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert pooled.recordings == ['r1', 'r1', 'r2', 'r3', 'r4', 'r4', 'r5', 'r6']
    assert pooled.probabilities.shape == (8, 3)
    assert pooled.domains == a.domains + b.domains
    assert concatenate([a, make(folds=b.folds, domains=None)]).domains is None


def test_concatenate_refuses_what_does_not_belong_together():
    with pytest.raises(DataError, match='part 1 was scored over classes'):
        concatenate([make(), make(class_names=['normal', 'ball', 'inner_race'])])
    with pytest.raises(DataError, match='fold 0 holds the window at sample 0 of r1 twice'):
        concatenate([make(), make()])
    with pytest.raises(DataError, match='no predictions to pool'):
        concatenate([])


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


@pytest.mark.parametrize('domains', [None, ['0hp', 'ä', '1hp', '']])
def test_save_and_load(tmp_path, domains):
    p = make(domains=domains)
    save_predictions(tmp_path / 'p.npz', p)
    q = load_predictions(tmp_path / 'p.npz')
    for name in ('probabilities', 'labels', 'window_starts', 'folds'):
        np.testing.assert_array_equal(getattr(p, name), getattr(q, name))
    assert (q.recordings, q.class_names, q.domains) == (p.recordings, p.class_names, domains)


def test_load_names_a_bad_file(tmp_path):
    with pytest.raises(DataError, match='nowhere.npz'):
        load_predictions(tmp_path / 'nowhere.npz')
    (tmp_path / 'text.npz').write_text('hello')
    with pytest.raises(DataError, match='text.npz'):
        load_predictions(tmp_path / 'text.npz')
    np.savez(tmp_path / 'other.npz', labels=np.zeros(2))
    with pytest.raises(DataError, match=r"other.npz lacks the columns \['probabilities'"):
        load_predictions(tmp_path / 'other.npz')
    np.save(tmp_path / 'plain.npy', np.zeros(2))
    with pytest.raises(DataError, match='plain.npy'):
        load_predictions(tmp_path / 'plain.npy')
    save_predictions(tmp_path / 'cut.npz', make())
    whole = (tmp_path / 'cut.npz').read_bytes()
    (tmp_path / 'cut.npz').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match='cut.npz'):
        load_predictions(tmp_path / 'cut.npz')


TWO_CLASSES = [[0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.2, 0.8]]


def two(**changes):
    """Windows of two classes, of one recording each but the first two."""
    fields = {'probabilities': np.array(TWO_CLASSES), 'labels': np.array([0, 0, 1, 1])}
    return make(**{**fields, 'class_names': ['normal', 'failure'], **changes})


def test_thresholds_decide_row_by_row():
    assert two().predicted.tolist() == [0, 0, 1, 1]
    assert two(thresholds=np.full(4, 0.25)).predicted.tolist() == [0, 1, 1, 1]
    p = two(thresholds=[0.05, 0.9, 0.7, 0.5])
    assert p.thresholds.dtype == np.float64
    assert p.predicted.tolist() == [1, 0, 0, 1]
    assert p.predicted.dtype == np.int64
    # A row at its threshold is called.
    exact = two(probabilities=np.array([[0.75, 0.25]] * 4), thresholds=np.full(4, 0.25))
    assert exact.predicted.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ('thresholds', 'classes'),
    [(np.full(3, 0.5), 2), (0.5, 2), ([0.5, 0.5, 0.5, 0.0], 2), ([0.5, 1.0, 0.5, 0.5], 2), ([np.nan] * 4, 2)]
    + [(np.full(4, 0.5), 3)],
)
def test_thresholds_that_do_not_fit_are_refused(thresholds, classes):
    with pytest.raises(DataError, match='thresholds are for two classes and lie between 0 and 1, one a row'):
        (two if classes == 2 else make)(thresholds=thresholds)


def test_folds_keep_their_thresholds():
    later = {'folds': np.array([2, 2, 3, 3]), 'recordings': ['r4', 'r4', 'r5', 'r6']}
    a, b = two(thresholds=np.full(4, 0.25)), two(thresholds=np.full(4, 0.7), **later)
    pooled = concatenate([a, b])
    assert pooled.thresholds.tolist() == [0.25] * 4 + [0.7] * 4
    assert pooled.predicted.tolist() == [*a.predicted, *b.predicted] == [0, 1, 1, 1, 0, 0, 0, 1]
    assert concatenate([two(), two(**later)]).thresholds is None
    for parts in ([a, two(**later)], [two(), b]):
        with pytest.raises(DataError, match='some of the folds have a decision threshold and some none'):
            concatenate(parts)


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


def test_thresholds_are_saved_with_the_table(tmp_path):
    save_predictions(tmp_path / 'p.npz', two(thresholds=[0.1, 0.2, 1 / 3, 0.4]))
    found = load_predictions(tmp_path / 'p.npz')
    assert found.thresholds.tolist() == [0.1, 0.2, 1 / 3, 0.4]
    save_predictions(tmp_path / 'p.npz', two())
    assert load_predictions(tmp_path / 'p.npz').thresholds is None
