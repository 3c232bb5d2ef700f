"""An evaluation's folder: what is written, and that it agrees with itself."""

from __future__ import annotations

import json
import types

import numpy as np
import pytest

from fdx.data.dataset import PreparedDataset
from fdx.evaluate import data_figures
from fdx.evaluate import evaluate as evaluate_module
from fdx.evaluate.evaluate import evaluate
from fdx.evaluate.metrics import summarise
from fdx.evaluate.predictions import load_predictions
from fdx.evaluate.scoring import score_run
from fdx.types import DataError


@pytest.fixture(scope='module')
def folder(two_folds, tmp_path_factory):
    """(folder, results) of two pooled folds, every figure drawn."""
    out = tmp_path_factory.mktemp('evaluation')
    return out, evaluate(two_folds, out)


def test_what_is_returned_is_what_was_written(folder):
    out, results = folder
    assert json.loads((out / 'results.json').read_text()) == json.loads(json.dumps(results))
    assert {p.suffix for p in out.iterdir()} == {'.json', '.npz', '.png', '.html'}
    assert not [p for p in out.iterdir() if p.name.startswith('.')]


def test_numbers_are_those_of_the_saved_predictions(folder, two_folds):
    out, results = folder
    saved = load_predictions(out / 'predictions.npz')
    for name, value in summarise(saved).items():
        assert results[name] == value, name
    np.testing.assert_array_equal(saved.probabilities, score_run(two_folds).predictions.probabilities)


def test_the_origin_of_the_numbers_is_kept(folder, rig):
    results = folder[1]
    assert results['folds'] == [1, 3]
    assert results['front_end']['name'] == 'vggish_train'
    assert results['train_windows'] == [18, 18]
    assert results['guard_length'] == rig.GUARD
    assert (results['left_out_windows'], results['wild_samples']) == ({}, 0)
    assert results['versions']['jax'].count('.') == 2
    assert results['init'] == 'random'
    assert results['norms'] == {'trained': 0, 'frozen': 0}
    assert results['train_seconds'] > 0


def test_the_report_tells_guard_pooling_and_recordings(folder):
    page = (folder[0] / 'report.html').read_text()
    assert 'Blocks of a recording are 0.1 s apart' in page
    assert 'Predictions of 2 folds are pooled' in page
    assert 'the network has none' in page  # batch norms
    assert 'Scored windows do not overlap each other' in page
    for speed in (457, 997):
        assert f'rig_b-outer_race-0{speed}rpm-load0' in page
    # Nine figures, and the spectrograms of the five worst recordings.
    assert page.count('data:image/png;base64,') == 14


def test_few_windows_are_embedded_of_many(run, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(data_figures, 'MAX_EMBEDDED', 4)
    monkeypatch.setattr(data_figures, 'plot_embedding', lambda e, *rest: seen.append(len(e)))
    monkeypatch.setattr(evaluate_module, 'save_png', lambda figure, path: None)
    monkeypatch.setattr(evaluate_module, 'write_report', lambda path, context: None)
    evaluate(run, tmp_path)
    assert seen == [4]


def test_a_failure_writes_nothing(run, tmp_path):
    with pytest.raises(DataError, match='`split`=none'):
        evaluate(run, tmp_path / 'out', split='none')
    assert not (tmp_path / 'out').exists()


def test_the_report_says_what_was_left_out_of_the_dataset():
    examples = types.SimpleNamespace(dataset=PreparedDataset())
    scored = types.SimpleNamespace(leaks=False, predictors=[None], examples=[examples])
    results = {
        'split_notes': [],
        'protocol': 'by_recording',
        'left_out_windows': {'dead': 3, 'lost_time': 1},
        'wild_samples': 7,
    }
    notes = evaluate_module._notes(scored, results)
    assert notes[0] == (
        'Windows of the dataset that could not be used were left out when it was prepared: 3 dead, 1 lost_time.'
    )
    assert notes[1] == '7 wild samples of its recordings were replaced.'
    quiet = evaluate_module._notes(scored, {**results, 'left_out_windows': {}, 'wild_samples': 0})
    assert len(quiet) == len(notes) - 2
