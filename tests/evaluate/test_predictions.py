"""The table of scored windows: what it refuses, pools and keeps."""

import numpy as np
import pytest

from fdx.evaluate.predictions import concatenate, load_predictions, save_predictions
from fdx.types import DataError
from tests.evaluate.prediction_tables import PROBABILITIES, make, two


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
        ({'probabilities': np.array(PROBABILITIES) * 2}, '4 rows of probabilities .*first row 0'),
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
    with pytest.raises(DataError, match='fold 0 .*sample 0 .*r1 .*twice'):
        concatenate([make(), make()])
    with pytest.raises(DataError, match='no predictions to pool'):
        concatenate([])


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
    with pytest.raises(DataError, match='thresholds .*two classes .*0 and 1'):
        (two if classes == 2 else make)(thresholds=thresholds)


def test_folds_keep_their_thresholds():
    later = {'folds': np.array([2, 2, 3, 3]), 'recordings': ['r4', 'r4', 'r5', 'r6']}
    a, b = two(thresholds=np.full(4, 0.25)), two(thresholds=np.full(4, 0.7), **later)
    pooled = concatenate([a, b])
    assert pooled.thresholds.tolist() == [0.25] * 4 + [0.7] * 4
    assert pooled.predicted.tolist() == [*a.predicted, *b.predicted] == [0, 1, 1, 1, 0, 0, 0, 1]
    assert concatenate([two(), two(**later)]).thresholds is None
    for parts in ([a, two(**later)], [two(), b]):
        with pytest.raises(DataError, match='some folds .*threshold and some'):
            concatenate(parts)


def test_thresholds_are_saved_with_the_table(tmp_path):
    save_predictions(tmp_path / 'p.npz', two(thresholds=[0.1, 0.2, 1 / 3, 0.4]))
    found = load_predictions(tmp_path / 'p.npz')
    assert found.thresholds.tolist() == [0.1, 0.2, 1 / 3, 0.4]
    save_predictions(tmp_path / 'p.npz', two())
    assert load_predictions(tmp_path / 'p.npz').thresholds is None
