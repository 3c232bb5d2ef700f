"""Raw recordings from user files: what is read, what is refused, and in which words."""

from __future__ import annotations

import logging
import math
import struct
import wave

import numpy as np
import pytest
import scipy.io
import scipy.io.wavfile

from fdx.data import raw_table
from fdx.data.raw_files import KNOWN_SUFFIXES, read_raw_file
from fdx.types import DataError

SOON_FILE = '01 - m1_half_shaft_speed_no_mechanical_load.csv'


def write(path, text, encoding='utf-8'):
    path.write_bytes(text.encode(encoding))
    return path


def refuse(path, *words, **kwargs):
    """The file is refused in a sentence that holds its name and all the words."""
    with pytest.raises(DataError) as caught:
        read_raw_file(path, **kwargs)
    message = str(caught.value)
    assert str(path) in message
    for word in words:
        assert word in message


# Real recordings.


def test_cwru_baseline_has_no_rate_of_its_own(raw_data):
    path = raw_data / 'cwru' / '97.mat'
    refuse(path, '--sample_rate')
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
    refuse(path, "'X105'", 'X105_FE_time 121265x1', '--variable', variable='X105', sample_rate_hz=12000)


def test_cwru_file_with_the_numbers_of_another_is_not_guessed(raw_data):
    path = raw_data / 'cwru' / '174.mat'
    refuse(path, 'X173_DE_time', 'X173_FE_time', '--variable', sample_rate_hz=48000)
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


# MATLAB files.


def test_mat_several_candidates_and_the_cwru_rule(tmp_path):
    x = np.arange(1500.0)
    path = tmp_path / '99.mat'
    scipy.io.savemat(path, {'X098_DE_time': x, 'X099_DE_time': 2 * x, 'X098RPM': 1772.0, 'X099RPM': 1750.0})
    r = read_raw_file(path, sample_rate_hz=48000)
    assert r.samples[3, 0] == 6.0
    assert r.speed_rpm == 1750.0
    path = tmp_path / 'two.mat'
    scipy.io.savemat(path, {'a': x, 'b': x, 'short': x[:999]})
    refuse(path, 'a 1x1500, b 1x1500', '--variable', sample_rate_hz=10)
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
    refuse(path, '--sample_rate')
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
    refuse(path, 'b.sr', '0.0 Hz', '--sample_rate')
    for head in (b'MATLAB 7.3 MAT-file, Platform: GLNXA64'.ljust(512) + b'\x89HDF\r\n\x1a\n', b'\x89HDF\r\n\x1a\n'):
        path.write_bytes(head + bytes(100))
        refuse(path, '7.3', "save('-v7'")


