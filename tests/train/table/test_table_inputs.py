"""Runs on a table: z-scores, synthetic rows and class weights."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fdx.data.pipeline import ArrayExamples
from fdx.data.source import open_dataset
from fdx.evaluate.scoring import score_run
from fdx.predict.backends.checkpoint import Predictor
from fdx.train import run as run_module
from fdx.train.model_setup import set_up_model
from fdx.train.run import train
from fdx.train.run_data import balanced, load_data, select_rows, with_cached_features
from fdx.types import ConfigError
from tests.train.table.table_numbers import NAMES, SETTINGS, meta_of, numbers, z_scores


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
    # The table is shared by all that open it, and cannot be written.
    data.table = dataclasses.replace(data.table, columns={**data.table.columns, 'peak': data.table['peak'].copy()})
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
    # As trained: without the temperature that is fitted to the validation rows.
    raw = called[0].probabilities.astype(np.float64) ** Predictor(workdir).temperature
    p = (raw / raw.sum(axis=1, keepdims=True))[np.arange(len(labels)), labels]
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


def test_a_table_has_no_bands_to_mask(data, config_of):
    with pytest.raises(ConfigError, match='`balance`=specaugment .*images; .* are .*oversample'):
        load_data(config_of(balance='specaugment'), data)
