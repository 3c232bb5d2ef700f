"""launch.predict --zero_shot from the command line: a folder of files, speeds that are estimated, what flags refuse."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import scipy.io.wavfile

from fdx.datasets.bearing_rig.machines import MACHINES
from fdx.datasets.bearing_rig.simulator import recordings as simulated
from fdx.predict.zero_shot import diagnose_zero_shot
from fdx.signal.bearings import BEARINGS

RIG_HZ, RATE_HZ = 16000, 2000
ZERO_SHOT = ('predict', '--zero_shot', '--bearing=skf_6205')


def rows_of(done) -> list[dict]:
    return [json.loads(line) for line in done.out.splitlines()]


def geometry_flag(geometry) -> str:
    return '--bearing=' + ','.join(f'{name}={value!r}' for name, value in dataclasses.asdict(geometry).items())


def struck(shaft_hz: float, harmonics: float, seconds: float = 8.0) -> np.ndarray:
    """Noise that comes in bursts at the outer race's order of skf_6205, and five harmonics of the shaft: [T]."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    bursts = 1 + 2 * (np.mod(t * BEARINGS['skf_6205'].bpfo * shaft_hz, 1) < 0.2)
    x = np.random.default_rng(4).standard_normal(len(t)) * bursts
    return (x + harmonics * sum(np.sin(2 * np.pi * h * shaft_hz * t + h) for h in range(1, 6))).astype(np.float32)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'motor.npy'
    np.save(path, struck(25.0, 0.0))
    return path


def test_a_folder_of_simulated_files(call, tmp_path):
    folder = tmp_path / 'plant'
    folder.mkdir()
    options = {'speeds': (997.0,), 'load_cases': (1,), 'duration_s': 6.0, 'sample_rate_hz': RIG_HZ, 'seed': 3}
    made = {r.label: r for r in simulated(['rig_a'], **options)}
    np.save(folder / 'c.npy', made['normal'].samples[:, 0])
    text = 'g\n' + '\n'.join(map(repr, made['inner_race'].samples[:, 0].tolist()))
    (folder / 'b.CSV').write_text(text)
    scipy.io.wavfile.write(folder / 'a.wav', RIG_HZ, made['outer_race'].samples[:, 0])
    (folder / 'notes.md').write_text('no recording')
    (folder / 'deeper.wav').mkdir()
    flags = ('predict', '--zero_shot', geometry_flag(MACHINES['rig_a'].geometry), '--speed_rpm=997')
    out = tmp_path / 'lines.jsonl'
    done = call(*flags, f'--sample_rate={RIG_HZ}', f'--out={out}', folder)
    assert (done.code, out.read_text()) == (0, done.out)
    rows = rows_of(done)
    summaries = [r for r in rows if r['kind'] == 'recording']
    assert [r['file'] for r in summaries] == [str(folder / name) for name in ('a.wav', 'b.CSV', 'c.npy')]
    assert [r['predicted'] for r in summaries] == ['outer_race', 'inner_race', 'normal']
    assert len(rows) == 3
    assert [r['speed_rpm'] for r in summaries] == pytest.approx([997.0] * 3, rel=4e-3)
    (expected,) = diagnose_zero_shot(made['outer_race']).rows()
    assert rows[0]['mean_probabilities'] == pytest.approx(expected['mean_probabilities'], abs=0.02)
    # The folder's rest is done where one file tells no rate.
    done = call(*flags, '--nowindows', folder)
    assert (done.code, [r['kind'] for r in rows_of(done)]) == (1, ['recording', 'error', 'error'])
    assert rows_of(done)[0] == summaries[0]
    assert 'c.npy does not tell its sampling rate; pass --sample_rate' in rows_of(done)[2]['error']


def test_what_the_user_knows(call, file, tmp_path):
    """Orders and bearings that explain the lines, and sound recordings that show them, too."""
    common = (*ZERO_SHOT, '--speed_rpm=1500', f'--sample_rate={RATE_HZ}')
    (row,) = rows_of(call(*common, file))
    assert (row['predicted'], row['duration_s']) == ('outer_race', 8.0)
    for flag in (f'--known_orders=7,{BEARINGS["skf_6205"].bpfo}', '--other_bearing=skf_6205', f'--healthy={file}'):
        (known,) = rows_of(call(*common, flag, file))
        assert known['predicted'] in ('normal', None)
        assert known['mean_probabilities']['outer_race'] < row['mean_probabilities']['outer_race'] / 2
    np.save(tmp_path / 'noise.npy', np.random.default_rng(0).standard_normal(8 * RATE_HZ))
    (noise,) = rows_of(call(*common, '--noabstain', tmp_path / 'noise.npy'))
    assert noise['predicted'] == 'normal'


def test_bearings_of_a_json_file(call, file, tmp_path):
    entries = {'pump': dataclasses.asdict(BEARINGS['skf_6205']), 'fan': dataclasses.asdict(BEARINGS['nice_mfpt'])}
    (tmp_path / 'plant.json').write_text(json.dumps(entries))
    common = ('predict', '--zero_shot', '--speed_rpm=1500', f'--sample_rate={RATE_HZ}', '--nowindows', file)
    named = call(*common, '--bearing=skf_6205')
    assert call(*common, f'--bearing={tmp_path}/plant.json:pump').out == named.out
    assert call(*common, f'--bearing={tmp_path}/plant.json:fan').out != named.out


