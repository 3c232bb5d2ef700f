"""Tables that could be read in two ways: read right, or refused with the flag that settles it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fdx.data.raw.files import read_raw_file
from fdx.data.raw.text import TextFormat
from fdx.types import ConfigError
from tests.data.raw_file_checks import refuse, write

N = 300
X = np.round(np.random.default_rng(7).standard_normal((N, 2)), 5)
COUNTS = np.rint(X * 1600).astype(int)
LARGE = 16000 + COUNTS


def file_of(tmp_path, *lines, encoding='utf-8'):
    return write(tmp_path / 'a.csv', '\n'.join(lines) + '\n', encoding)


def samples(path, **flags):
    return read_raw_file(path, sample_rate_hz=12000, text_format=TextFormat(**flags)).samples


def swapped(text):
    return text.translate(str.maketrans('.,', ',.'))


@pytest.mark.parametrize('header', ['1', '0', '12000', '2'])
def test_a_whole_number_above_fixed_decimals_is_a_name(tmp_path, header):
    path = file_of(tmp_path, header, *(f'{v:.5f}' for v in X[:, 0]))
    recording = read_raw_file(path, sample_rate_hz=12000)
    np.testing.assert_allclose(recording.samples, X[:, :1], rtol=1e-6)
    assert recording.channel_names == (header,)
    assert f'row 1 ({header}) is taken for names' in recording.notes[0] and 'header=no' in recording.notes[0]
    with_sample = samples(path, header='no')[:, 0]
    assert (len(with_sample), with_sample[0]) == (N + 1, float(header))


@pytest.mark.parametrize(
    ('header', 'column'),
    [
        ('0', [f'{v:g}' for v in X[:, 0]]),  # perhaps 0.0, written short
        ('12000', [repr(float(v)) for v in X[:, 0]]),
        ('12000.0', [f'{v:.5f}' for v in X[:, 0]]),
        ('1', [str(v) for v in COUNTS[:, 0]]),
        ('0', [str(v) for v in COUNTS[:, 0]]),
        ('300000', [str(v) for v in COUNTS[:, 0]]),
        (str(N), [str(v) for v in COUNTS[:, 0]]),
        ('0,1', [f'{a},{b}' for a, b in COUNTS]),
        ('1,2', [f'{a},{b}' for a, b in COUNTS]),
    ],
)
def test_a_first_row_that_may_be_either_is_refused(tmp_path, header, column):
    path = file_of(tmp_path, header, *column)
    refuse(path, 'row 1', 'header=yes', 'header=no', sample_rate_hz=12000)
    assert len(samples(path, header='yes')) == N
    assert len(samples(path, header='no')) == N + 1
    assert len(samples(path, header=1)) == N


def test_a_first_row_like_the_others_is_a_sample(tmp_path):
    for column in ([f'{v:.5f}' for v in X[:, 0]], [f'{v:g}' for v in X[:, 0]], [str(v) for v in COUNTS[:, 0]]):
        assert len(samples(file_of(tmp_path, *column))) == N
    # Spreadsheets write 0 for the first time.
    rows = [f'{i / 12000:.6g};{v:.5f}' for i, v in enumerate(X[:, 0])]
    assert len(read_raw_file(file_of(tmp_path, *rows)).samples) == N


def test_names_that_are_numbers_behind_a_word(tmp_path):
    index = [f'{i},{a},{b}' for i, (a, b) in enumerate(X)]
    recording = read_raw_file(file_of(tmp_path, ',0,1', *index), sample_rate_hz=12000)
    np.testing.assert_allclose(recording.samples, X, rtol=1e-6)
    assert recording.channel_names == ('0', '1')
    refuse(file_of(tmp_path, 'x,7', *(f'{a},{b}' for a, b in X)), 'row 1', "'x'", 'header`=1', sample_rate_hz=12000)
    refuse(file_of(tmp_path, 'a,b', '0.5,ERR', *(f'{a},{b}' for a, b in X)), 'row 2', "'ERR'", sample_rate_hz=12000)


@pytest.mark.parametrize('delimiter', [';', '\t', '|'])
@pytest.mark.parametrize('mark', ['.', ','])
def test_grouped_digits(tmp_path, delimiter, mark):
    def write_counts(values):
        lines = (f'{a:,}{delimiter}{b:,}' for a, b in values)
        return file_of(tmp_path, f'a{delimiter}b', *(line.replace(',', mark) for line in lines))

    path = write_counts(COUNTS)
    recording = read_raw_file(path, sample_rate_hz=12000)
    np.testing.assert_array_equal(recording.samples, COUNTS)
    assert f'pass `decimal`={mark}' in recording.notes[0]
    np.testing.assert_allclose(samples(path, decimal=mark)[:5], np.where(abs(COUNTS) > 999, COUNTS / 1000, COUNTS)[:5])
    # All of them at least 1000: as a decimal comma it would be read without a trace.
    path = write_counts(LARGE)
    if mark == ',':
        refuse(path, 'may be', 'decimal=.', 'decimal=,', sample_rate_hz=12000)
    else:
        np.testing.assert_allclose(samples(path), LARGE / 1000)
    np.testing.assert_array_equal(samples(path, decimal={'.': ',', ',': '.'}[mark]), LARGE)
    np.testing.assert_allclose(samples(path, decimal=mark), LARGE / 1000, rtol=1e-6)


@pytest.mark.parametrize(
    'text',
    ['1,234.5;0.25', '1.234,5;0,25',
     '1 234,5;0,25', "1'234.5;0.25", '1\u202f234,5;,25', '+1234.5;.25', '"1,234.5";0.25',
     '1.2345E3;2.5e-1', '1,2345E+003;25e-2', '1234,5 ; 0,250'],
)  # fmt: skip
def test_numbers_with_clear_signs(tmp_path, text):
    assert samples(file_of(tmp_path, 'a;b', text, text)).tolist() == [[1234.5, 0.25]] * 2
    minus = text.removeprefix('+').replace('"1', '"\u22121') if '"' in text else '\u2212' + text.removeprefix('+')
    assert samples(file_of(tmp_path, 'a;b', minus, minus))[0].tolist() == [-1234.5, 0.25]


def test_signs_that_contradict_each_other(tmp_path):
    refuse(file_of(tmp_path, 'a;b', '0.5;0,5', '0.5;0,5'), 'both . and , are decimal', 'decimal', sample_rate_hz=1)
    refuse(file_of(tmp_path, 'a;b', '0,5;1,234,567', '1;2'), 'groups digits', 'decimal', sample_rate_hz=1)


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-32', 'latin-1'])
def test_one_column_with_decimal_commas(tmp_path, encoding):
    column = [f'{v:.5f}'.replace('.', ',') for v in X[:, 0]]
    for header in (['acc'], []):
        path = file_of(tmp_path, *header, *column, encoding=encoding)
        np.testing.assert_allclose(samples(path), X[:, :1], rtol=1e-6)


def test_one_comma_may_delimit_or_be_decimal(tmp_path):
    volts = [f'{0.9 + v / 100:.3f}'.replace('.', ',') for v in X[:, 0]]
    path = file_of(tmp_path, *volts)
    refuse(path, 'decimal=,', 'delimiter=comma', sample_rate_hz=12000)
    assert samples(path, decimal=',').shape == (N, 1)
    assert samples(path, delimiter='comma').shape == samples(path, delimiter=',').shape == (N, 2)
    # A header of one name, or of two, settles it.
    assert samples(file_of(tmp_path, 'acc', *volts)).shape == (N, 1)
    np.testing.assert_array_equal(samples(file_of(tmp_path, 'a,b', *(f'{a},{b}' for a, b in COUNTS))), COUNTS)
    pairs = [f'{a:.3f};{b:.3f}'.replace('.', ',').replace(';', ',') for a, b in X]
    for header in ([], ['a,b']):
        refuse(file_of(tmp_path, *header, *pairs), 'commas that may be decimal signs', sample_rate_hz=12000)
    quoted = [f'"{a:.5f}","{b:.5f}"'.replace('.', ',') for a, b in X]
    np.testing.assert_allclose(samples(file_of(tmp_path, 'a,b', *quoted)), X, rtol=1e-6)
    refuse(file_of(tmp_path, 'a,b', *(f'{a},{b}' for a, b in X)), 'decimal=,', 'delimiter',
           sample_rate_hz=1, text_format=TextFormat(decimal=','))  # fmt: skip


def test_lines_of_text_above_the_header(tmp_path):
    about = ['Logger 3000', 'Serial: 12,34', 'Start: 2024-03-01 10:00:00', 'Rate,12000', '', 'Channel,acc']
    rows = [f'{i / 12000:.6f},{v}' for i, v in enumerate(X[:, 0])]
    recording = read_raw_file(file_of(tmp_path, *about, 'time,acc', 's,m/s^2', *rows))
    assert (recording.sample_rate_hz, recording.channel_names) == (12000.0, ('acc (m/s^2)',))
    assert recording.unit == 'm/s2'
    np.testing.assert_allclose(recording.samples, X[:, :1], rtol=1e-6)
    path = file_of(tmp_path, 'Rate,12000', *rows)
    refuse(path, 'row 1', 'header`=1')
    assert read_raw_file(path, text_format=TextFormat(header='no')).channel_names == ()
    path = file_of(tmp_path, *about, '7,8', *rows)
    assert read_raw_file(path, text_format=TextFormat(header=7, time_column='7')).channel_names == ('8',)
    refuse(path, 'row 1', 'header`=1', '1 names', '2 cells', text_format=TextFormat(header=1))
    refuse(path, 'no rows', 'header`=4000', text_format=TextFormat(header=4000))


def test_first_rows_with_more_cells(tmp_path):
    rows = [f'{a};{b} ' for a, b in X]
    recording = read_raw_file(file_of(tmp_path, rows[0] + ';0.5;0.7', *rows[1:]), sample_rate_hz=12000)
    np.testing.assert_allclose(recording.samples, X, rtol=1e-6)
    assert recording.notes == ('row 1 has 2 cells more than the others (0.5, 0.7); they are left out',)
    # In the middle, or with a cell less, something was lost.
    refuse(file_of(tmp_path, *rows[:50], rows[50] + ';0.5', *rows[51:]), 'row 51 has 3 cells', sample_rate_hz=1)
    refuse(file_of(tmp_path, '0.5', *rows), 'row 1 has 1 cells, not 2', sample_rate_hz=1)


@pytest.mark.parametrize('delimiter', [',', ';', '\t', ' ', ' ; '])
def test_recordings_that_lie_in_rows(tmp_path, delimiter):
    x = np.round(np.random.default_rng(0).standard_normal((3, 24000)), 4)
    for count in (1, 3):
        path = file_of(tmp_path, *(delimiter.join(map(str, row)) for row in x[:count].tolist()))
        recording = read_raw_file(path, sample_rate_hz=12000)
        np.testing.assert_allclose(recording.samples, x[:count].T, rtol=1e-6)
        assert f'{count} row' in recording.notes[0] and '24000 cells' in recording.notes[0]


def test_many_columns_are_fast_and_right(tmp_path):
    x = np.round(np.random.default_rng(0).standard_normal((5, 20000)), 3)
    names = ','.join(f'c{i}' for i in range(20000))
    path = file_of(tmp_path, names, *(','.join(map(str, row)) for row in x.tolist()))
    started = time.process_time()
    recording = read_raw_file(path, sample_rate_hz=12000)
    assert time.process_time() - started < 1.0
    np.testing.assert_allclose(recording.samples, x, rtol=1e-6)


def test_text_columns_may_be_left_out(tmp_path):
    path = file_of(tmp_path, 'time,state,acc', *(f'{i / 12000:.6f},OK,{v}' for i, v in enumerate(X[:, 0])))
    refuse(path, "'OK'", 'column 2 (state)', 'columns')
    recording = read_raw_file(path, text_format=TextFormat(columns=('acc',)))
    assert (recording.sample_rate_hz, recording.channel_names) == (12000.0, ('acc',))
    refuse(path, 'holds text', text_format=TextFormat(columns=('state',)))
    bare = file_of(tmp_path, *(f'{i / 12000:.6f};{a};{b}' for i, (a, b) in enumerate(X)))
    recording = read_raw_file(bare, text_format=TextFormat(columns=('3', '2')))
    np.testing.assert_allclose(recording.samples, X[:, ::-1], rtol=1e-6)
    refuse(bare, 'no header', "'x'", 'from 1 to 3', text_format=TextFormat(columns=('x',)))


def test_too_large_for_a_sample(tmp_path):
    assert samples(file_of(tmp_path, 'a', '1', '3e38'))[1, 0] == np.float32(3e38)
    refuse(file_of(tmp_path, 'a', '1', '4e38'), 'row 3', '4e+38', 'too large', sample_rate_hz=1)


def test_flags_that_no_file_could_have(tmp_path):
    for flags, words in (
        ({'delimiter': '5'}, 'delimiter'),
        ({'delimiter': 'ab'}, 'delimiter'),
        ({'delimiter': ''}, 'delimiter'),
        ({'decimal': ';'}, 'decimal'),
        ({'header': '0'}, 'header'),
        ({'header': 'maybe'}, 'header'),
        ({'time_unit': 'minutes'}, 'time_unit'),
        ({'time_column': ''}, 'time_column'),
        ({'time_column': 'none', 'time_unit': 's'}, '`time_column` is none'),
    ):
        with pytest.raises(ConfigError, match=words):
            TextFormat(**flags)
    np.save(tmp_path / 'a.npy', X)
    refuse(tmp_path / 'a.npy', '`decimal` and `header`', 'text file',
           sample_rate_hz=1, text_format=TextFormat(decimal='.', header='no'))  # fmt: skip
    path = file_of(tmp_path, *(f'{a};{b}' for a, b in X))
    refuse(path, 'no column of times', 'time_unit', sample_rate_hz=1, text_format=TextFormat(time_unit='s'))
    refuse(path, 'delimiter', sample_rate_hz=1, text_format=TextFormat(delimiter='comma'))
    assert samples(path, delimiter='semicolon').shape == (N, 2)
