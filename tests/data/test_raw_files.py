"""Raw recordings from user files, whatever their format; and real ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.io
import scipy.io.wavfile

from fdx.data.raw.files import KNOWN_SUFFIXES, read_raw_file
from fdx.types import DataError
from tests.data.raw_file_checks import refuse, write

SOON_FILE = '01 - m1_half_shaft_speed_no_mechanical_load.csv'


def test_cwru_baseline_has_no_rate_of_its_own(raw_data):
    path = raw_data / 'cwru' / '97.mat'
    refuse(path, 'sample_rate_hz')
    r = read_raw_file(str(path), sample_rate_hz=48000)
    assert r.samples.shape == (243938, 1)
    assert r.samples.dtype == np.float32
    assert (r.sample_rate_hz, r.speed_rpm) == (48000.0, 1796.0)
    assert math.isnan(r.load)
    assert r.samples[0, 0] == np.float32(0.05319692307692308)
    assert (r.recording, r.source) == ('97.mat', str(path))
    assert r.label == r.fault_type == r.bearing == r.domain == ''


def test_cwru_takes_the_drive_end_and_any_other_by_name(raw_data):
    path = raw_data / 'cwru' / '105.mat'
    content = scipy.io.loadmat(path)
    for variable, key in ((None, 'X105_DE_time'), ('X105_BA_time', 'X105_BA_time')):
        r = read_raw_file(path, sample_rate_hz=12000, variable=variable)
        assert r.samples.shape == (121265, 1)
        assert r.speed_rpm == 1797.0
        np.testing.assert_array_equal(r.samples, content[key].astype(np.float32))
    refuse(path, "'X105'", 'X105_FE_time 121265x1', 'variable', variable='X105', sample_rate_hz=12000)


def test_cwru_file_with_the_numbers_of_another_is_not_guessed(raw_data):
    path = raw_data / 'cwru' / '174.mat'
    refuse(path, 'X173_DE_time', 'X173_FE_time', 'variable', sample_rate_hz=48000)
    assert read_raw_file(path, sample_rate_hz=48000, variable='X173_DE_time').samples.shape == (63788, 1)


def test_mfpt_struct_fields_are_read_by_name(raw_data, caplog):
    path = raw_data / 'mfpt' / 'InnerRaceFault_vload_3.mat'
    r = read_raw_file(path)
    assert r.samples.shape == (146484, 1)
    assert (r.sample_rate_hz, r.speed_rpm, r.load) == (48828.0, 1500.0, 100.0)
    assert r.samples[0, 0] == np.float32(-3.603589)
    assert not caplog.records
    r = read_raw_file(path, variable='bearing.gs', sample_rate_hz=97656)
    assert r.sample_rate_hz == 97656.0
    assert '97656' in caplog.text
    assert '48828 Hz of bearing.sr' in caplog.text


def test_soon_timestamps_are_microseconds(raw_data, caplog):
    r = read_raw_file(raw_data / 'soon' / SOON_FILE)
    # 107,346 samples at a rate that falls from 548 to 528 Hz, brought to even times of 1,876 us.
    assert r.samples.shape == ((203405364 - 2141864) // 1876 + 1, 3)
    assert r.sample_rate_hz == pytest.approx(1e6 / 1876)
    np.testing.assert_array_equal(r.samples[0], [3624, -567, 17452])
    assert not caplog.records
    given = read_raw_file(raw_data / 'soon' / SOON_FILE, sample_rate_hz=530.0)
    assert given.samples.shape == (107346, 3)
    assert given.sample_rate_hz == 530.0
    z = read_raw_file(raw_data / 'soon' / SOON_FILE, channel='AccZ')
    np.testing.assert_array_equal(z.samples[:, 0], r.samples[:, 2])


def test_request_refusals(tmp_path):
    refuse(tmp_path / 'absent.csv', 'does not exist')
    refuse(tmp_path, 'is a folder')
    refuse(write(tmp_path / 'a.xlsx', 'x'), "'.xlsx'", *KNOWN_SUFFIXES)
    for suffix in KNOWN_SUFFIXES:
        refuse(write(tmp_path / f'empty{suffix}', ''), 'is empty')
    path = write(tmp_path / 'a.csv', '1\n2\n')
    for rate_hz in (0, -1.0, math.nan, math.inf):
        refuse(path, f'`sample_rate_hz` is {rate_hz}', sample_rate_hz=rate_hz)
    refuse(path, 'variable', '.mat', variable='x', sample_rate_hz=1)
    np.save(tmp_path / 'a.npy', np.zeros(3))
    refuse(tmp_path / 'a.npy', 'columns', columns=['x'], sample_rate_hz=1)


def test_values_are_left_to_the_front_end(tmp_path):
    path = write(tmp_path / 'a.csv', 'x\n1\nnan\ninf\n')
    np.testing.assert_array_equal(read_raw_file(path, sample_rate_hz=1).samples[:, 0], [1, np.nan, np.inf])


def test_errors_are_one_line_whatever_stands_in_the_file(tmp_path):
    """Separators of lines that only Python knows, in names and cells and alone in a line."""
    for text in ('ti\x85me,a\u2028b\n0,1\n1,x\n2,3\n', '1\n2\n\x1c\n', '1\n2\n\x1d\n3\nx\n'):
        path = write(tmp_path / 'a.csv', text)
        with pytest.raises(DataError) as caught:
            read_raw_file(path, sample_rate_hz=1)
        assert len(str(caught.value).splitlines()) == 1
        assert 'StopIteration' not in str(caught.value)
