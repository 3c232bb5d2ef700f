"""Runs on a table of readings: z-scores, synthetic rows, weights, early stopping and thresholds, from data to score."""

from __future__ import annotations

import json
import shutil

import jax
import numpy as np
import pytest

from fdx.data.pipeline import ArrayExamples, RecordExamples
from fdx.data.source import open_dataset
from fdx.evaluate.predictor import Predictor
from fdx.evaluate.scoring import score_run
from fdx.train import run as run_module
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.decision import DecisionRule
from fdx.train.model_setup import set_up_model
from fdx.train.run import train
from fdx.train.run_data import balanced, load_data, select_rows, with_cached_features
from fdx.types import CheckpointError, ConfigError
from launch.prepare_on_demand import prepare_if_missing

NAMES = ['normal', 'failure']
SETTINGS = {
    'dataset': 'motor_maintenance/small',
    'protocol': 'stratified',
    'model': 'mlp',
    'dropout_rate': 0.0,
    'epochs': 2,
    'batch_size': 61,
    'learning_rate': 1e-2,
    'halve_every': 0,
    'seed': 2,
}
# So high a rate that validation gets worse again soon.
RESTLESS = {'learning_rate': 0.1, 'patience': 3, 'epochs': 40, 'save_every': 40}


@pytest.fixture(scope='module')
def table_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp('table')
    prepare_if_missing(SETTINGS['dataset'], str(folder), None)
    return folder


@pytest.fixture(scope='module')
def data(table_dir):
    return open_dataset(SETTINGS['dataset'], table_dir)


@pytest.fixture(scope='module')
def config_of(table_dir):
    return lambda **changes: TrainConfig(**{'data_dir': str(table_dir), **SETTINGS, **changes})


@pytest.fixture(scope='module')
def trained(config_of, tmp_path_factory):
    """trained(**changes) -> (workdir, RunResult) of a run; the same one for the same settings."""
    runs = {}

    def make(**changes):
        key = str(sorted(changes.items()))
        if key not in runs:
            workdir = tmp_path_factory.mktemp('run')
            runs[key] = workdir, train(config_of(**changes), workdir)
        return runs[key]

    return make


def numbers(history):
    return [{k: v for k, v in row.items() if k != 'seconds'} for row in history]


def meta_of(workdir, step='best'):
    checkpoints = Checkpoints(workdir)
    return checkpoints.meta(checkpoints.resolve(step))


def z_scores(data, rows, train_rows):
    """float32 [N, C] by NumPy alone."""
    wide = data.values.astype(np.float64)
    mean, deviation = wide[train_rows].mean(axis=0), wide[train_rows].std(axis=0)
    return ((wide[rows] - mean) / deviation).astype(np.float32)


def test_z_scores_are_fitted_on_the_training_rows_and_stored(trained, data, config_of):
    workdir, _ = trained()
    meta = meta_of(workdir)
    rows = data.values[select_rows(config_of(), data)[0].train].astype(np.float64)
    assert len(rows) == meta['splits']['train'] == 901
    assert meta['gain'] == [rows.mean(axis=0).tolist(), rows.std(axis=0).tolist()]
    assert Predictor(workdir).gain == tuple(map(tuple, meta['gain']))
    assert meta['front_end']['columns'] == list(data.columns)
    assert meta['balance']['synthetic'] == 0
    counts = np.bincount(data.table['label'][select_rows(config_of(), data)[0].train])
    assert meta['balance']['real'] == dict(zip(NAMES, counts.tolist()))


def test_values_of_other_rows_do_not_move_the_z_scores(config_of, table_dir):
    data = open_dataset(SETTINGS['dataset'], table_dir)
    splits, before = select_rows(config_of(), data)
    data.table['peak'][np.r_[splits.validation, splits.test]] *= 1000
    assert select_rows(config_of(), data)[1] == before
    data.table['peak'][splits.train[5]] *= 1000
    assert select_rows(config_of(), data)[1] != before


def test_fewer_labels_are_the_rows_that_z_scores_see(config_of, data):
    splits, gain = select_rows(config_of(labels_per_class=20), data)
    assert len(splits.train) == 40
    assert gain[0] == tuple(data.values[splits.train].astype(np.float64).mean(axis=0).tolist())


