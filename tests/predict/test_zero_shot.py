"""Diagnosis by fault orders alone: simulated machines, real files, noise, the numbers written out, refusals."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fdx.data.raw.files import read_raw_file
from fdx.datasets.bearing_rig.simulator import recordings as simulated
from fdx.predict import zero_shot
from fdx.predict.condition import with_condition
from fdx.predict.zero_shot import diagnose_zero_shot
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis
from fdx.predict.zero_shot_evidence import per_harmonic
from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import create_front_end
from fdx.signal.patch import Condition
from fdx.signal.slow_part import without_slow_part
from fdx.types import UNKNOWN, ConfigError, DataError, Recording

# The front end works at any rate: a low one is quick.
RATE_HZ, WINDOW = 2000.0, 1950
FAULTS = ('inner_race', 'outer_race', 'ball')


def noise(windows: float, seed: int = 0, **fields) -> Recording:
    """White noise of that many windows, said to be a motor's drive end at 1500 rpm."""
    x = np.random.default_rng(seed).standard_normal((round(windows * WINDOW), 1)).astype(np.float32)
    known = {'speed_rpm': 1500.0, 'geometry': BEARINGS['skf_6205'], 'source': 'noise.npy'}
    labels = dict.fromkeys(('label', 'fault_type', 'bearing', 'domain'), '')
    return Recording(**{'samples': x, 'sample_rate_hz': RATE_HZ, 'recording': 'noise', **labels, **known, **fields})


# Every speed of every machine costs 64 windows of noise, whose scores say what chance is.
@pytest.mark.parametrize(('machine', 'speeds'), [('rig_a', (727.0, 997.0)), ('rig_c', (997.0,))])
def test_every_state_of_simulated_machines_is_named(machine, speeds):
    made = simulated([machine], speeds=speeds, load_cases=(1,), duration_s=8.0, sample_rate_hz=16000, seed=3)
    found = [(r.label, r.speed_rpm, diagnose_zero_shot(r)) for r in made]
    assert len(found) == 3 * len(speeds)
    for label, speed_rpm, diagnosis in found:
        assert diagnosis.rows()[-1]['predicted'] == label
        # Twenty turns, where 0.975 s hold fewer.
        assert diagnosis.window_s == pytest.approx(1200 / speed_rpm, abs=1 / 16000)
        assert len(diagnosis.z_scores) == int(8 / diagnosis.window_s)


@pytest.mark.parametrize(
    ('name', 'fault'), [('InnerRaceFault_vload_1', 'inner_race'), ('OuterRaceFault_vload_7', 'outer_race')]
)
def test_real_files_of_mfpt(raw_data, name, fault):
    """Another bearing, twice the rate: its geometry and 25 Hz are all that is told."""
    recording = read_raw_file(raw_data / 'mfpt' / f'{name}.mat')
    diagnosis = diagnose_zero_shot(with_condition(recording, 1500.0, BEARINGS['nice_mfpt']))
    *windows, summary = diagnosis.rows()
    assert (summary['predicted'], summary['windows'], summary['agreement']) == (fault, 3, 1.0)
    assert max(summary['z_scores'], key=summary['z_scores'].get) == fault
    assert summary['z_scores'][fault] > 10
    assert [w['start_s'] for w in windows] == pytest.approx([0, 0.975, 1.95], abs=1e-4)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('hop_s', [None, 0.1])
def test_white_noise_is_normal(seed, hop_s):
    """Windows that overlap repeat each other: they must not make anything surer."""
    diagnosis = diagnose_zero_shot(noise(12, seed=100 + seed), hop_s=hop_s)
    summary = diagnosis.rows()[-1]
    assert (summary['predicted'], summary['windows']) == ('normal', 12 if hop_s is None else 108)
    assert np.abs(diagnosis.pooled()).max() < 3


def test_z_scores_of_white_noise_are_standard():
    z = diagnose_zero_shot(noise(150, seed=7)).z_scores
    assert z.shape == (150, 3)
    # The surrogates' own mean and deviation are uncertain by 1/8 and 1/11.
    assert np.abs(z.mean(axis=0)).max() < 0.5
    assert np.abs(z.std(axis=0) - 1).max() < 0.35


def test_a_repeated_impact_is_found_by_its_order_and_by_no_other():
    """Bursts of noise at one rate: which fault they are hangs on the geometry alone."""
    geometry = BEARINGS['skf_6205']
    for fault, order in (('inner_race', geometry.bpfi), ('outer_race', geometry.bpfo), ('ball', 2 * geometry.bsf)):
        recording = noise(6, seed=1)
        t = np.arange(len(recording.samples)) / RATE_HZ
        gain = 1 + 2 * (np.mod(t * order * 25.0, 1) < 0.2)
        struck = dataclasses.replace(recording, samples=recording.samples * gain[:, None].astype(np.float32))
        assert diagnose_zero_shot(struck).rows()[-1]['predicted'] == fault
        # At another speed the same impacts are at none of the orders.
        assert diagnose_zero_shot(dataclasses.replace(struck, speed_rpm=1405.0)).rows()[-1]['predicted'] == 'normal'