@pytest.mark.parametrize('compressed', [False, True])
def test_truncated_mat(tmp_path, compressed):
    path = tmp_path / 'a.mat'
    scipy.io.savemat(path, {'x': np.random.default_rng(0).normal(size=2000)}, do_compression=compressed)
    content = path.read_bytes()
    for size in (3, 50, 130, 200, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        refuse(path, 'cannot be read as a MATLAB file', 'cut off', sample_rate_hz=1)


# Text.


@pytest.mark.parametrize(
    ('text', 'rate_hz'),
    [
        ('time,x,y\n0.000,1,2\n0.002,3,4\n0.004,5,6\n', 500.0),
        ('Time (s)\tx\ty\n0,000\t1\t2\n0,002\t3\t4\n0,004\t5,0\t6\n', 500.0),
        ('time_ms;x;y\r\n0;1,0;2\r\n2;3,0;4\r\n4;5e0;6\r\n', 500.0),
        ('x  t[us]   y\n1 0 2\n3 2000 4\n5 4000 6\n', 500.0),
        ('Timestamp,x,y\n100,1,2\n2100,3,4\n4100,5,6\n', 500.0),
        ('Timestamp,x,y\n100.5,1,2\n100.502,3,4\n100.504,5,6\n', 500.0),
        ('# made by hand\n# t_µs x y\n0 1 2\n\n2000 3 4 # late\n4000 5 6\n', 500.0),
        ('"Time","x","y"\n(ms),(g),(g)\n\n"0",1,2\n2,3,4\n4,5,6\n', 500.0),
        ('time;x;y;\n0,000;1;2;\n0,002;3;4;\n0,004;5;6;\n', 500.0),
        (',x,y\n0,1,2\n1,3,4\n2,5,6\n', None),
        ('x,y\n1,2\n3,4\n5,6', None),
        ('\ufeff1,2\n3,4\n5,6\n   \n', None),
        ('  1  2\n  3  4\n  5  6\n', None),
    ],
)
def test_text_layouts(tmp_path, text, rate_hz):
    for encoding in ('utf-8', 'utf-16'):
        path = write(tmp_path / f'{encoding}.csv', text, encoding)
        if rate_hz is None:
            refuse(path, 'sampling rate', '--sample_rate')
        r = read_raw_file(path, sample_rate_hz=None if rate_hz else 500.0)
        assert r.sample_rate_hz == pytest.approx(500.0, rel=1e-6)
        np.testing.assert_array_equal(r.samples, [[1, 2], [3, 4], [5, 6]])


def test_latin_1_header(tmp_path):
    path = write(tmp_path / 'a.txt', 't (µs);größe\n0;1\n500;2\n1000;3\n', 'latin-1')
    assert read_raw_file(path, channel='größe').sample_rate_hz == pytest.approx(2000.0)


def test_columns_and_channels(tmp_path):
    path = write(tmp_path / 'a.csv', 'time,x,y,z,z\n0,1,2,3,4\n0.5,1,2,3,4\n')
    r = read_raw_file(path, columns=['y', 'x'])
    np.testing.assert_array_equal(r.samples[0], [2, 1])
    assert r.sample_rate_hz == 2.0
    for channel in (1, '1', 'y'):
        assert read_raw_file(path, channel=channel).samples.tolist() == [[2.0], [2.0]]
    refuse(path, "no column 'w'", 'time, x, y, z', '--columns', columns=['w'])
    refuse(path, "several columns 'z'", columns=['z'])
    refuse(path, "several channels 'z'", '--channel', channel='z')
    refuse(path, "no channel 'w'", '--channel with 0 to 3', 'x, y, z', channel='w')
    refuse(path, 'no channel 4', channel=4)
    refuse(path, 'no channel -1', channel=-1)
    refuse(path, '--columns', 'list', columns='x')
    for channel in ('y,x', ['y', 'x'], (1, 0), '1, x'):
        assert read_raw_file(path, channel=channel).samples[0].tolist() == [2, 1]
    refuse(path, "--channel 'x,0'", 'each once', channel='x,0')
    refuse(path, 'each once', channel=[])
    refuse(path, "no channel 'w'", channel='x,w')
    refuse(path, "no channel ''", channel='x,')
    both = write(tmp_path / 'c.csv', 'time;a,b;a;b\n0;1;2;3\n0,5;1;2;3\n')
    assert read_raw_file(both, channel='a,b').samples[0].tolist() == [1]
    assert read_raw_file(both, channel=['a', 'b']).samples[0].tolist() == [2, 3]
    refuse(write(tmp_path / 'b.csv', '1,2\n3,4\n'), 'no header', '--channel', columns=['x'], sample_rate_hz=1)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('# c\ntime,x\n0.0,1\n\n0.1,one\n0.2,3\n', ['row 5', 'column 2 (x)', "'one'", 'not a number']),
        ('1,2\n3,\n5,6\n', ['row 2', 'column 2', "''"]),
        ('1,2\n3,1_0\n5,6\n', ['row 2', "'1_0'"]),
        ('1,2,3\n4,5\n6,7,8\n9,1,2\n', ['row 2', '2 cells, not 3']),
        ('1,2\n4,5\n6,7,8\n9,1\n', ['row 3', '3 cells, not 2']),
        ('x,y,z\n4,5\n6,7\n9,1\n', ['header (row 1)', '3 names', '2 cells']),
        ('x,1\n4,5\n6,7\n', ['row 1', 'column 1', "'x'"]),
        ('time,x\n2022-01-01,5\n2022-01-02,7\n', ['row 2', 'column 1 (time)', 'dates']),
        ('x;y\n1.234,5;2\n1;2\n', ['row 2', "'1.234,5'"]),
        ('x,y\n', ['header', 'no rows']),
        ('# nothing\n\n', ['no rows']),
        ('time\n0.0\n0.1\n', ['no column beside time']),
        ('time,x\n0.0,1\n0.1,1\n0.1,1\n', ['row 4', 'time 0.1', 'repeats', '--sample_rate']),
        ('time,x\n0.0,1\n0.2,1\n0.1,1\n', ['row 4', 'time 0.1', 'goes back', '0.2']),
        ('time,x\n0.0,1\nnan,1\n0.1,1\n', ['row 3', 'time nan']),
        ('time,x\n0,1\n1,1\n2,1\n', ['whole numbers', 'time_ms', '--sample_rate']),
        ('time,x\n0.5,1\n', ['one row', '--sample_rate']),
        ('a\0b', ['zero bytes']),
    ],
)
def test_text_refusals(tmp_path, text, words):
    refuse(write(tmp_path / 'a.csv', text), *words)