@pytest.mark.parametrize('balance', ['none', 'smote'])
def test_every_input_of_validation_is_a_row_of_the_table(config_of, data, balance):
    config = config_of(balance=balance)
    loaded = load_data(config, data)
    rows = {name: getattr(loaded.splits, name) for name in ('train', 'validation')}
    setup = set_up_model(config, 2, data.input_shape)
    arrays, start = with_cached_features(config, setup, loaded, {}, lambda x, **_: x)
    got, _, meta = balanced(config, arrays, NAMES)
    assert start == 0
    real = {name: z_scores(data, r, rows['train']) for name, r in rows.items()}
    assert got.validation.inputs.tobytes() == real['validation'].tobytes()
    assert got.validation.targets.tolist() == data.table['label'][rows['validation']].tolist()
    n = len(rows['train'])
    assert got.train.inputs[:n].tobytes() == real['train'].tobytes()
    assert got.train.targets[:n].tolist() == data.table['label'][rows['train']].tolist()
    counts = np.bincount(data.table['label'][rows['train']])
    added = counts.max() - counts.min() if balance == 'smote' else 0
    assert (len(got.train) - n, meta['synthetic']) == (added, added)
    assert set(got.train.targets[n:].tolist()) == ({int(counts.argmin())} if added else set())
    # Arrays are what fetching rows one by one gives.
    one_by_one = [loaded.train[i]['inputs'] for i in range(0, n, 50)]
    np.testing.assert_array_equal(one_by_one, arrays.train.inputs[::50])


