"""launch.train --imbalance and the suite of the benchmark: what is thinned, and the page."""

from __future__ import annotations

import dataclasses
import json

import pytest

from fdx.benchmarks import imbalance_page, imbalance_run, imbalance_suite
from fdx.benchmarks.imbalance_suite import TASKS
from fdx.train.checkpoints import Checkpoints

DATASET = 'bearing_rig/rig_b_small'


@pytest.fixture
def tiny(monkeypatch):
    """One dataset, two ratios, a slim network and generator, a few updates."""
    task = dataclasses.replace(TASKS[1], dataset_name='tiny', dataset=DATASET)
    generator = {'steps': 2, 'log_every': 1, 'batch_size': 4, 'latent_size': 4, 'width': 2}
    for module in (imbalance_suite, imbalance_run):
        monkeypatch.setattr(module, 'TASKS', (task,))
    for module in (imbalance_suite, imbalance_page):
        monkeypatch.setattr(module, 'RATIOS', (1, 6))
    for module in (imbalance_run, imbalance_page):
        monkeypatch.setattr(module, 'GENERATOR', generator)
    monkeypatch.setattr(imbalance_run, 'OPTIONS', {'width_multiplier': 0.25})
    monkeypatch.setattr(imbalance_run, 'STEPS', 2)
    # The programs that it keeps would stay switched on for the tests behind this one.
    monkeypatch.setattr(imbalance_run, '_keep_programs', lambda folder: None)


def test_a_table_of_all_remedies(call, rig, tiny, tmp_path, shallow_gan):
    rig.prepare(tmp_path / 'data', 'rig_b_small')
    methods = ('none', 'oversample', 'smote_embedding', 'gan')
    command = ['benchmark', '--suite=imbalance', '--seeds=1', f'--data_dir={tmp_path / "data"}']
    command += [f'--methods={",".join(methods)}']
    command += [f'--workdir={tmp_path / "work"}']
    done = call(*command)
    assert done.code == 0, done.err
    data = json.loads((tmp_path / 'work' / 'pages' / 'imbalance.json').read_text())
    rows = data['rows']
    assert len(rows) == 2 * len(methods)
    keys = {'task', 'model', 'method', 'protocol', 'records', 'seeds', 'folds', 'windows', 'seconds'}
    assert all(set(row) == keys | {'macro_f1', 'accuracy', 'recall'} for row in rows)
    assert {row['task'] for row in rows} == {'tiny 1:1', 'tiny 1:6'}
    assert all((row['protocol'], row['seeds'], row['folds']) == ('time_blocks', [0], [0]) for row in rows)
    assert set(rows[0]['recall']) == {'normal', 'inner_race', 'outer_race'}
    assert (data['suite'], data['measured']['seeds']) == ('imbalance', [0])
    cell = json.loads((tmp_path / 'work/cells/imbalance/cnn_small/gan/tiny_1_6/seed_0.json').read_text())
    assert cell['balance']['real'] == {'normal': 6, 'inner_race': 1, 'outer_race': 1}
    assert (cell['balance']['synthetic'], cell['balance']['examples']) == (10, 18)
    one = json.loads((tmp_path / 'work/cells/imbalance/cnn_small/gan/tiny_1_1/seed_0.json').read_text())
    assert one['balance']['synthetic'] == 0
    page = (tmp_path / 'work' / 'pages' / 'imbalance.md').read_text()
    assert 'the GAN ' in page
    assert all(f'| {remedy} |' in page for remedy in methods)
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / 'work' / 'cells').rglob('*.json')}
    again = call(*command)
    assert again.code == 0, again.err
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--methods=smote'], '--methods=smote: --suite=imbalance ... none, class_weight'),
        (['--tasks=moon'], '--tasks=moon: --suite=imbalance ... cwru/load0_12k, bearing_rig'),
        (['--seeds=6'], '--seeds=6: --suite=imbalance ... fold ... 5'),
        (['--inputs=mel'], '--inputs ... --suite=imbalance: ... leave it out'),
        (['--draws=3'], '--draws ... --suite=imbalance: ... leave it out'),
    ],
)
def test_what_the_suite_refuses(says, call, tmp_path, flags, message):
    done = call('benchmark', '--suite=imbalance', f'--data_dir={tmp_path}', f'--workdir={tmp_path}', *flags)
    assert says(done.error, message)


@pytest.mark.parametrize('remedy', ['mixup', 'specaugment', 'oversample'])
def test_training_with_rare_classes_and_a_remedy(call, data_dir, tmp_path, remedy):
    done = call(
        'train', f'--dataset={DATASET}', f'--data_dir={data_dir}', '--imbalance=inner_race=1:6', f'--balance={remedy}',
        '--model=cnn_small', '--model_option=width_multiplier=0.25', '--epochs=1', f'--workdir={tmp_path / "run"}',
    )  # fmt: skip
    assert done.code == 0, done.err
    checkpoints = Checkpoints(tmp_path / 'run')
    balance = checkpoints.meta(checkpoints.best_step())['balance']
    assert balance['real'] == {'normal': 6, 'inner_race': 1, 'outer_race': 6}
    assert (balance['remedy'], balance['examples']) == (remedy, 18)
    if remedy != 'oversample':  # Scoring knows nothing of the remedy: once is enough.
        return
    scored = call('evaluate', f'--checkpoint={tmp_path / "run"}', f'--data_dir={data_dir}')
    assert scored.code == 0, scored.err
    results = json.loads((tmp_path / 'run' / 'evaluation' / 'results.json').read_text())
    assert results['balance'] == balance
    # Every test window is there.
    assert [row['support'] for row in results['per_class']] == [2, 2, 2]
