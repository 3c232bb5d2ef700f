"""Runs of a comparison: what is stored, what is found again, and what does not fit."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from fdx.benchmarks import compare_runs as comparison_runs
from fdx.benchmarks.compare_runs import Run, check_workdir, do_run, finished, plan_runs
from fdx.benchmarks.compare_store import read_stored
from fdx.benchmarks.compare_strategies import Strategy, parse_strategies
from fdx.data.source import open_dataset
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import FeatureCache
from fdx.train.manifest import MANIFEST
from fdx.types import CheckpointError, ConfigError

HEAD = Strategy('head', 'head', False, 'classifier only')


@pytest.fixture(scope='module')
def dataset(data_dir):
    return open_dataset('bearing_rig/rig_b_small', data_dir)


@pytest.fixture(scope='module')
def scored(run, tmp_path_factory):
    """The trained run of the conftest, scored and stored: (Run, Outcome, the caches that it was given)."""
    workdir = tmp_path_factory.mktemp('scored') / 'run'
    shutil.copytree(run, workdir)
    config = TrainConfig.from_json(Checkpoints(run).meta(10)['config'])
    caches = {'another network': object()}
    todo = Run(HEAD, config, workdir)
    return todo, do_run(todo, keep='all', caches=caches), caches


@pytest.fixture
def copy(scored, tmp_path):
    """A copy of the scored run that a test may spoil."""
    shutil.copytree(scored[0].workdir, tmp_path / 'run')
    return dataclasses.replace(scored[0], workdir=tmp_path / 'run')


def change(run, **fields):
    return dataclasses.replace(run, config=dataclasses.replace(run.config, **fields))


def test_runs_are_planned_so_that_strategies_take_turns(tmp_path):
    base = TrainConfig(dataset='d/c', init='somewhere')
    strategies = parse_strategies(['full', 'scratch'], has_weights=True)
    runs = plan_runs(base, strategies, {'time_blocks': [0, 1], 'random_windows': [0]}, range(5, 7), tmp_path)
    assert len(runs) == 2 * 2 * 3
    assert [r.title for r in runs[:5]] == [
        'time_blocks full seed 5 fold 0',
        'time_blocks full seed 5 fold 1',
        'time_blocks scratch seed 5 fold 0',
        'time_blocks scratch seed 5 fold 1',
        'time_blocks full seed 6 fold 0',
    ]
    assert runs[3].workdir == tmp_path / 'time_blocks' / 'scratch' / 'seed_5' / 'fold_1'
    assert len({r.workdir for r in runs}) == len(runs)
    for r in runs:
        assert str(r.config.seed) in r.workdir.parts[-2] and r.config.protocol in r.workdir.parts
        assert r.config.init == ('somewhere' if r.strategy.name == 'full' else 'random')


def test_what_is_stored_is_found_again(scored):
    run, outcome, caches = scored
    again = do_run(run)
    assert outcome.fresh and not again.fresh
    np.testing.assert_array_equal(again.stored.predictions.probabilities, outcome.stored.predictions.probabilities)
    assert again.stored.history == outcome.stored.history
    assert again.stored.meta == json.loads(json.dumps(outcome.stored.meta))
    assert [row['epoch'] for row in again.stored.history] == [1, 2]
    assert 'history' not in again.stored.meta
    assert all(isinstance(v, FeatureCache) for v in caches.values())


def test_a_workdir_fits_the_flags_that_made_it(scored, dataset):
    check_workdir(scored[0], dataset)
    check_workdir(change(scored[0], epochs=9, data_dir='moved'), dataset)


@pytest.mark.parametrize('forget_score', [False, True])
@pytest.mark.parametrize(
    ('fields', 'error', 'words'),
    [
        ({'learning_rate': 0.1}, CheckpointError, r'`learning_rate`: 0.05 there, 0.1 now.*remove .*run'),
        ({'epochs': 1}, ConfigError, '2 epochs, `epochs`=1.*`epochs`=2'),
    ],
)
def test_other_flags_are_refused_before_training(copy, dataset, forget_score, fields, error, words):
    if forget_score:
        (copy.workdir / 'score.json').unlink()
    with pytest.raises(error, match=words):
        check_workdir(change(copy, **fields), dataset)


def test_another_dataset_is_refused(copy, data_dir):
    with pytest.raises(CheckpointError, match='dataset or the freezing rules .*changed'):
        check_workdir(copy, open_dataset('bearing_rig/rig_a_small', data_dir))


def test_changed_freezing_rules_are_refused(copy, dataset, tmp_path):
    file = tmp_path / 'rules.txt'
    file.write_text('train .*')
    score = json.loads((copy.workdir / 'score.json').read_text())
    score['meta']['config']['freeze'] = str(file)
    (copy.workdir / 'score.json').write_text(json.dumps(score))
    with pytest.raises(CheckpointError, match=r'rules in .*rules.txt have changed'):
        check_workdir(change(copy, freeze=str(file)), dataset)


@pytest.mark.parametrize('spoil', ['score.json', 'predictions.npz', 'checkpoints'])
def test_a_spoilt_result_is_not_taken(copy, spoil):
    path = copy.workdir / spoil
    assert finished(copy) is not None
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.write_bytes(path.read_bytes()[:50])
    assert finished(copy) is None


def test_a_score_of_another_checkpoint_is_not_taken(copy):
    step = read_stored(copy.workdir).meta['step']
    with (copy.workdir / 'checkpoints' / str(step) / MANIFEST).open('a') as file:
        file.write(' ')
    assert finished(copy) is None


def test_a_longer_budget_goes_on_from_the_kept_checkpoint(copy, dataset):
    longer = change(copy, epochs=3)
    check_workdir(longer, dataset)
    assert finished(longer) is None
    before = read_stored(copy.workdir).history
    outcome = do_run(longer, keep='best')
    assert outcome.fresh
    assert [row['epoch'] for row in outcome.stored.history] == [1, 2, 3]
    assert outcome.stored.history[:2] == before
    assert Checkpoints(copy.workdir).steps() == [outcome.stored.meta['step']]


def test_errors_of_training_reach_the_user_with_a_hint(copy, monkeypatch):
    def broken(*_, **__):
        raise CheckpointError('step 10 is damaged')

    monkeypatch.setattr(comparison_runs, 'train', broken)
    (copy.workdir / 'score.json').unlink()
    with pytest.raises(CheckpointError, match='time_blocks head seed 0 fold 0: step 10 is damaged.*new `workdir`'):
        do_run(copy)
    with pytest.raises(ConfigError, match='`keep_checkpoints`=none'):
        do_run(copy, keep='none')