def test_a_given_rate_allows_coarse_times_but_no_disorder(tmp_path, caplog):
    coarse = write(tmp_path / 'a.csv', 'time,x\n0.0,1\n0.0,1\n0.1,1\n0.1,1\n')
    assert read_raw_file(coarse, sample_rate_hz=20).sample_rate_hz == 20.0
    refuse(write(tmp_path / 'b.csv', 'time,x\n0.2,1\n0.1,1\n'), 'row 3', 'goes back', sample_rate_hz=20)
    caplog.clear()
    counted = write(tmp_path / 'c.csv', 'time,x\n0,1\n1,1\n2,1\n')
    assert read_raw_file(counted, sample_rate_hz=20).sample_rate_hz == 20.0
    assert not caplog.records
    timed = write(tmp_path / 'd.csv', 'time,x\n0.0,1\n0.1,1\n0.2,1\n')
    assert read_raw_file(timed, sample_rate_hz=10.05).sample_rate_hz == 10.05
    assert not caplog.records
    assert read_raw_file(timed, sample_rate_hz=20).sample_rate_hz == 20.0
    assert '20 Hz wins over the 10 Hz of column time' in caplog.text


@pytest.mark.parametrize(
    ('make_steps', 'words'),
    [
        (lambda steps: steps, None),
        (lambda steps: steps * (1 + 0.06 * np.sin(np.arange(len(steps)))), None),
        (lambda steps: steps * (1 + 0.14 * np.sin(np.arange(len(steps)))), 'scatter by 9.9 %'),
        (lambda steps: np.where(np.arange(len(steps)) == 5, 2 * steps, steps), '2.00 medians (row 7)'),
    ],
)
def test_uneven_times_are_reported(tmp_path, caplog, make_steps, words):
    times = np.cumsum(make_steps(np.full(2000, 1e-3)))
    path = write(tmp_path / 'a.csv', 'time,x\n' + ''.join(f'{t:.9f},1\n' for t in times))
    assert read_raw_file(path).sample_rate_hz == pytest.approx(1000, rel=0.05)
    if words is None:
        assert not caplog.records
    else:
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert words in caplog.text


def test_a_long_table_is_read_at_once_and_searched_row_by_row_only_when_bad(tmp_path, monkeypatch):
    values = np.random.default_rng(0).integers(-20000, 20000, (150_000, 3))
    rows = '\n'.join(f'{1876 * i},{a},{b},{c}' for i, (a, b, c) in enumerate(values.tolist()))
    path = write(tmp_path / 'long.csv', f'Timestamp,AccX,AccY,AccZ\n{rows}\n')
    with monkeypatch.context() as patch:
        patch.setattr(raw_table, '_raise_for_bad_row', lambda table: pytest.fail('searched row by row'))
        np.testing.assert_array_equal(read_raw_file(path).samples, values)
    refuse(write(path, path.read_text() + '281400000,1,x,3\n'), 'row 150002', 'column 3 (AccY)', "'x'")


# .npy and .wav.


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


# Every format.


def test_request_refusals(tmp_path):
    refuse(tmp_path / 'absent.csv', 'does not exist')
    refuse(tmp_path, 'is a folder')
    refuse(write(tmp_path / 'a.xlsx', 'x'), "'.xlsx'", *KNOWN_SUFFIXES)
    for suffix in KNOWN_SUFFIXES:
        refuse(write(tmp_path / f'empty{suffix}', ''), 'is empty')
    path = write(tmp_path / 'a.csv', '1\n2\n')
    for rate_hz in (0, -1.0, math.nan, math.inf):
        refuse(path, f'--sample_rate is {rate_hz}', sample_rate_hz=rate_hz)
    refuse(path, '--variable', '.mat', variable='x', sample_rate_hz=1)
    np.save(tmp_path / 'a.npy', np.zeros(3))
    refuse(tmp_path / 'a.npy', '--columns', columns=['x'], sample_rate_hz=1)


def test_values_are_left_to_the_front_end(tmp_path):
    path = write(tmp_path / 'a.csv', 'x\n1\nnan\ninf\n')
    np.testing.assert_array_equal(read_raw_file(path, sample_rate_hz=1).samples[:, 0], [1, np.nan, np.inf])
