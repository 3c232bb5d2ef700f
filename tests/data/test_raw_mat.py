"""Recordings in MATLAB files: what is read, what is refused, and in which words."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.io
import scipy.io.wavfile

from fdx.data.raw.files import read_raw_file
from tests.data.raw_file_checks import refuse


def test_mat_several_candidates_and_the_cwru_rule(tmp_path):
    x = np.arange(1500.0)
    path = tmp_path / '99.mat'
    scipy.io.savemat(path, {'X098_DE_time': x, 'X099_DE_time': 2 * x, 'X098RPM': 1772.0, 'X099RPM': 1750.0})
    r = read_raw_file(path, sample_rate_hz=48000)
    assert r.samples[3, 0] == 6.0
    assert r.speed_rpm == 1750.0
    path = tmp_path / 'two.mat'
    scipy.io.savemat(path, {'a': x, 'b': x, 'short': x[:999]})
    refuse(path, 'a 1x1500, b 1x1500', 'variable', sample_rate_hz=10)
    assert read_raw_file(path, sample_rate_hz=10, variable='short').samples.shape == (999, 1)


def test_mat_struct_fields_in_any_order(tmp_path):
    fields = {'sr': 97656, 'gs': np.arange(2000.0), 'load': 270, 'rate': 25}
    for i, names in enumerate((('sr', 'gs', 'load', 'rate'), ('rate', 'load', 'gs', 'sr'))):
        path = tmp_path / f'{i}.mat'
        scipy.io.savemat(path, {'bearing': {name: fields[name] for name in names}})
        r = read_raw_file(path)
        assert (r.sample_rate_hz, r.speed_rpm, r.load) == (97656.0, 1500.0, 270.0)
        assert r.samples[-1, 0] == 1999.0


def test_mat_rate_without_sr_is_not_taken_for_a_shaft_speed(tmp_path):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, {'run': {'gs': np.arange(2000.0), 'rate': 25600}})
    refuse(path, 'sample_rate_hz')
    assert math.isnan(read_raw_file(path, sample_rate_hz=25600).speed_rpm)


def test_mat_struct_array_and_matrix(tmp_path):
    elements = np.zeros((1, 2), dtype=[('Name', object), ('Data', object)])
    elements[0, 0] = ('speed', np.zeros((1, 10)))
    elements[0, 1] = ('vibration_1', np.arange(1200.0)[None])
    path = tmp_path / 'K001.mat'
    scipy.io.savemat(path, {'K001': {'Y': elements}})
    assert read_raw_file(path, sample_rate_hz=64000, variable='K001.Y(2).Data').samples[7, 0] == 7.0
    assert read_raw_file(path, sample_rate_hz=64000).samples.shape == (1200, 1)
    path = tmp_path / 'C0A.mat'
    scipy.io.savemat(path, {'C0A': np.arange(7200).reshape(1200, 6)})
    assert read_raw_file(path, sample_rate_hz=51200).samples.shape == (1200, 6)
    np.testing.assert_array_equal(read_raw_file(path, sample_rate_hz=51200, channel=2).samples[:2, 0], [2, 8])


def test_mat_refusals(tmp_path):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, {'short': np.zeros(10), 'text': 'abc'})
    refuse(path, 'no signal', 'short 1x10', sample_rate_hz=1)
    scipy.io.savemat(path, {'z': np.zeros(2000, complex)})
    refuse(path, 'variable z', 'complex', sample_rate_hz=1)
    scipy.io.savemat(path, {'b': {'gs': np.arange(2000.0), 'sr': 0}})
    refuse(path, 'b.sr', '0.0 Hz', 'sample_rate_hz')
    for head in (b'MATLAB 7.3 MAT-file, Platform: GLNXA64'.ljust(512) + b'\x89HDF\r\n\x1a\n', b'\x89HDF\r\n\x1a\n'):
        path.write_bytes(head + bytes(100))
        refuse(path, 'cannot be read as an HDF5 file', 'cut off')


@pytest.mark.parametrize('compressed', [False, True])
def test_truncated_mat(tmp_path, compressed):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, {'x': np.random.default_rng(0).normal(size=2000)}, do_compression=compressed)
    content = path.read_bytes()
    for size in (3, 50, 130, 200, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        refuse(path, 'cannot be read as a MATLAB file', 'cut off', sample_rate_hz=1)


def test_times_are_not_the_signal_and_a_vector_beside_a_matrix_is_not_chosen_silently(tmp_path):
    path, x = tmp_path / 'a.mat', np.sin(np.arange(2000.0))
    scipy.io.savemat(path, {'time': np.arange(2000) / 100, 'x': x})
    np.testing.assert_array_equal(read_raw_file(path, sample_rate_hz=1).samples[:, 0], x.astype(np.float32))
    scipy.io.savemat(path, {'time': np.arange(2000) / 100, 'x': np.stack([x, -x], 1)})
    assert read_raw_file(path, sample_rate_hz=1).samples.shape == (2000, 2)
    scipy.io.savemat(path, {'tacho': x, 'x': np.stack([x, -x], 1)})
    refuse(path, 'variables that could be the signal', 'tacho 1x2000', 'x 2000x2', sample_rate_hz=1)