def test_a_smote_run_trains_on_synthetic_rows_and_is_scored_on_real_ones(trained, data, config_of):
    workdir, result = trained(balance='smote')
    splits, _ = select_rows(config_of(), data)
    often = max(np.bincount(data.table['label'][splits.train]))
    assert result.history[0]['step'] == -(-2 * often // SETTINGS['batch_size'])
    assert trained()[1].history[0]['step'] == -(-len(splits.train) // SETTINGS['batch_size'])
    meta = meta_of(workdir)
    assert meta['balance']['synthetic'] == 2 * often - len(splits.train)
    assert meta['splits'] == {name: len(getattr(splits, name)) for name in ('train', 'validation', 'test')}
    for split in ('validation', 'test', 'train'):
        scored = score_run(workdir, split=split)
        rows = getattr(splits, split)
        assert scored.examples[0].rows.tolist() == rows.tolist()
        assert scored.predictions.recordings == [f'{r}.0' for r in data.table['recording'][rows]]
        assert scored.predictions.labels.tolist() == data.table['label'][rows].tolist()
        examples = ArrayExamples(z_scores(data, rows, splits.train), np.zeros(len(rows), np.int32))
        expected = Predictor(workdir).probabilities(examples)
        np.testing.assert_array_equal(scored.predictions.probabilities, expected)
        assert scored.leaks == (split == 'train')


def test_class_weights_reach_the_loss_of_training_and_not_that_of_validation(
    trained, data, config_of, monkeypatch, tmp_path
):
    workdir, result = trained(balance='class_weight')
    train_labels = data.table['label'][select_rows(config_of(), data)[0].train]
    counts = np.bincount(train_labels)
    weights = meta_of(workdir)['balance']['weights']
    assert weights == pytest.approx((len(train_labels) / (2 * counts)).tolist())
    plain = trained()[1].history
    assert result.history[0]['step'] == plain[0]['step']
    assert result.history[0]['train_loss'] != pytest.approx(plain[0]['train_loss'], rel=1e-3)
    # Weights of 1 are the run without them, number by number.
    monkeypatch.setattr(run_module, 'balanced', lambda c, d, names: (d, (1.0, 1.0), {}))
    ones = train(config_of(balance='class_weight'), tmp_path / 'ones').history
    for row, wanted in zip(numbers(ones), numbers(plain), strict=True):
        assert row == pytest.approx(wanted, rel=1e-6)
    # Failures are the rarer class: weighted, more of them are called, while the validation loss is unweighted.
    labels = score_run(workdir, split='validation').predictions.labels
    called = [score_run(w, split='validation').predictions for w in (workdir, trained()[0])]
    assert (called[0].predicted == 1).sum() > (called[1].predicted == 1).sum()
    p = called[0].probabilities[np.arange(len(labels)), labels]
    assert -np.log(p).mean() == pytest.approx(min(r['validation_loss'] for r in result.history), rel=1e-4)


def test_weights_and_padding_on_four_devices(trained, config_of, start_program, tmp_path):
    """Batches of 61 rows are padded to 64, the last one of an epoch holds 47."""
    spec = {'config': config_of(balance='class_weight').to_json(), 'workdir': str(tmp_path / 'run')}
    process = start_program({**spec, 'output': str(tmp_path / 'out.json')}, devices=4)
    log, _ = process.communicate(timeout=240)
    assert process.returncode == 0, log
    four = json.loads((tmp_path / 'out.json').read_text())
    assert four['devices'] == 4
    for row, wanted in zip(numbers(four['history']), numbers(trained(balance='class_weight')[1].history), strict=True):
        assert row == pytest.approx(wanted, rel=1e-4)


def test_patience_stops_and_the_best_epoch_can_be_restored(trained, data, config_of):
    workdir, result = trained(**RESTLESS)
    losses = [row['validation_loss'] for row in result.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 40
    assert best > 0
    assert result.best_step == Checkpoints(workdir).best_step() == result.history[best]['step']
    rows = select_rows(config_of(), data)[0].validation
    for step, loss in (('best', losses[best]), ('last', losses[-1])):
        predictor = Predictor(workdir, step)
        p = predictor.probabilities(RecordExamples(data, rows, 'label', predictor.gain))
        assert -np.log(p[np.arange(len(rows)), data.table['label'][rows]]).mean() == pytest.approx(loss, rel=1e-4)


def test_stopping_changes_no_number_of_the_epochs_before(trained, config_of, tmp_path):
    whole = trained(**RESTLESS)[1].history
    free = train(config_of(**{**RESTLESS, 'patience': 0, 'epochs': 4}), tmp_path / 'run').history
    assert numbers(free) == numbers(whole)[:4]


def test_a_resumed_run_stops_where_the_unbroken_one_does(trained, config_of, tmp_path):
    workdir, whole = trained(**RESTLESS)
    first = len(whole.history) - 2  # The best epoch is behind it: patience is counted across the break.
    begun = train(config_of(**{**RESTLESS, 'epochs': first}), tmp_path / 'run')
    assert len(begun.history) == first
    seen = []
    resumed = train(config_of(**RESTLESS), tmp_path / 'run', on_epoch=seen.append)
    assert numbers(resumed.history) == numbers(whole.history)
    assert [row['epoch'] for row in seen] == list(range(first + 1, len(whole.history) + 1))
    assert resumed.best_step == whole.best_step
    a, b = (Predictor(w).network()[1] for w in (workdir, tmp_path / 'run'))
    assert jax.tree.all(jax.tree.map(np.array_equal, a, b))


def files_of(workdir):
    return {p.relative_to(workdir): p.stat().st_mtime_ns for p in (workdir / 'checkpoints').rglob('*') if p.is_file()}


def test_the_finished_command_given_again_changes_nothing(trained, config_of, tmp_path):
    source, whole = trained(**RESTLESS)
    workdir = shutil.copytree(source, tmp_path / 'run')
    before, log = files_of(workdir), (workdir / 'metrics.jsonl').read_text()
    for epochs in (40, 60):
        config = config_of(**{**RESTLESS, 'epochs': epochs})
        again = train(config, workdir, on_epoch=lambda row: pytest.fail('trained again'))
        assert (again.best_step, numbers(again.history)) == (whole.best_step, numbers(whole.history))
    assert files_of(workdir) == before
    assert (workdir / 'metrics.jsonl').read_text() == log
    with pytest.raises(CheckpointError, match='--patience: 3 there, 5 now'):
        train(config_of(**{**RESTLESS, 'patience': 5}), workdir)


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
    # Training and what validation says of an epoch are those of a run without it.
    plain = numbers(trained()[1].history)
    assert [{k: v for k, v in row.items() if k != 'threshold'} for row in numbers(result.history)] == plain
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
    with pytest.raises(ConfigError, match='--threshold=cost:3: a threshold decides between 2 classes, this run has 3'):
        train(make_config(threshold='cost:3'), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()


def test_an_epoch_that_diverged_has_no_threshold(config_of, tmp_path, monkeypatch):
    monkeypatch.setattr(
        run_module, 'forward_all', lambda f, v, examples: np.full((len(examples), 2), np.nan, np.float32)
    )
    result = train(config_of(threshold='f_beta:1', epochs=1), tmp_path / 'run')
    assert 'threshold' not in result.history[0]
    assert meta_of(tmp_path / 'run')['threshold'] is None
    assert meta_of(tmp_path / 'run')['selection']['score'] is None


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