@pytest.mark.parametrize(
    ('shaft_hz', 'flags'),
    [(25.0, []), (45.0, ['--low_rpm=2000', '--high_rpm=4000']), (10.0, ['--low_rpm=400', '--high_rpm=900'])],
)
def test_speeds_are_estimated_in_the_range_that_is_named(call, tmp_path, shaft_hz, flags):
    np.save(tmp_path / 'a.npy', struck(shaft_hz, 0.5))
    done = call(
        *ZERO_SHOT, '--speed_rpm=estimate', *flags, f'--sample_rate={RATE_HZ}', '--nowindows', tmp_path / 'a.npy'
    )
    (summary,) = rows_of(done)
    assert summary['speed_rpm'] == pytest.approx(60 * shaft_hz, rel=2e-3)
    assert summary['predicted'] == 'outer_race'


def test_estimates_are_refused_with_the_files_name(call, tmp_path):
    path = tmp_path / 'noise.npy'
    np.save(path, np.random.default_rng(0).standard_normal(8 * RATE_HZ))
    common = (*ZERO_SHOT, '--speed_rpm=estimate', f'--sample_rate={RATE_HZ}')
    done = call(*common, path)
    (row,) = rows_of(done)
    assert (done.code, row['kind'], row['file']) == (1, 'error', str(path))
    assert row['error'].startswith(f'{path}: no speed between 900 and 2200 rpm stands out')
    (row,) = rows_of(call(*common, '--low_rpm=1000', path))
    assert 'no speed between 1000 and 2200 rpm' in row['error']


def test_a_file_without_a_speed_says_so(says, call, file):
    (row,) = rows_of(call(*ZERO_SHOT, f'--sample_rate={RATE_HZ}', file))
    assert row['error'].startswith(f'{file}: ')
    assert says(row['error'], 'speed of the shaft, ... nan rpm ... --speed_rpm')


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--hop_s=0'], '--hop_s=0.0: ... seconds above 0'),
        (['--sample_rate=nan'], '--sample_rate=nan: ... Hz above 0'),
        (['--hop_s=1'], '--hop_s ... as a whole'),
        (['--known_orders=7,fast'], "--known_orders: 'fast'"),
        (['--known_orders=-3'], "--known_orders: '-3'"),
        (['--other_bearing=skf_9999'], "'skf_9999' ... skf_6205"),
        (['--low_rpm=1000'], '--low_rpm and --high_rpm ... --speed_rpm=estimate'),
        (['--high_rpm=2000', '--speed_rpm=1500'], '--low_rpm and --high_rpm ... --speed_rpm=estimate'),
        (['--speed_rpm=estimate', '--high_rpm=3000'], '--low_rpm=900 and --high_rpm=3000: ... above 0'),
        (['--speed_rpm=estimate', '--low_rpm=nan'], '--low_rpm=nan and --high_rpm=2200'),
        (['--checkpoint=runs/x'], '--checkpoint=WORKDIR ... --zero_shot'),
        (['--nozero_shot'], '--checkpoint=WORKDIR ... --zero_shot'),
        (['--nozero_shot', '--checkpoint=runs/x', '--healthy=a.npy'], '--healthy goes with --zero_shot'),
        (['--bearing='], '--zero_shot needs --bearing'),
        (['--step=best'], '--step ... leave it out with --zero_shot'),
        (['--speed_rpm=fast'], '--speed_rpm=fast: ... above 0 ... estimate'),
        (['--speed_rpm=0'], '--speed_rpm=0: ... above 0'),
        (['--speed_rpm=nan'], '--speed_rpm=nan'),
        (['--speed_rpm=inf'], '--speed_rpm=inf'),
        (['--speed_rpm='], '--speed_rpm=: ... above 0'),
        (['--bearing=skf_9999'], "'skf_9999' ... skf_6205"),
        (['--bearing=num_balls=9'], 'missing: pitch_diameter_mm, ball_diameter_mm'),
        (['--bearing=num_balls=nine'], "'num_balls=nine' is not NAME=NUMBER"),
        (['--bearing=absent.json:pump'], 'bearing file absent.json cannot be read'),
    ],
)
def test_flags_that_no_file_can_mend_end_the_program(says, call, file, flags, words):
    done = call(*ZERO_SHOT, f'--sample_rate={RATE_HZ}', *flags, file)
    assert (done.code, done.out) == (1, '')
    assert says(done.error, words)


def test_folders_without_recordings_and_no_files_end_the_program(call, tmp_path):
    (tmp_path / 'notes.md').write_text('no recording')
    done = call(*ZERO_SHOT, tmp_path)
    assert (done.code, done.out) == (1, '')
    assert f'{tmp_path} holds no file ending in .mat, ' in done.error and '.npy, .wav' in done.error
    assert 'no files: name recordings, or a folder of them, after the flags' in call(*ZERO_SHOT).error
