"""launch.predict with runs whose front end reads orders: speed and bearing by flags, at any rate, by stand-ins."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.special

from fdx.predict.condition import with_condition
from fdx.predict.predictor import AnyPredictor
from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import create_front_end
from fdx.signal.patch import Condition
from fdx.signal.resample import to_common_band
from fdx.types import UNKNOWN, Recording

# The dataset's window lost a quarter of a sample: at three times the rate, 0.975 s are 5938 samples and not 3 x 1979.
TRAINED_HZ, TRAINED_WINDOW, FILE_HZ, WINDOW = 2030.0, 1979, 6090.0, 5938
FAULTS = ['inner_race', 'outer_race', 'ball']


def rows_of(done) -> list[dict]:
    return [json.loads(line) for line in done.out.splitlines()]


def softmax_of(patches: np.ndarray) -> np.ndarray:
    return scipy.special.softmax(patches.mean(axis=(1, 2)), axis=1).astype(np.float32)


class Run(AnyPredictor):
    """Stands for the Predictor of a run on fault orders, whose network takes the mean of each fault's channel."""

    front_end = create_front_end('fault_orders', TRAINED_HZ)
    class_names = FAULTS
    meta = {'dataset': {'common_rate_hz': TRAINED_HZ, 'window_length': TRAINED_WINDOW, 'guard_length': 100}}

    threshold = None

    def __init__(self, workdir, step, progress):
        self.workdir, self.step = workdir, step

    def patch_probabilities(self, patches):
        return softmax_of(patches)


class EnvelopeRun(Run):
    """Of a front end that reads the speed alone, and three of its columns."""

    front_end = create_front_end('envelope_spectrum', TRAINED_HZ)

    def patch_probabilities(self, patches):
        return scipy.special.softmax(patches.reshape(len(patches), -1)[:, :3], axis=1).astype(np.float32)


class MelRun(Run):
    """Of a front end in Hz."""

    front_end = create_front_end('vggish')


@pytest.fixture
def samples() -> np.ndarray:
    return np.random.default_rng(6).standard_normal(3 * WINDOW).astype(np.float32)


@pytest.fixture
def predict(call, samples, tmp_path, monkeypatch):
    """predict(stand-in, *flags): launch.predict on the samples, at the rate of the file."""
    np.save(tmp_path / 'motor.npy', samples)
    (tmp_path / 'checkpoints').mkdir()

    def run(stand_in, *flags):
        monkeypatch.setattr('fdx.predict.backends.checkpoint.Predictor', stand_in)
        common = (f'--checkpoint={tmp_path}', f'--sample_rate={FILE_HZ:g}')
        return call('predict', *common, *flags, tmp_path / 'motor.npy')

    return run


def test_speed_and_bearing_come_from_the_flags_at_the_files_own_rate(predict, samples):
    *windows, summary = rows_of(predict(Run, '--bearing=skf_6205', '--speed_rpm=1500'))
    condition = Condition(1500.0, BEARINGS['skf_6205'])
    cut = to_common_band(samples[:, None], FILE_HZ, FILE_HZ).reshape(3, WINDOW, 1)
    expected = softmax_of(np.stack([Run.front_end(x, FILE_HZ, condition) for x in cut]))
    assert (len(windows), summary['windows']) == (3, 3)
    assert [w['start_s'] for w in windows] == [round(i * WINDOW / FILE_HZ, 6) for i in range(3)]
    assert {w['duration_s'] for w in windows} == {WINDOW / FILE_HZ}
    found = [[w['probabilities'][name] for name in FAULTS] for w in windows]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    # Another bearing or speed is another picture of the same samples.
    for flags in (('--bearing=nice_mfpt', '--speed_rpm=1500'), ('--bearing=skf_6205', '--speed_rpm=1600')):
        other = rows_of(predict(Run, *flags))[-1]['mean_probabilities']
        assert max(abs(other[name] - summary['mean_probabilities'][name]) for name in FAULTS) > 1e-3


@pytest.mark.parametrize(
    ('stand_in', 'flags', 'words'),
    [
        (Run, ['--bearing=skf_6205'], 'speed of the shaft, ... nan rpm ... --speed_rpm'),
        (Run, ['--speed_rpm=1500'], 'geometry: ... --bearing'),
        (EnvelopeRun, [], 'speed of the shaft, ... nan rpm ... --speed_rpm'),
        (Run, ['--bearing=skf_6205', '--speed_rpm=300'], '0.975 s at 300 rpm ... 4.9 turns'),
        (Run, ['--bearing=skf_6205', '--speed_rpm=estimate'], 'no speed ... 900 and 2200 rpm ... --speed_rpm'),
    ],
)
def test_what_is_missing_is_said_of_the_file(says, predict, tmp_path, stand_in, flags, words):
    done = predict(stand_in, *flags)
    (row,) = rows_of(done)
    assert (done.code, row['kind']) == (1, 'error')
    assert row['error'].startswith(f'{tmp_path / "motor.npy"}: ') and says(row['error'], words)


def test_envelope_spectra_need_the_speed_alone(predict):
    done = predict(EnvelopeRun, '--speed_rpm=1500', '--nowindows')
    assert (done.code, rows_of(done)[0]['windows']) == (0, 3)


@pytest.mark.parametrize(
    ('flags', 'named'),
    [
        (['--bearing=skf_6205'], '--bearing:'),
        (['--speed_rpm=1500'], '--speed_rpm:'),
        (['--bearing=skf_6205', '--speed_rpm=estimate'], '--bearing and --speed_rpm:'),
    ],
)
def test_flags_that_the_run_would_not_read_are_refused(predict, flags, named):
    """They would be ignored, and an estimate could refuse a file that needs none."""
    done = predict(MelRun, *flags)
    assert (done.code, done.out) == (1, '')
    assert f'{named} the run has front end vggish, which reads none: leave it out' in done.error


def test_a_hop_beyond_the_end_leaves_the_first_window(predict):
    common = ('--bearing=skf_6205', '--speed_rpm=1500', '--nowindows')
    assert rows_of(predict(Run, *common, '--hop_s=1e30'))[0]['windows'] == 1
    (row,) = rows_of(predict(Run, *common, '--hop_s=1e-9'))
    assert '--hop_s=1e-09: at 6090 Hz it must be at least 0.000164 s' in row['error']


def test_what_the_user_knows_wins_over_the_file():
    labels = dict.fromkeys(('label', 'fault_type', 'bearing', 'domain'), '')
    told = {'speed_rpm': 1797.0, 'geometry': BEARINGS['skf_6203']}
    recording = Recording(samples=np.ones((9, 1)), sample_rate_hz=9.0, recording='r', **labels, **told)
    kept = with_condition(recording)
    assert (kept.speed_rpm, kept.geometry) == (1797.0, BEARINGS['skf_6203'])
    given = with_condition(recording, 1500, BEARINGS['skf_6205'])
    assert (given.speed_rpm, given.geometry) == (1500.0, BEARINGS['skf_6205'])
    assert given.samples is recording.samples
    assert np.isnan(UNKNOWN) and with_condition(recording, geometry=BEARINGS['skf_6205']).speed_rpm == 1797.0
