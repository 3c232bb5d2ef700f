"""Every program on a user's own recordings: a folder per class of short .wav files, prepared on demand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.io import wavfile

RATE = 4000


def signal(label: str, i: int, seconds: float = 2.0) -> np.ndarray:
    """Noise, with a tone that tells the class and moves with the recording."""
    rng, t = np.random.default_rng([len(label), i]), np.arange(round(seconds * RATE)) / RATE
    hz = {'good': 300, 'inner race': 900, 'ball': 1500}[label]
    return (3000 * (np.sin(2 * np.pi * (hz + 5 * i) * t) + rng.standard_normal(len(t)))).astype(np.int16)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """good/, inner race/ and ball/ with three files each."""
    root = tmp_path_factory.mktemp('pumps')
    for label in ('good', 'inner race', 'ball'):
        (root / label).mkdir()
        for i in range(3):
            wavfile.write(root / label / f'{i}.wav', RATE, signal(label, i))
    return root


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return tmp_path_factory.mktemp('data')


@pytest.fixture(scope='module')
def trained(call, folder, data, tmp_path_factory):
    """(workdir, what launch.train printed) without any flag but the ones that name things."""
    workdir = tmp_path_factory.mktemp('runs') / 'own'
    done = call(
        'train',
        '--dataset=recordings/pumps',
        f'--recordings={folder}',
        f'--data_dir={data}',
        f'--workdir={workdir}',
        '--epochs=20',
        '--save_every=20',
    )
    assert done.code == 0, done.err
    return workdir, done.out


def test_train_chooses_and_says_what_it_chose(trained, data):
    workdir, out = trained
    assert 'protocol by_recording: ' in out
    settings = next(line for line in out.splitlines() if line.startswith('settings: '))
    for word in ('--model=band_linear', '--protocol=by_recording', '--fold=all', '--l2='):
        assert word in settings
    assert '--epochs' not in settings  # given
    assert [p.name for p in sorted(workdir.glob('fold_*'))] == ['fold_0', 'fold_1', 'fold_2']
    assert (data / 'recordings' / 'pumps-band_mel' / '1.0.0').is_dir()
    step = next((workdir / 'fold_0' / 'checkpoints').glob('[0-9]*'))
    dataset = json.loads((step / 'meta' / 'metadata').read_text())['dataset']
    assert dataset['name'] == 'recordings/pumps-band_mel:1.0.0'
    assert len(dataset['content_sha256']) == 64


def test_evaluate_scores_recordings(call, trained):
    done = call('evaluate', f'--checkpoint={trained[0]}')
    assert done.code == 0, done.err
    results = json.loads((trained[0] / 'evaluation' / 'results.json').read_text())
    assert results['recording_accuracy']['mean_probability'] >= 0.8
    assert 'recordings/pumps' in (trained[0] / 'evaluation' / 'report.html').read_text()


def test_predict_takes_a_folder_of_new_files(call, trained, tmp_path):
    for i in (7, 8):
        wavfile.write(tmp_path / f'{i}.wav', RATE, signal('ball', i))
    done = call('predict', f'--checkpoint={trained[0]}/fold_0', '--nowindows', tmp_path)
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row['predicted'] for row in rows if row['kind'] == 'recording'] == ['ball', 'ball']


def test_changed_files_are_a_new_version_and_the_old_run_keeps_its_own(call, folder, data, trained, tmp_path):
    extra = folder / 'good' / '9.wav'
    wavfile.write(extra, RATE, signal('good', 9))
    try:
        again = ['train', '--dataset=recordings/pumps', f'--data_dir={data}', '--fold=0', '--epochs=1']
        done = call(*again, f'--recordings={folder}', f'--workdir={tmp_path / "new"}')
        assert done.code == 0, done.err
        assert 'version 1.0.1' in done.out
        # The run of before goes on with what it was trained on, and refuses the new content.
        refused = call(*again, f'--recordings={folder}', f'--workdir={trained[0]}/fold_0')
        assert refused.code == 1
        assert '1.0.1' in refused.error and '1.0.0' in refused.error
    finally:
        extra.unlink()
    back = call('prepare', 'datasets/recordings', '--config=pumps', f'--recordings={folder}', f'--data_dir={data}')
    assert back.code == 0, back.err
    assert 'recordings/pumps-band_mel:1.0.0: ' in back.out


def test_probe_adapt_compare_synthesize_and_export_take_them(call, folder, data, trained, tmp_path, shallow_gan):
    own = ['--data_dir', data, f'--recordings={folder}']
    probe = call(
        'probe',
        '--dataset=recordings/pumps',
        *own,
        '--model=band_linear',
        '--init=random',
        '--protocol=by_recording',
        '--shots=all',
        '--draws=1',
        f'--workdir={tmp_path / "probe"}',
    )
    assert probe.code == 0, probe.err
    slim = ['--model=cnn_small', '--model_option=width_multiplier=0.125', '--epochs=1']
    compare = call(
        'compare',
        '--dataset=recordings/pumps',
        *own,
        *slim,
        '--strategies=scratch',
        '--protocols=by_recording',
        '--seeds=1',
        f'--workdir={tmp_path / "compare"}',
    )
    assert compare.code == 0, compare.err
    manifest = tmp_path / 'm.csv'
    rows = [
        f'{folder / label / f"{i}.wav"},{label},{"A" if i else "B"}' for label in ('good', 'ball') for i in range(3)
    ]
    manifest.write_text('file,label,machine\n' + '\n'.join(rows) + '\n')
    adapt = call(
        'adapt',
        '--source=recordings/two:A',
        '--target=recordings/two:B',
        '--data_dir',
        data,
        f'--recordings={manifest}',
        *slim,
        '--method=coral',
        f'--workdir={tmp_path / "adapt"}',
    )
    assert adapt.code == 0, adapt.err
    made = call(
        'synthesize',
        '--dataset=recordings/pumps',
        *own,
        '--protocol=by_recording',
        '--steps=1',
        '--log_every=1',
        '--width=4',
        '--judge_samples=0',
        '--per_class=2',
        f'--workdir={tmp_path / "gan"}',
    )
    assert made.code == 0, made.err
    export = call(
        'export', f'--checkpoint={trained[0]}/fold_0', '--format=tflite_float', f'--out={tmp_path / "m.tflite"}'
    )
    assert export.code == 0, export.err


def test_mistakes_of_the_command_line_are_named(call, folder, data, tmp_path):
    train = ['train', f'--data_dir={data}', f'--workdir={tmp_path / "x"}']
    for flags, words in (
        (['--dataset=recordings/new'], ('recordings/new', '--recordings=')),
        (['--dataset=bearing_rig/small', f'--recordings={folder}'], ('--recordings', 'recordings/NAME')),
        (['--dataset=recordings/new', '--pattern={label}.wav'], ('--pattern', '--recordings')),
        (['--dataset=recordings/new', f'--recordings={tmp_path / "nowhere"}'], ('nowhere',)),
        (['--dataset=recordings/new', f'--recordings={folder}', '--sample_rate=fast'], ('--sample_rate=fast',)),
        (['--dataset=recordings/new', f'--recordings={folder}', '--label_map=x'], ('--label_map=x', 'PATTERN=CLASS')),
        (['--dataset=recordings/new', f'--recordings={folder}', '--label_map=*=one'], ('class one alone',)),
        (['--dataset=recordings/new-fault_orders', f'--recordings={folder}'], ('fault_orders', '--bearing')),
    ):
        done = call(*train, *flags)
        assert done.code == 1, flags
        assert all(word in done.error for word in words), done.error
        assert not list((data / 'recordings').glob('new*')), flags
