"""launch.synthesize and launch.train --balance=gan: from a user's command to a judged generator and a classifier."""

from __future__ import annotations

import json

import pytest

from fdx.data.source import open_dataset
from fdx.synth import judge as judge_module
from fdx.synth import run as run_module
from fdx.synth.run import synthesise
from fdx.train.config import TrainConfig
from fdx.types import ConfigError
from launch import synthesize_on_demand

DATASET = 'bearing_rig/rig_b_small'
TINY = ['--steps=4', '--log_every=2', '--batch_size=4', '--latent_size=4', '--width=2', '--save_every=4']
SLIM = ['--model=cnn_small', '--model_option=width_multiplier=0.25']

pytestmark = pytest.mark.usefixtures('shallow_gan')


@pytest.fixture
def quick_judge(monkeypatch):
    """Two updates of the classifiers that judge, in place of 150."""
    monkeypatch.setattr(judge_module, 'STEPS', 2)


def synthesize(call, data_dir, workdir, *more):
    return call('synthesize', f'--dataset={DATASET}', f'--data_dir={data_dir}', f'--workdir={workdir}', *TINY, *more)


@pytest.fixture
def own_data(rig, tmp_path):
    """A folder of datasets of this test's own: generated ones go there."""
    rig.prepare(tmp_path / 'data', 'rig_b_small')
    return tmp_path / 'data'


def test_from_the_command_to_records_and_a_judgement(call, own_data, tmp_path, quick_judge):
    done = synthesize(call, own_data, tmp_path / 'gan', '--imbalance=1:3', '--judge_samples=3', '--name=faults')
    assert done.code == 0, done.err
    assert 'generated records: synthetic/faults' in done.out
    assert done.out.count('Wasserstein estimate') == 2
    generated = open_dataset('synthetic/faults', own_data)
    # As many of each class as the most frequent one has training windows.
    assert len(generated) == 3 * 6
    folder = tmp_path / 'gan' / 'judgement'
    results = json.loads((folder / 'results.json').read_text())
    assert [row['train_rows'] for row in results['classes']] == [6, 2, 2]
    assert [row['reference_rows'] for row in results['classes']] == [6, 6, 6]
    assert [row['generated'] for row in results['classes']] == [3, 3, 3]
    assert results['checkpoint'] == generated.metadata['checkpoint']
    page = (folder / 'report.html').read_text()
    assert 'inner_race' in page
    assert page.count('<img src="data:image/png') == 3
    assert {p.name for p in folder.glob('*.png')} == {'health.png', 'mean_spectra.png', 'real_and_generated.png'}
    stamp = (tmp_path / 'gan' / 'checkpoints' / '4' / 'sha256.json').stat().st_mtime_ns
    again = synthesize(call, own_data, tmp_path / 'gan', '--imbalance=1:3', '--judge_samples=0', '--name=faults')
    assert again.code == 0, again.err
    assert 'Wasserstein' not in again.out
    assert (tmp_path / 'gan' / 'checkpoints' / '4' / 'sha256.json').stat().st_mtime_ns == stamp


def test_a_classifier_makes_the_generator_that_it_needs_once(call, own_data, tmp_path, monkeypatch):
    made = []

    def counted(config, workdir, **options):
        made.append(workdir)
        return synthesise(config, workdir, **options)

    tiny = {'steps': 2, 'log_every': 1, 'batch_size': 4, 'latent_size': 4, 'width': 2}
    monkeypatch.setattr(synthesize_on_demand, 'synthesise', counted)
    monkeypatch.setattr(synthesize_on_demand, 'generator_for', lambda config: run_module.generator_for(config, **tiny))
    command = ['train', f'--dataset={DATASET}', f'--data_dir={own_data}', '--imbalance=1:3', '--balance=gan']
    command += [
        *SLIM,
        '--epochs=1',
        f'--workdir={tmp_path / "run"}',
    ]
    done = call(*command)
    assert done.code == 0, done.err
    assert made == [tmp_path / 'run' / 'generator']
    again = call(*command)
    assert again.code == 0, again.err
    assert len(made) == 1
    scored = call('evaluate', f'--checkpoint={tmp_path / "run"}', f'--data_dir={own_data}')
    assert scored.code == 0, scored.err
    results = json.loads((tmp_path / 'run' / 'evaluation' / 'results.json').read_text())
    assert results['balance']['real'] == {'normal': 6, 'inner_race': 2, 'outer_race': 2}
    assert results['balance']['synthetic'] == 8
    # Generated records cannot be scored, by any way.
    name = results['config']['synthetic']
    refused = call(
        'evaluate', f'--checkpoint={tmp_path / "run"}', f'--dataset={name}', f'--data_dir={own_data}', '--split=all'
    )
    assert 'are synthetic: generated records are for training only' in refused.error


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--steps=5'], '--steps=5 ... multiple of --log_every=2'),
        (['--judge_samples=-1'], '--judge_samples=-1: 0 or above'),
        (['--seed=-1'], '--seed=-1: a whole number'),
        (['--imbalance=1:0'], '1:0 is not a ratio'),
        (['--imbalance=worn=1:2'], 'worn; ... normal, inner_race, outer_race'),
        (['--protocol=by_moon'], "protocol 'by_moon'"),
        (['--name=a/b'], '--name=a/b'),
    ],
)
def test_what_is_refused_in_a_line(says, call, data_dir, tmp_path, flags, message):
    done = synthesize(call, data_dir, tmp_path / 'gan', *flags)
    assert done.code == 1
    assert says(done.error, message)


def test_a_table_has_no_images(call, tmp_path):
    done = call(
        'synthesize', '--dataset=motor_maintenance/small', f'--data_dir={tmp_path}', f'--workdir={tmp_path / "gan"}'
    )
    assert 'is a table of readings: a generator makes images' in done.error


def test_the_workdir_of_a_classifier_is_left_alone(call, data_dir, tmp_path):
    run = tmp_path / 'run'
    trained = call('train', f'--dataset={DATASET}', f'--data_dir={data_dir}', *SLIM, '--epochs=1', f'--workdir={run}')
    assert trained.code == 0, trained.err
    done = synthesize(call, data_dir, run)
    assert 'holds a classifier' in done.error


def test_several_processes_do_not_train_a_generator_each(monkeypatch, tmp_path):
    monkeypatch.setattr(synthesize_on_demand.jax, 'process_count', lambda: 2)
    config = TrainConfig(dataset=DATASET, balance='gan')
    with pytest.raises(ConfigError, match='--balance=gan .*several processes: .*make the records first'):
        synthesize_on_demand.with_synthetic(config, tmp_path)
    named = TrainConfig(dataset=DATASET, balance='gan', synthetic='synthetic/a')
    assert synthesize_on_demand.with_synthetic(named, tmp_path) is named
