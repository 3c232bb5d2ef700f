"""The worst recordings: wrong ones by how sure they are, then right ones by their margin."""

from __future__ import annotations

import numpy as np

from fdx.evaluate.predictions import Predictions
from fdx.evaluate.recordings import per_recording
from fdx.evaluate.worst_recordings import recording_confusion, worst_recordings
from tests.evaluate.person_tables import NAMES, called
from tests.evaluate.prediction_tables import make, two

WINDOWS = {
    'sure_and_wrong': (0, [[0.1, 0.9, 0.0], [0.0, 1.0, 0.0]]),
    'unsure_and_wrong': (0, [[0.3, 0.3, 0.4], [0.3, 0.2, 0.5]]),
    'barely_right': (1, [[0.4, 0.6, 0.0], [0.5, 0.45, 0.05]]),
    'right': (2, [[0.1, 0.1, 0.8]]),
    'surely_right': (2, [[0.0, 0.0, 1.0]]),
    'most_surely_right': (1, [[0.0, 1.0, 0.0]]),
}


def table(of_recording=WINDOWS, folds=None) -> Predictions:
    rows = [(name, label, p) for name, (label, windows) in of_recording.items() for p in windows]
    return Predictions(
        np.array([p for *_, p in rows]),
        np.array([label for _, label, _ in rows]),
        [name for name, *_ in rows],
        np.arange(len(rows)),
        list(NAMES),
        np.zeros(len(rows), int) if folds is None else np.array(folds),
    )


def worst(predictions: Predictions, **options) -> list[dict]:
    return worst_recordings(predictions, per_recording(predictions), **options)


def test_order_and_numbers():
    found = worst(table())
    names = ['sure_and_wrong', 'unsure_and_wrong', 'barely_right', 'right', 'most_surely_right']
    assert [row['recording'] for row in found] == names
    assert [row['right'] for row in found] == [False, False, True, True, True]
    first, third = found[0], found[2]
    assert (first['label'], first['predicted'], first['windows']) == ('normal', 'inner_race', 2)
    np.testing.assert_allclose([first['probability'], first['label_probability']], [0.95, 0.05], atol=1e-6)
    np.testing.assert_allclose([third['probability'], third['margin']], [0.525, 0.075], atol=1e-6)


def test_the_window_that_is_shown():
    # The surer of the wrong windows; of right ones the one that speaks least for it, even if it is wrong.
    assert [row['row'] for row in worst(table(), limit=3)] == [1, 3, 5]


def test_fewer_recordings_than_asked_for():
    one = worst(called({('ball', 'ball'): 1}))
    assert [(row['recording'], row['right']) for row in one] == [('ball_0', True)]
    wrong = worst(called({('ball', 'normal'): 2, ('normal', 'ball'): 1}))
    assert [row['right'] for row in wrong] == [False] * 3


def test_a_recording_that_several_folds_diagnose_appears_once_with_its_worst_diagnosis():
    predictions = make(
        probabilities=np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]]),
        labels=np.zeros(3, int), recordings=['r', 'r', 'r2'], window_starts=np.zeros(3, int),
        folds=np.array([0, 1, 0]), domains=None,
    )  # fmt: skip
    found = worst(predictions)
    assert [(row['recording'], row['right'], row['row']) for row in found] == [('r', False, 1), ('r2', True, 2)]


def test_verdicts_are_those_of_the_threshold():
    found = worst(two(thresholds=np.full(4, 0.7)))
    assert (found[0]['recording'], found[0]['predicted'], found[0]['right']) == ('r2', 'normal', False)
    np.testing.assert_allclose(found[0]['margin'], -0.2, atol=1e-6)


def test_confusion_has_one_vote_per_recording():
    pairs = {('normal', 'normal'): 4, ('inner_race', 'normal'): 2}
    predictions = called(pairs, windows=3)
    assert recording_confusion(per_recording(predictions), NAMES) == [[4, 0, 0], [2, 0, 0], [0, 0, 0]]