def test_evidence_is_the_mean_of_the_largest_cells():
    front_end = create_front_end('fault_orders', RATE_HZ)
    image = np.random.default_rng(2).standard_normal((24, 6, 3)).astype(np.float32)
    expected = [
        np.mean([max(image[b, 2 * h, f], image[b, 2 * h + 1, f]) for b in range(24) for h in range(3)])
        for f in range(3)
    ]
    np.testing.assert_allclose(per_harmonic(image, front_end).mean(axis=0), expected, rtol=1e-5)
    five = dataclasses.replace(front_end, harmonics=1, cells=5)
    image = np.arange(24 * 5 * 3.0).reshape(24, 5, 3)
    np.testing.assert_allclose(per_harmonic(image, five).mean(axis=0), image[:, 4].mean(axis=0))


def test_z_scores_are_deviations_above_seeded_noise(monkeypatch):
    """Written out with few surrogates; the noise is float32, one stream a seed."""
    monkeypatch.setattr(zero_shot, 'SURROGATES', 5)
    monkeypatch.setattr(zero_shot, '_chance', zero_shot._chance.__wrapped__)
    recording = noise(2.4, seed=3)
    found = diagnose_zero_shot(recording, hop_s=0.5, seed=11)
    front_end, rng = create_front_end('fault_orders', RATE_HZ), np.random.default_rng(11)
    condition = Condition(1500.0, BEARINGS['skf_6205'])

    def number(x):
        image = front_end(x, RATE_HZ, condition)
        return image.reshape(24, 3, 2, 3).max(axis=2).mean(axis=(0, 1))

    chance = np.array([number(rng.standard_normal((WINDOW, 1)).astype(np.float32)) for _ in range(5)])
    values = np.array([number(without_slow_part(recording.samples[s : s + WINDOW], RATE_HZ)) for s in (0, 1000, 2000)])
    deviation = np.sqrt(((chance - chance.mean(0)) ** 2).sum(0) / 4)
    np.testing.assert_allclose(found.z_scores, (values - chance.mean(0)) / deviation, rtol=1e-4, atol=1e-4)
    assert found.faults == FAULTS
    np.testing.assert_allclose(found.window_starts_s, [0, 0.5, 1.0])
    assert np.abs(diagnose_zero_shot(recording, hop_s=0.5, seed=12).z_scores - found.z_scores).max() > 0.01


def test_rows_sum_up_the_windows():
    """Each window's fault is below the threshold in two of three; together they stand out."""
    z = np.array([[5.0, 1.0, 0.0], [3.5, 1.0, 3.9], [3.0, 0.0, 0.0]])
    diagnosis = ZeroShotDiagnosis('a.npy', FAULTS, np.array([0.0, 1 / 3, 2 / 3]), 1 / 3, z, 1500.0)
    *windows, summary = diagnosis.rows()
    assert [w['predicted'] for w in windows] == ['inner_race', 'normal', 'normal']
    assert [(w['kind'], w['start_s'], w['duration_s']) for w in windows][1] == ('window', 0.333333, 1 / 3)
    assert windows[1]['z_scores'] == {'inner_race': 3.5, 'outer_race': 1.0, 'ball': 3.9}
    # Three windows without a common sample, and 64 surrogates.
    sure = math.sqrt(1 / (1 / 3 + 1 / 64))
    expected = {'inner_race': 11.5 / 3 * sure, 'outer_race': 2 / 3 * sure, 'ball': 1.3 * sure}
    assert summary['z_scores'] == pytest.approx(expected, abs=1e-3)
    assert (summary['predicted'], summary['agreement']) == ('inner_race', pytest.approx(1 / 3))
    assert (summary['kind'], summary['windows'], summary['speed_rpm']) == ('recording', 3, 1500.0)
    # The same windows within one and a half times their length.
    close = dataclasses.replace(diagnosis, window_starts_s=np.array([0.0, 1 / 12, 1 / 6]))
    np.testing.assert_allclose(close.pooled(), z.mean(0) / math.sqrt(1 / 1.5 + 1 / 64))
    # Gaps between windows make none of them count more.
    apart = dataclasses.replace(diagnosis, window_starts_s=np.array([0.0, 5.0, 10.0]))
    np.testing.assert_allclose(apart.pooled(), z.mean(0) * sure)


@pytest.mark.parametrize(
    ('z', 'verdict'), [([3.99, 0, 0], 'normal'), ([4.0, 0, 0], 'inner_race'), ([5, 6, 1], 'outer_race')]
)
def test_the_threshold_itself_is_a_fault(z, verdict):
    diagnosis = ZeroShotDiagnosis('a', FAULTS, np.zeros(1), 1.0, np.array([z]), 1.0)
    assert diagnosis.verdict(np.array(z)) == verdict


