"""Scores of runs: which windows, which leak, what does not fit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.data.pipeline import RecordExamples
from fdx.data.source import Dataset, open_dataset
from fdx.evaluate import scored_rows
from fdx.evaluate.scoring import score_run
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.load import run_folders
from fdx.types import CheckpointError, DataError


def windows(scored) -> list[tuple[str, int]]:
    return list(zip(scored.predictions.recordings, scored.predictions.window_starts.tolist()))


def test_run_folders(run, two_folds, tmp_path):
    assert run_folders(run) == [run]
    assert run_folders(two_folds) == [two_folds / 'fold_1', two_folds / 'fold_3']
    with pytest.raises(CheckpointError, match='train first'):
        run_folders(tmp_path)


@pytest.mark.parametrize(('split', 'blocks'), [('train', {0, 1, 2}), ('validation', {3}), ('test', {4})])
def test_a_split_is_that_of_training(run, rig, split, blocks):
    scored = score_run(run, split=split)
    hop = rig.WINDOW + rig.GUARD
    assert {start for _, start in windows(scored)} == {block * hop for block in blocks}
    assert len(windows(scored)) == 6 * len(blocks) == len(set(windows(scored)))
    assert scored.leaks == (split == 'train')
    assert scored.leak_share == (1.0 if split == 'train' else 0.0)


def test_labels_and_probabilities_belong_to_their_windows(run, data_dir):
    scored = score_run(run)
    table = scored.predictions
    for recording, label in zip(table.recordings, table.labels):
        assert table.class_names[label] in recording
    assert table.domains == ['load0'] * 6
    data, predictor = open_dataset('bearing_rig/rig_b_small', data_dir), Predictor(run)
    for i in (0, 5):
        row = [
            r
            for r in range(len(data))
            if (data.table['recording'][r], data.table['window_start'][r]) == windows(scored)[i]
        ]
        expected = predictor.probabilities(RecordExamples(data, np.array(row), 'label'))
        np.testing.assert_allclose(table.probabilities[i], expected[0], rtol=1e-5)


def test_folds_are_pooled_each_with_its_own_checkpoint(two_folds, rig):
    scored = score_run(two_folds)
    hop = rig.WINDOW + rig.GUARD
    assert scored.predictions.folds.tolist() == [1] * 6 + [3] * 6
    # Fold f tests on block (4 + f) % 5.
    assert {s for _, s in windows(scored)[:6]} == {0}
    assert {s for _, s in windows(scored)[6:]} == {2 * hop}
    for fold, half in ((1, slice(0, 6)), (3, slice(6, 12))):
        alone = score_run(two_folds / f'fold_{fold}')
        np.testing.assert_allclose(scored.predictions.probabilities[half], alone.predictions.probabilities, rtol=1e-5)
    assert scored.leaks is False


def test_random_windows_leak(make_run):
    scored = score_run(make_run('random', protocol='random_windows', epochs=1))
    assert (scored.leaks, scored.leak_share) == (True, 1.0)
    assert 'random_windows' in scored.leak_reason


def test_another_dataset_leaks_only_by_recordings_that_were_trained_on(run, make_run, data_dir, monkeypatch):
    other = score_run(run, dataset='bearing_rig/rig_a_small', split='all')
    assert (len(other.predictions), other.leaks, other.leak_share) == (30, False, 0.0)
    assert len(score_run(run, dataset='bearing_rig/rig_a_small').predictions) == 6
    whole = score_run(run, split='all')
    assert (len(whole.predictions), whole.leaks, whole.leak_share) == (30, True, 1.0)
    assert whole.leak_reason == 'recordings of this dataset were trained on'
    left_out = tuple(f'rig_b-{state}-0457rpm-load0' for state in ('normal', 'inner_race', 'outer_race'))
    partly = make_run('partly', exclude_recordings=left_out, epochs=1)
    assert score_run(partly, split='all').leak_share == 0.5
    assert len(score_run(partly).predictions) == 3
    # The recordings that were left out are not there: no reason to refuse the other dataset.
    assert len(score_run(partly, dataset='bearing_rig/rig_a_small').predictions) == 6


def test_the_classes_of_another_dataset_are_matched_by_name(run, data_dir, monkeypatch):
    def reordered(name, folder):
        data = open_dataset(name, folder)
        number = {'outer_race': 0, 'normal': 1, 'inner_race': 2}
        names = data.class_names()
        labels = np.array([number[names[i]] for i in data.table['label']])
        data.table = dataclasses.replace(data.table, columns={**data.table.columns, 'label': labels})
        data.class_names = lambda label_key='label': list(number)
        return data

    expected = score_run(run).predictions
    monkeypatch.setattr(scored_rows, 'open_dataset', reordered)
    got = score_run(run).predictions
    assert got.class_names == expected.class_names
    np.testing.assert_array_equal(got.labels, expected.labels)


def test_unknown_classes_are_named(run, monkeypatch):
    monkeypatch.setattr(Dataset, 'class_names', lambda self, label_key='label': ['normal', 'cage', 'ball'])
    with pytest.raises(DataError, match='classes .*checkpoint .*: ball, cage$'):
        score_run(run)


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'split': 'tests'}, '`split`=tests: ... train, validation, test, all'),
        ({'dataset': 'bearing_rig/rig_b_small-vggish_train'}, 'front end vggish_train, ... checkpoint ... vggish'),
        ({'dataset': 'bearing_rig/medium'}, "'bearing_rig/medium' is not prepared"),
        ({'data_dir': 'elsewhere'}, 'name their folder with `data_dir`'),
    ],
)
def test_what_does_not_fit_is_refused(says, run, options, words):
    with pytest.raises(DataError) as caught:
        score_run(run, **options)
    assert says(str(caught.value), words)


def test_a_dataset_cut_anew_since_training_is_refused(run, monkeypatch):
    def cut_anew(name, folder):
        data = open_dataset(name, folder)
        data.metadata['hop_length'] //= 2
        return data

    monkeypatch.setattr(scored_rows, 'open_dataset', cut_anew)
    with pytest.raises(DataError, match='cut anew .*hop_length'):
        score_run(run)
