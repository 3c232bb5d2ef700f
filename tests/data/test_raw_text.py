"""Recordings in text files: what is read, what is refused, and in which words."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from fdx.data.raw import table as raw_table
from fdx.data.raw.files import read_raw_file
from tests.data.raw_file_checks import refuse, write


@pytest.mark.parametrize(
    ('text', 'rate_hz'),
    [
        ('time,x,y\n0.000,1,2\n0.002,3,4\n0.004,5,6\n', 500.0),
        ('Time (s)\tx\ty\n0,000\t1\t2\n0,002\t3\t4\n0,004\t5,0\t6\n', 500.0),
        ('time_ms;x;y\r\n0;1,0;2\r\n2;3,0;4\r\n4;5e0;6\r\n', 500.0),
        ('x  t[us]   y\n1 0 2\n3 2000 4\n5 4000 6\n', 500.0),
        ('Timestamp_us,x,y\n100,1,2\n2100,3,4\n4100,5,6\n', 500.0),
        ('Timestamp,AccX,AccY\n100,1,2\n2100,3,4\n4100,5,6\n', 500.0),
        ('Timestamp,x,y\n100.5,1,2\n100.502,3,4\n100.504,5,6\n', 500.0),
        ('# made by hand\n# t_µs x y\n0 1 2\n\n2000 3 4 # late\n4000 5 6\n', 500.0),
        ('"Time","x","y"\n(ms),(g),(g)\n\n"0",1,2\n2,3,4\n4,5,6\n', 500.0),
        ('time;x;y;\n0,000;1;2;\n0,002;3;4;\n0,004;5;6;\n', 500.0),
        (',x,y\n0,1,2\n1,3,4\n2,5,6\n', None),
        ('x,y\n1,2\n3,4\n5,6', None),
        ('\ufeff1,2.0\n3,4\n5,6\n   \n', None),
        ('sep=;\nx;y\n1;2\n3;4\n5;6\n', None),
        ('Logger 7, Serial 12\nRate,12000\n\nx,y\n1,2\n3,4\n5,6\n', None),
        ('x|y|\n1|2|\n3|4|\n5|6|\n', None),
        ('x,y\n"1,0","2,0"\n"3,0","4,0"\n"5,0","6,0"\n', None),
        ('"x, left","y\nright"\n1,2\n3,4\n5,6\n', None),
        ('x;y\n1;2\n3;4 # late\n+5;6E0\n', None),
        ('Ch #1;Ch #2\n1;2\n3;4\n5;6\n', None),
        ('time;x;y\ns;g;g\n0,000;1;2\n0,002;3;4\n0,004;5;6\n', 500.0),
        ('Elapsed Time (ms)   x   y\n0 1 2\n2 3 4\n4 5 6\n', 500.0),
        ('  1  2\n  3  4\n  5  6\n', None),
    ],
)
def test_text_layouts(tmp_path, text, rate_hz):
    for encoding in ('utf-8', 'utf-16'):
        path = write(tmp_path / f'{encoding}.csv', text, encoding)
        if rate_hz is None:
            refuse(path, 'sampling rate', 'sample_rate_hz')
        r = read_raw_file(path, sample_rate_hz=None if rate_hz else 500.0)
        assert r.sample_rate_hz == pytest.approx(500.0, rel=1e-6)
        np.testing.assert_array_equal(r.samples, [[1, 2], [3, 4], [5, 6]])


def test_latin_1_header(tmp_path):
    path = write(tmp_path / 'a.txt', 't (µs);größe\n0;1\n500;2\n1000;3\n', 'latin-1')
    assert read_raw_file(path, channel='größe').sample_rate_hz == pytest.approx(2000.0)


def test_columns_and_channels(tmp_path):
    path = write(tmp_path / 'a.csv', 'time_s,x,y,z,z\n0,1,2,3,4\n0.5,1,2,3,4\n')
    r = read_raw_file(path, columns=['y', 'x'])
    np.testing.assert_array_equal(r.samples[0], [2, 1])
    assert r.sample_rate_hz == 2.0
    for channel in (1, '1', 'y'):
        assert read_raw_file(path, channel=channel).samples.tolist() == [[2.0], [2.0]]
    refuse(path, "no column 'w'", 'time_s, x, y, z', 'columns', columns=['w'])
    refuse(path, "several columns 'z'", columns=['z'])
    refuse(path, "several channels 'z'", 'channel', channel='z')
    refuse(path, "no channel 'w'", '`channel` with 0 to 3', 'x, y, z', channel='w')
    refuse(path, 'no channel 4', channel=4)
    refuse(path, 'no channel -1', channel=-1)
    refuse(path, 'columns', 'list', columns='x')
    for channel in ('y,x', ['y', 'x'], (1, 0), '1, x'):
        assert read_raw_file(path, channel=channel).samples[0].tolist() == [2, 1]
    refuse(path, "`channel` 'x,0'", 'each once', channel='x,0')
    refuse(path, 'each once', channel=[])
    refuse(path, "no channel 'w'", channel='x,w')
    refuse(path, "no channel ''", channel='x,')
    both = write(tmp_path / 'c.csv', 'time_s;a,b;a;b\n0;1;2;3\n0,5;1;2;3\n')
    assert read_raw_file(both, channel='a,b').samples[0].tolist() == [1]
    assert read_raw_file(both, channel=['a', 'b']).samples[0].tolist() == [2, 3]
    refuse(write(tmp_path / 'b.csv', '1,2.5\n3,4\n'), 'no header', 'channel', columns=['x'], sample_rate_hz=1)


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
        ('x;y\n1.234,5;2\n1,23,5;2\n', ['row 3', "'1,23,5'", 'decimal']),
        ('x,y\n', ['header', 'no rows']),
        ('# nothing\n\n', ['no rows']),
        ('time\n0.0\n0.1\n', ['no column beside time']),
        ('time,x\n0.0,1\n0.1,1\n0.1,1\n', ['row 4', 'time 0.1', 'repeats', 'sample_rate_hz']),
        ('time,x\n0.0,1\n0.2,1\n0.1,1\n', ['row 4', 'time 0.1', 'goes back', '0.2']),
        ('time,x\n0.0,1\nnan,1\n0.1,1\n', ['row 3', 'time nan']),
        ('time,x\n0,1\n1,1\n2,1\n', ['whole numbers', 'time_ms', 'sample_rate_hz']),
        ('time,x\n0.5,1\n', ['one row', 'sample_rate_hz']),
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
    refuse(timed, '10 Hz in s', '10000 Hz in ms', 'time_unit')
    assert read_raw_file(timed, sample_rate_hz=10.05).sample_rate_hz == 10.05
    assert not caplog.records
    assert read_raw_file(timed, sample_rate_hz=20).sample_rate_hz == 20.0
    assert '20 Hz wins over the 10 Hz of column time' in caplog.text


@pytest.mark.parametrize(
    ('make_steps', 'words'),
    [
        (lambda steps: steps, None),
        (lambda steps: steps * (1 + 0.06 * np.sin(np.arange(len(steps)))), None),
        (lambda steps: steps * (1 + 0.14 * np.sin(np.arange(len(steps)))), '9.9 %'),
        (
            lambda steps: np.where(np.arange(len(steps)) == 5, 2 * steps, steps),
            '1 sample (0.001 s at 1000 Hz) ... row 7',
        ),
    ],
)
def test_uneven_times_are_reported(says, tmp_path, caplog, make_steps, words):
    times = np.cumsum(make_steps(np.full(2000, 1e-3)))
    path = write(tmp_path / 'a.csv', 'time,x\n' + ''.join(f'{t:.9f},1\n' for t in times))
    assert read_raw_file(path).sample_rate_hz == pytest.approx(1000, rel=0.05)
    if words is None:
        assert not caplog.records
    else:
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert says(caplog.text, words)


def test_a_long_table_is_read_at_once_and_searched_row_by_row_only_when_bad(tmp_path, monkeypatch):
    values = np.random.default_rng(0).integers(-20000, 20000, (150_000, 3))
    rows = '\n'.join(f'{1876 * i},{a},{b},{c}' for i, (a, b, c) in enumerate(values.tolist()))
    path = write(tmp_path / 'long.csv', f'Timestamp,AccX,AccY,AccZ\n{rows}\n')
    with monkeypatch.context() as patch:
        patch.setattr(raw_table, 'split', lambda *_: pytest.fail('searched row by row'))
        np.testing.assert_array_equal(read_raw_file(path).samples, values)
    refuse(write(path, path.read_text() + '281400000,1,x,3\n'), 'row 150002', 'column 3 (AccY)', "'x'")
