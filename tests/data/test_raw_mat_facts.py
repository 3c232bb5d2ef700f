"""Sampling rate, shaft speed and load beside the signal of a MATLAB file."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.io

from fdx.data.raw.files import read_raw_file
from tests.data.raw_file_checks import refuse

X = np.random.default_rng(0).normal(size=2000)
RATE_NAMES = [
    *('fs', 'Fs', 'FS', 'sr', 'Sr', 'fsamp', 'Fsamp', 'SampleFrequency', 'SamplingFrequency', 'SamplingRate'),
    *('sampling_rate', 'sample_rate', 'samplerate', 'sampling_frequency', 'Sample_Freq', 'fs_Hz', 'SampleRateHz'),
]


@pytest.mark.parametrize('name', RATE_NAMES)
@pytest.mark.parametrize('format', ['4', '5'])
def test_a_rate_among_the_variables(tmp_path, name, format):
    scipy.io.savemat(tmp_path / 'a.mat', {name: 25600, 'x': X, 'temperature': 31.0}, format=format)
    assert read_raw_file(tmp_path / 'a.mat').sample_rate_hz == 25600.0


@pytest.mark.parametrize('name', RATE_NAMES)
def test_a_rate_in_the_struct(tmp_path, name):
    scipy.io.savemat(tmp_path / 'a.mat', {'run': {'x': X, name: 25600.0}, 'other': {'fs': 9.0}})
    assert read_raw_file(tmp_path / 'a.mat').sample_rate_hz == 25600.0


def test_the_innermost_rate_counts_and_outer_ones_do_where_there_is_none(tmp_path):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, {'fs': 1000.0, 'run': {'x': X, 'fs': 2000.0}})
    assert read_raw_file(path).sample_rate_hz == 2000.0
    scipy.io.savemat(path, {'fs': 1000.0, 'run': {'channels': {'x': X}}})
    assert read_raw_file(path).sample_rate_hz == 1000.0
    scipy.io.savemat(path, {'x': X, 'other': {'fs': 1000.0}})
    refuse(path, 'sample_rate_hz')


@pytest.mark.parametrize(
    ('facts', 'rate_hz'),
    [
        ({'Fs_kHz': 51.2}, 51200.0),
        ({'fs': '12000'}, 12000.0),
        ({'dt': 1 / 5000}, 5000.0),
        ({'SamplingInterval': 0.0001, 'fs': 10000}, 10000.0),
        ({'fs': 12000, 'sampling_rate': 12000.0}, 12000.0),
    ],
)
def test_other_ways_to_state_a_rate(tmp_path, facts, rate_hz):
    scipy.io.savemat(tmp_path / 'a.mat', {'x': X, **facts})
    assert read_raw_file(tmp_path / 'a.mat').sample_rate_hz == pytest.approx(rate_hz)


@pytest.mark.parametrize(
    ('facts', 'words'),
    [
        ({'Fs': 51.2}, ['Fs = 51.2 Hz', 'kHz?']),
        ({'fs': 1e12}, ['fs = 1e+12 Hz']),
        ({'fs': 12000, 'sr': 48000}, ['several sampling rates', 'fs = 12000 Hz, sr = 48000 Hz']),
        ({'fs': np.array([12000, 48000])}, ['does not tell its sampling rate']),
        ({'fs': 1j}, ['does not tell its sampling rate']),
        ({'fs': True}, ['does not tell its sampling rate']),
        ({'fs': math.nan}, ['does not tell its sampling rate']),
        ({'fs': math.inf}, ['fs = inf Hz']),
        ({'fs': 0}, ['fs gives a sampling rate of 0.0 Hz']),
        ({'dt': 3.0}, ['does not tell its sampling rate']),
        ({'first': 12000}, ['does not tell its sampling rate']),
    ],
)
def test_doubtful_rates_are_asked_for(tmp_path, facts, words):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, {'x': X, **facts})
    refuse(path, 'sample_rate_hz', *words)
    assert read_raw_file(path, sample_rate_hz=12000).sample_rate_hz == 12000.0


def test_a_given_rate_that_contradicts_is_a_note(tmp_path, caplog):
    scipy.io.savemat(tmp_path / 'a.mat', {'x': X, 'fs': 12000})
    assert read_raw_file(tmp_path / 'a.mat', sample_rate_hz=12000).notes == ()
    assert not caplog.records
    r = read_raw_file(tmp_path / 'a.mat', sample_rate_hz=48000)
    assert r.sample_rate_hz == 48000.0
    assert r.notes == ('`sample_rate_hz` 48000 Hz wins over the 12000 Hz of fs',)
    assert r.notes[0] in caplog.text


def test_a_rate_in_hz_is_a_shaft_speed_only_if_it_can_be_one(tmp_path, caplog):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, {'bearing': {'gs': X, 'sr': 97656.0, 'rate': 97656.0, 'load': 1.0}})
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.load) == (97656.0, 1.0)
    assert math.isnan(r.speed_rpm)
    assert r.notes == ('bearing.rate is 97656, which is not a shaft speed in Hz, and was left out',)
    assert r.notes[0] in caplog.text
    for rate, sr, speed_rpm in ((25.0, 97656.0, 1500.0), (0.0, 97656.0, math.nan), (1000.0, 1000.0, math.nan)):
        scipy.io.savemat(path, {'bearing': {'gs': X, 'sr': sr, 'rate': rate, 'load': 270}})
        assert read_raw_file(path).speed_rpm == pytest.approx(speed_rpm, nan_ok=True)


def test_speeds_by_name(tmp_path):
    path = tmp_path / 'a.mat'
    for facts, speed_rpm in (
        ({'rpm': 1500}, 1500.0),
        ({'Shaft_Speed_RPM': 1500}, 1500.0),
        ({'rpm': 48000000}, math.nan),
        ({'rpm': 0}, math.nan),
        ({'rpm': 1000, 'RPM': 2000}, math.nan),
        ({'rate': 25}, math.nan),
    ):
        scipy.io.savemat(path, {'x': X, 'fs': 12000, **facts})
        assert read_raw_file(path).speed_rpm == pytest.approx(speed_rpm, nan_ok=True)
    path = tmp_path / '97.mat'
    scipy.io.savemat(path, {'X097_DE_time': X, 'X097RPM': 1e9, 'X098RPM': 1796.0})
    assert math.isnan(read_raw_file(path, sample_rate_hz=48000).speed_rpm)


def test_integers_of_matlab_are_counts(tmp_path):
    path = tmp_path / 'a.mat'
    counts = np.round(1000 * X)
    for array, unit in ((counts.astype(np.int16), 'counts'), (counts, ''), (X.astype(np.float32), '')):
        scipy.io.savemat(path, {'x': array}, do_compression=True)
        r = read_raw_file(path, sample_rate_hz=1000)
        assert r.unit == unit
        np.testing.assert_array_equal(r.samples[:, 0], array.astype(np.float32))


def test_hit_names_its_variable_anew_in_every_file(raw_data):
    for path in sorted((raw_data / 'hit_mfs').rglob('*.mat')):
        refuse(path, 'sample_rate_hz')
        assert read_raw_file(path, sample_rate_hz=51200).samples.shape == (262144, 1)
