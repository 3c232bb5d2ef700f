"""A run that a probe leaves: its verdicts are the probe's own, and every program takes it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.benchmarks.probe import CHOSEN
from fdx.benchmarks.probe_heads import ALL_LABELS, ProbePlan
from fdx.benchmarks.probe_run import run_probe
from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.splits import split_rows
from fdx.data.source import open_dataset
from fdx.evaluate.scoring import score_run
from fdx.predict.load import load_predictor
from fdx.train.config import TrainConfig
from fdx.train.linear_head import LinearHead, Standardiser
from fdx.train.run import train
from fdx.types import CheckpointError, ConfigError

NAME = 'bearing_rig/rig_b_small'
PLAN = ProbePlan(folds=(0, 1), shots=(ALL_LABELS,))


@pytest.fixture(scope='module')
def config(data_dir, rig):
    """A slim untrained VGGish on images whose gain is fitted in each fold."""
    options = {'width_multiplier': rig.WIDTH}
    return TrainConfig(f'{NAME}-vggish_train', str(data_dir), model='vggish', model_options=options, freeze='head')


@pytest.fixture(scope='module')
def probed(config, tmp_path_factory):
    """(results of the probe, folder of its runs)."""
    folder = tmp_path_factory.mktemp('probe') / 'run'
    return run_probe(config, PLAN, save=folder), folder


@pytest.mark.parametrize('classes', [2, 3])
@pytest.mark.parametrize('windows', [40, 6])
def test_standardising_and_head_are_one_dense_layer(classes, windows):
    rng = np.random.default_rng(0)
    features = (5 + rng.standard_normal((60, 8)) * np.geomspace(0.01, 10, 8)).astype(np.float32)
    standardise, labels = Standardiser(features), np.arange(windows) % classes
    head = LinearHead(standardise(features[:windows]), labels)
    # There is one more class than was trained.
    kernel, bias = head.folded(standardise, classes + 1)
    logits = features.astype(np.float64) @ kernel + bias
    odds = np.exp(logits - logits.max(1, keepdims=True))
    wanted = head.probabilities(standardise(features), classes + 1)
    np.testing.assert_allclose(odds / odds.sum(1, keepdims=True), wanted, atol=1e-4)
    assert (wanted[:, classes] == 0).all()


def test_the_run_gives_the_verdicts_that_the_probe_scored(probed, config):
    results, folder = probed
    assert sorted(path.name for path in folder.iterdir()) == ['fold_0', 'fold_1']
    scored = score_run(folder)
    row = next(r for r in results['shots'][0]['rows'] if r['stage'] == CHOSEN)
    right = scored.predictions.predicted == scored.predictions.labels
    assert right.mean() == row['accuracy']['mean'] and len(right) == results['test_windows']
    for fold in PLAN.folds:
        predictor = load_predictor(folder / f'fold_{fold}')
        stage = predictor.meta['probe']['stage']
        assert predictor.config.model_options['stop_after'] == stage and predictor.meta['frozen_stages'] >= 1
        chosen = next(r for r in results['shots'][0]['rows'] if r['stage'] == stage)
        assert chosen['chosen'] >= 1
        # On validation windows, too; only the chosen fold's rows were standardised by.
        dataset = open_dataset(config.dataset, config.data_dir)
        rows = split_rows(dataset.table, PLAN.protocol, fold=fold).validation
        said = predictor.probabilities(RecordExamples(dataset, rows, 'label', predictor.gain))
        accuracy = float((said.argmax(1) == dataset.table['label'][rows]).mean())
        assert accuracy == predictor.meta['selection']['score']


def test_a_second_probe_takes_its_place_and_others_do_not(probed, config, data_dir):
    _, folder = probed
    before = load_predictor(folder / 'fold_0').meta['probe']['stage']
    other = next(stage for stage in ('stage1', 'stage2') if stage != before)
    run_probe(config, PLAN, stages=(other,), pool='global', save=folder)
    meta = load_predictor(folder / 'fold_0').meta
    assert meta['probe'] == {'stage': other, 'pool': 'global', 'penalty_c': 1.0}
    with pytest.raises(CheckpointError, match='fold_1 is of a probe with other folds'):
        run_probe(config, dataclasses.replace(PLAN, folds=(0, 2)), save=folder)
    with pytest.raises(CheckpointError, match='fold_0 is of a probe with other folds'):
        run_probe(config, dataclasses.replace(PLAN, folds=(0,)), save=folder)
    # A training does not go on from it.
    as_it_was = load_predictor(folder / 'fold_0').config
    with pytest.raises(CheckpointError, match='a linear head of launch.probe'):
        train(as_it_was, folder / 'fold_0')


def test_a_trained_run_is_not_replaced(config, tmp_path):
    slim = dataclasses.replace(config, epochs=1, batch_size=4)
    train(slim, tmp_path / 'run')
    with pytest.raises(CheckpointError, match='holds a classifier'):
        run_probe(config, dataclasses.replace(PLAN, folds=(0,)), save=tmp_path / 'run')


def test_few_labels_alone_leave_no_run(config, tmp_path):
    with pytest.raises(ConfigError, match='add all to `shots`'):
        run_probe(config, dataclasses.replace(PLAN, shots=(1,)), save=tmp_path / 'run')
    assert not (tmp_path / 'run').exists()
