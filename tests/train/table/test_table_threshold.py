"""Runs on a table: decision thresholds from validation to score."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from fdx.data.pipeline import RecordExamples
from fdx.evaluate.scoring import score_run
from fdx.predict.backends.checkpoint import Predictor
from fdx.train import run as run_module
from fdx.train.checkpoints import Checkpoints
from fdx.train.decision import DecisionRule
from fdx.train.divergence import DivergedRunError
from fdx.train.run import train
from fdx.train.run_data import select_rows
from fdx.types import CheckpointError, ConfigError
from tests.train.table.table_numbers import meta_of, numbers


def test_the_threshold_is_chosen_on_validation_rows_and_kept(trained, data, config_of):
    workdir, result = trained(threshold='f_beta:2')
    rows = select_rows(config_of(), data)[0].validation
    labels = data.table['label'][rows]
    for row in result.history:
        predictor = Predictor(workdir, row['step'])
        p = predictor.probabilities(RecordExamples(data, rows, 'label', predictor.gain))
        chosen = DecisionRule('f_beta', 2).choose(p[:, 1], labels)
        assert row['threshold'] == pytest.approx(chosen, abs=1e-6)
        assert meta_of(workdir, row['step'])['threshold'] == row['threshold'] == predictor.threshold
    assert len({row['threshold'] for row in result.history}) == 2
    # Training and what validation says of an epoch are those of a run without it, but for the temperature.
    assert all(row['temperature'] == 1 for row in result.history) and predictor.temperature == 1
    found, plain = (
        [{k: v for k, v in row.items() if k not in ('threshold', 'temperature')} for row in numbers(history)]
        for history in (result.history, trained()[1].history)
    )
    assert found == plain
    assert meta_of(trained()[0])['threshold'] is None
    assert Predictor(trained()[0]).threshold is None


def test_evaluation_calls_by_the_threshold(trained):
    for changes in ({'threshold': 'f_beta:2'}, {'threshold': 'cost:0.2'}):
        workdir, _ = trained(**changes)
        found = score_run(workdir).predictions
        t = Predictor(workdir).threshold
        assert set(found.thresholds.tolist()) == {t}
        assert found.predicted.tolist() == (found.probabilities[:, 1] >= t).astype(int).tolist()
        assert found.predicted.tolist() != found.probabilities.argmax(axis=1).tolist()
    assert score_run(trained()[0]).predictions.thresholds is None


def test_folds_of_different_thresholds_pool_row_by_row(trained, tmp_path):
    folds = []
    for fold in (0, 1):
        workdir, _ = trained(fold=fold, threshold='cost:0.2')
        shutil.copytree(workdir, tmp_path / f'fold_{fold}')
        folds.append(score_run(workdir).predictions)
    pooled = score_run(tmp_path).predictions
    thresholds = [set(p.thresholds.tolist()) for p in folds]
    assert len(set.union(*thresholds)) == 2
    assert pooled.thresholds.tolist() == np.concatenate([p.thresholds for p in folds]).tolist()
    assert pooled.predicted.tolist() == np.concatenate([p.predicted for p in folds]).tolist()
    assert pooled.folds.tolist() == [0] * len(folds[0]) + [1] * len(folds[1])


def test_a_threshold_of_three_classes_is_refused_before_training(make_config, tmp_path):
    with pytest.raises(ConfigError, match='`threshold`=cost:3: .* 2 classes, .* 3: leave it out'):
        train(make_config(threshold='cost:3'), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()


def test_an_epoch_that_diverged_has_no_threshold(config_of, tmp_path, monkeypatch):
    monkeypatch.setattr(
        run_module, 'forward_all', lambda f, v, examples: np.full((len(examples), 2), np.nan, np.float32)
    )
    with pytest.raises(DivergedRunError, match=r'not finite in any of 1 epochs.*`learning_rate`'):
        train(config_of(threshold='f_beta:1', epochs=1), tmp_path / 'run')
    meta = Checkpoints(tmp_path / 'run').meta(Checkpoints(tmp_path / 'run').resolve('last'))
    assert 'threshold' not in meta['history'][0]
    assert meta['threshold'] is None
    assert meta['selection']['score'] is None
    with pytest.raises(CheckpointError, match='no best step'):
        Checkpoints(tmp_path / 'run').best_step()


def test_folds_that_share_cached_features_have_z_scores_of_their_own(config_of, tmp_path):
    """Rows of another fold's cache were standardised otherwise: they must not be taken for this one's."""
    caches = {}
    config = {'freeze': 'head', 'epochs': 1}
    for fold in (0, 1):
        shared = train(config_of(fold=fold, **config), tmp_path / f'shared_{fold}', caches=caches)
    alone = train(config_of(fold=1, cache_features='off', **config), tmp_path / 'alone')
    assert meta_of(tmp_path / 'alone')['frozen_stages'] == 1
    for row, wanted in zip(numbers(shared.history), numbers(alone.history), strict=True):
        assert row == pytest.approx(wanted, rel=1e-4)


def test_the_workdir_is_enough_to_predict(trained, data, tmp_path, monkeypatch):
    """Law 5: no dataset, no flags; patches of a front end go in as they were read."""
    workdir, _ = trained(threshold='f_beta:2')
    scored = score_run(workdir)
    rows = scored.examples[0].rows
    moved = shutil.copytree(workdir, tmp_path / 'moved')
    monkeypatch.setattr('fdx.data.source.open_dataset', lambda *a: pytest.fail('opened a dataset'))
    predictor = Predictor(moved)
    found = predictor.patch_probabilities(data.values[rows])
    np.testing.assert_array_equal(found, scored.predictions.probabilities)
