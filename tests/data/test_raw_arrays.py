"""Recordings in .npy and .wav files: what is read, what is refused, and in which words."""

from __future__ import annotations

import struct
import wave

import numpy as np
import pytest
import scipy.io
import scipy.io.wavfile

from fdx.data.raw_files import read_raw_file
from tests.data.raw_file_checks import refuse


def test_npy(tmp_path, caplog):
    path = tmp_path / 'a.npy'
    np.save(path, np.arange(5, dtype='>i2'))
    refuse(path, '--sample_rate')
    r = read_raw_file(path, sample_rate_hz=100)
    assert r.samples.tolist() == [[0], [1], [2], [3], [4]]
    assert r.samples.dtype == np.float32
    np.save(path, np.arange(6.0).reshape(3, 2))
    assert read_raw_file(path, sample_rate_hz=100, channel=1).samples.tolist() == [[1], [3], [5]]
    assert not caplog.records
    np.save(path, np.arange(6.0).reshape(2, 3))
    assert read_raw_file(path, sample_rate_hz=100).samples.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert 'transposed' in caplog.text


def test_npy_refusals(tmp_path):
    path = tmp_path / 'a.npy'
    for array, word in (
        (np.zeros(3, complex), 'complex'),
        (np.zeros((2, 2, 2)), '(2, 2, 2)'),
        (np.float64(1), 'shape ()'),
        (np.zeros((0, 2)), '(0, 2)'),
        (np.array(['a']), '<U1'),
        (np.zeros(3, bool), 'bool'),
        (np.array([{}], object), 'Python objects'),
    ):
        np.save(path, array)
        refuse(path, word, sample_rate_hz=1)
    np.save(path, np.arange(100.0))
    content = path.read_bytes()
    for size in (8, 20, 128, 500):
        path.write_bytes(content[:size])
        refuse(path, 'cut off', sample_rate_hz=1)
    path.write_bytes(b'\x80\x04K\x01.')
    refuse(path, 'not a .npy array', sample_rate_hz=1)


@pytest.mark.parametrize(
    ('width', 'data', 'expected'),
    [
        (1, bytes([0, 255, 128]), [-1, 127 / 128, 0]),
        (2, struct.pack('<3h', -(2**15), 2**14, 1), [-1, 0.5, 2**-15]),
        (3, b'\x00\x00\x80\x00\x00\x40\x01\x00\x00', [-1, 0.5, 2**-23]),
        (4, struct.pack('<3i', -(2**31), 2**30, 2**8), [-1, 0.5, 2**-23]),
    ],
)
def test_wav_integers_are_scaled_by_full_scale(tmp_path, width, data, expected):
    path = tmp_path / 'a.wav'
    with wave.open(str(path), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(25600)
        file.writeframes(data)
    r = read_raw_file(path)
    assert r.sample_rate_hz == 25600.0
    assert r.samples[:, 0].tolist() == expected


def test_wav_floats_are_kept_and_a_given_rate_wins(tmp_path, caplog):
    path = tmp_path / 'a.WAV'
    scipy.io.wavfile.write(path, 8000, np.array([[1.5, -3], [0, 7]], np.float32))
    assert read_raw_file(path, sample_rate_hz=8000).samples.tolist() == [[1.5, -3], [0, 7]]
    assert not caplog.records
    assert read_raw_file(path, sample_rate_hz=8001).sample_rate_hz == 8001.0
    assert '8001 Hz wins over the 8000 Hz of the header' in caplog.text


def test_truncated_wav(tmp_path):
    path = tmp_path / 'a.wav'
    scipy.io.wavfile.write(path, 8000, np.arange(100, dtype=np.int16))
    content = path.read_bytes()
    for size in (2, 4, 10, 20, 30, 40, 44, 45, 100, len(content) - 2, len(content) - 1):
        path.write_bytes(content[:size])
        refuse(path, 'cut off')
    path.write_bytes(bytes(1000))
    refuse(path, 'cannot be read as a .wav file')