@pytest.mark.parametrize(
    ('speed_rpm', 'options', 'window_s'),
    [
        (3000.0, {}, 0.975),
        (1231.0, {}, 0.975),
        (1230.0, {}, 1200 / 1230),
        (300.0, {}, 4.0),
        (300.0, {'window_s': 2.0}, 2.0),
        (3000.0, {'window_s': 0.5}, 0.5),
    ],
)
def test_windows_grow_until_they_hold_twenty_turns(speed_rpm, options, window_s):
    diagnosis = diagnose_zero_shot(noise(5, speed_rpm=speed_rpm), **options)
    assert diagnosis.window_s == pytest.approx(window_s, abs=1 / RATE_HZ)
    assert len(diagnosis.window_starts_s) == int(5 * 0.975 / diagnosis.window_s)


def test_one_window_is_enough_and_a_sample_less_is_not():
    assert len(diagnose_zero_shot(noise(1)).z_scores) == 1
    with pytest.raises(DataError, match=r'noise.npy: 0.975 s at 2000 Hz .* window of 0.975 s \(24.4 turns at 1500'):
        diagnose_zero_shot(noise(1 - 1 / WINDOW))
    # A hop beyond the end is no error: there is a first window.
    assert len(diagnose_zero_shot(noise(1.5), hop_s=1e30).z_scores) == 1


@pytest.mark.parametrize(
    ('fields', 'options', 'words'),
    [
        ({'speed_rpm': UNKNOWN}, {}, 'speed of the shaft, .* nan rpm.*`speed_rpm`'),
        ({'speed_rpm': -3.0}, {}, 'which is -3.0 rpm'),
        ({'geometry': None}, {}, "needs the bearing's geometry"),
        (
            {'speed_rpm': 120.0},
            {},
            r'2.92 s at 2000 Hz .* 10 s \(20 turns at 120 rpm\): record longer',
        ),
        ({'speed_rpm': 120.0}, {}, 'window_s`?, at least 5'),
        ({}, {'window_s': 0.3}, '7.5 turns .*at least 10 .* 0.4 s'),
        ({'samples': np.random.default_rng(0).standard_normal((4000, 2))}, {}, '2 channels, .*`channel`'),
        ({'samples': np.ones((4000, 1))}, {}, 'channel 0 is constant'),
        ({'sample_rate_hz': math.nan}, {}, 'sample rate is nan'),
        (
            {'sample_rate_hz': 300.0},
            {},
            '300 Hz .*inner_race, outer_race, ball at 1500',
        ),
    ],
)
def test_recordings_that_cannot_be_diagnosed_are_refused_with_their_name(fields, options, words):
    with pytest.raises(DataError, match=f'^noise.npy: (?!noise).*{words}'):
        diagnose_zero_shot(noise(3, **fields), **options)


@pytest.mark.parametrize('option', ['window_s', 'hop_s'])
@pytest.mark.parametrize('value', [0.0, -1.0, math.nan, math.inf])
def test_windows_and_hops_are_numbers_above_0(option, value):
    with pytest.raises(ConfigError, match=f'`{option}`={value}: a number of seconds above 0'):
        diagnose_zero_shot(noise(2), **{option: value})


def test_a_hop_below_one_sample_is_refused():
    with pytest.raises(DataError, match='^`hop_s`=1e-06: .*2000 Hz .* 0.000500 s'):
        diagnose_zero_shot(noise(2), hop_s=1e-6)


@pytest.mark.parametrize('exponent', [2.0, 3.0, 4.0])
def test_red_noise_is_no_fault(exponent):
    """The jump from a window's end to its beginning leaks into every bin, and its envelope was called a fault."""
    for seed in range(3):
        spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(int(8 * RATE_HZ)))
        hz = np.maximum(np.fft.rfftfreq(int(8 * RATE_HZ), 1 / RATE_HZ), 1 / 8)
        red = np.fft.irfft(spectrum / hz ** (exponent / 2)).astype(np.float32)[:, None]
        recording = dataclasses.replace(noise(8), samples=red / red.std())
        assert diagnose_zero_shot(recording).rows()[-1]['predicted'] == 'normal'


def test_offset_drift_wild_and_dead_samples_name_no_other_fault():
    plain = diagnose_zero_shot(noise(10, seed=1))
    x = noise(10, seed=1).samples
    slow = dataclasses.replace(noise(10), samples=x + 10 + 5 * np.linspace(0, 1, len(x), dtype=np.float32)[:, None])
    np.testing.assert_allclose(diagnose_zero_shot(slow).z_scores, plain.z_scores, atol=0.02)
    wild = x.copy()
    wild[1000::2000] = 100
    found = diagnose_zero_shot(dataclasses.replace(noise(10), samples=wild)).rows()[-1]
    assert (found['predicted'], found['wild_samples']) == ('normal', 10)
    dead = x.copy()
    dead[3000:9000] = 0.5
    *windows, found = diagnose_zero_shot(dataclasses.replace(noise(10), samples=dead)).rows()
    unusable = [row for row in windows if row['predicted'] is None]
    assert found['unusable_windows'] == {'dead': len(unusable)}
    assert 0 < len(unusable) < len(windows) / 2
    assert all(row['z_scores'] is None for row in unusable)
    dead[3000:17000] = 0.5
    found = diagnose_zero_shot(dataclasses.replace(noise(10), samples=dead)).rows()[-1]
    assert (found['predicted'], found['agreement']) == (None, None)
    assert 'at least half are needed' in found['reason']
