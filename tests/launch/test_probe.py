"""launch.probe: a table, a page, features that are kept; and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.io import wavfile


@pytest.fixture(scope='module')
def args(data_dir):
    return ['--dataset=bearing_rig/rig_b_small-musicnn', f'--data_dir={data_dir}']


def test_weights_by_name_a_table_a_page_and_features_that_stay(call, args, music_cache, tmp_path, monkeypatch):
    monkeypatch.setenv('FDX_CACHE', str(music_cache))
    command = ['probe', *args, '--init=musicnn_mtt', '--shots=1,all', '--draws=3', f'--workdir={tmp_path}']
    done = call(*command)
    assert done.code == 0, done.err
    results = json.loads((tmp_path / 'probe.json').read_text())
    assert (results['protocol'], results['folds'], results['test_windows']) == ('time_blocks', [0, 1, 2, 3, 4], 30)
    assert 'stage5 of the file are left out' in results['init']
    rows = results['shots'][0]['rows']
    assert [row['stage'] for row in rows] == [
        *('log_mel', 'stage1', 'stage2', 'stage3', 'stage4', 'chosen on validation')
    ]
    # 61 x 96 patches: bands halve in every stage.
    assert [row['values'] for row in rows] == [96, 48 * 128, 24 * 128, 12 * 128, 6 * 128, None]
    for row in rows:
        line = next(text for text in done.out.splitlines() if text.startswith(row['stage']))
        assert f'{100 * row["accuracy"]["mean"]:.1f} ± ' in line
    features = list((tmp_path / 'features').iterdir())
    assert len(features) == 1
    stamp = features[0].stat().st_mtime_ns
    assert call(*command, '--stages=stage3', '--pool=bands').code == 0
    assert [p.stat().st_mtime_ns for p in (tmp_path / 'features').iterdir()] == [stamp]
    chosen = json.loads((tmp_path / 'probe.json').read_text())['shots'][0]['rows']
    assert [row['stage'] for row in chosen] == ['log_mel', 'stage3', 'chosen on validation']
    assert chosen[1]['accuracy'] == chosen[2]['accuracy'] == rows[3]['accuracy']


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (('--shots=0,1',), '--shots=0,1: ... from 1 ... or all'),
        (('--shots=1,1',), 'each once'),
        (('--fold=first',), '--fold=first: ... or all'),
        (('--stages=stage9',), '--stages=stage9: musicnn_vgg ... stage1, stage2, stage3, stage4, or all'),
        (('--model=vggish',), "'vggish' ... 96 x 64 x 1, not 61 x 96 x 1"),
        (('--model_option=depth=5',), '=5 needs at least 66 frames'),
        (('--init=imagenet_lite0',), '--init=imagenet_lite0 ... efficientnet_lite0, not for'),
        (('--protocol=domain_pairs',), 'domain_pairs needs 2 domains'),
        (('--draws=0',), '--draws=0: from 1 to 999'),
    ],
)
def test_flags_that_cannot_be(says, call, args, tmp_path, flags, message):
    done = call('probe', *args, '--init=random', f'--workdir={tmp_path / "new"}', *flags)
    assert done.code == 1
    assert says(done.error, message)
    assert not (tmp_path / 'new').exists()


def test_weights_that_cannot_be_had_are_told_with_the_remedy(call, args, tmp_path, no_index):
    done = call('probe', *args, f'--workdir={tmp_path / "new"}')
    assert done.code == 1
    assert 'pip cannot get it' in done.error and 'put musicnn-0.1.0-py3-none-any.whl into' in done.error
    assert not (tmp_path / 'new').exists()


def test_two_files_per_class_become_a_run_that_every_program_takes(call, tmp_path):
    for label, hz in (('good', 300), ('ball', 1500)):
        (tmp_path / 'pumps' / label).mkdir(parents=True)
        for i in range(2):
            tone = np.sin(2 * np.pi * hz * np.arange(8000) / 4000)
            wave = 3000 * (tone + np.random.default_rng([i, hz]).standard_normal(8000))
            wavfile.write(tmp_path / 'pumps' / label / f'{i}.wav', 4000, wave.astype(np.int16))
    own = ['--dataset=recordings/two', f'--recordings={tmp_path / "pumps"}', f'--data_dir={tmp_path / "data"}']
    slim = ['--model=cnn_small', '--model_option=width_multiplier=0.125', '--init=random', '--shots=1,all', '--draws=2']
    done = call('probe', *own, *slim, '--save', f'--workdir={tmp_path / "probe"}')
    assert done.code == 0, done.err
    run = tmp_path / 'probe' / 'run'
    assert 'protocol by_recording: ' in done.out and f'run: {run}; score it: ' in done.out
    results = json.loads((tmp_path / 'probe' / 'probe.json').read_text())
    accuracy = results['shots'][1]['rows'][-1]['accuracy']['mean']
    assert accuracy > 0.9 and results['folds'] == [0, 1]
    scored = call('evaluate', f'--checkpoint={run}')
    assert scored.code == 0, scored.err
    found = json.loads((run / 'evaluation' / 'results.json').read_text())
    assert found['accuracy'] == accuracy and len(found['probe_stages']) == 2
    page = (run / 'evaluation' / 'report.html').read_text()
    assert 'logistic regression of launch.probe' in page and 'learning rate' not in page
    said = call('predict', f'--checkpoint={run}/fold_0', '--nowindows', '--format=json', tmp_path / 'pumps' / 'ball')
    assert [json.loads(line)['predicted'] for line in said.out.splitlines()] == ['ball', 'ball'], said.err
    out = tmp_path / 'm.tflite'
    export = call('export', f'--checkpoint={run}/fold_0', '--format=tflite_float', f'--out={out}')
    assert export.code == 0 and out.is_file(), export.err
