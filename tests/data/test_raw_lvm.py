"""LabVIEW measurement files, laid out as National Instruments' specification shows them."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.raw.files import raw_length, read_raw_file
from tests.data.raw_file_checks import refuse

END = '***End_of_Header***'


def head(separator='\t', decimal='.', x_columns='One'):
    word = {'\t': 'Tab', ',': 'Comma'}[separator]
    facts = (
        *('LabVIEW Measurement', 'Writer_Version 2', 'Reader_Version 2', f'Separator {word}'),
        *(f'Decimal_Separator {decimal}', 'Multi_Headings Yes', f'X_Columns {x_columns}', 'Time_Pref Relative'),
        *('Operator Jan', 'Date 2026/11/28', 'Time 10:00:00,123456', END, ''),
    )
    return [line.replace(' ', separator, 1) if i else line + separator for i, line in enumerate(facts)]


def segment(rows, names, dx='0.001', units='g', x0='0', separator='\t', x_title=True, **extra):
    count = len(names)
    facts = {'Channels': [count], 'Samples': [len(rows)] * count, 'Y_Unit_Label': [units] * count}
    facts |= {'X_Dimension': ['Time'] * count, 'X0': [x0] * count, 'Delta_X': [dx] * count, **extra}
    lines = [separator.join(map(str, (name, *values))) for name, values in facts.items() if values is not None]
    title = ['X_Value', *names, 'Comment'] if x_title else extra
    return [*lines, END + separator * count, separator.join(title), *(separator.join(row) for row in rows)]


def lvm(path, *blocks, end='\r\n'):
    path.write_bytes(''.join(line + end for block in blocks for line in block).encode('latin-1'))
    return path


ROWS = [[f'{i / 1000:.6f}', f'{i}.5', f'-{i}'] for i in range(40)]
EXPECTED = np.stack([np.arange(40) + 0.5, -np.arange(40.0)], 1)


def test_one_column_of_x(tmp_path):
    rows = [[*row, 'peak here'] if i == 3 else row for i, row in enumerate(ROWS)]
    path = lvm(tmp_path / 'a.lvm', head(), segment(rows, ['Acc X', 'Acc Y']))
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.unit, r.channel_names, r.notes) == (1000.0, 'g', ('Acc X', 'Acc Y'), ())
    np.testing.assert_array_equal(r.samples, EXPECTED)
    for channel in (1, 'Acc Y'):
        np.testing.assert_array_equal(read_raw_file(path, channel=channel).samples, EXPECTED[:, 1:])
    piece = read_raw_file(path, start_s=0.01, stop_s=0.02)
    np.testing.assert_array_equal(piece.samples, EXPECTED[10:20])
    assert (raw_length(path).num_samples, raw_length(path).seekable) == (40, False)


def test_decimal_comma_and_separator_comma(tmp_path):
    comma = [[cell.replace('.', ',') for cell in row] for row in ROWS]
    path = lvm(tmp_path / 'a.lvm', head(decimal=','), segment(comma, ['x', 'y'], dx='1,000000E-3', units='m/s²'))
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.unit) == (1000.0, 'm/s²')
    np.testing.assert_array_equal(r.samples, EXPECTED)
    path = lvm(tmp_path / 'b.lvm', head(','), segment(ROWS, ['x', 'y'], separator=','), end='\n')
    np.testing.assert_array_equal(read_raw_file(path).samples, EXPECTED)


def test_no_and_many_columns_of_x(tmp_path):
    blank = [['', *row[1:]] for row in ROWS]
    r = read_raw_file(lvm(tmp_path / 'a.lvm', head(x_columns='No'), segment(blank, ['x', 'y'])))
    assert r.sample_rate_hz == 1000.0
    np.testing.assert_array_equal(r.samples, EXPECTED)
    lines = segment([[row[0], row[1], row[0], row[2]] for row in ROWS], ['x', 'y'], Delta_X=None)
    at = next(i for i, line in enumerate(lines) if line.startswith('X_Value'))
    lines[at] = 'X_Value\tx\tX_Value\ty\tComment'
    r = read_raw_file(lvm(tmp_path / 'b.lvm', head(x_columns='Multi'), lines))
    assert (r.sample_rate_hz, r.channel_names) == (1000.0, ('x', 'y'))
    np.testing.assert_array_equal(r.samples, EXPECTED)


def test_channels_of_other_rates(tmp_path):
    path = lvm(tmp_path / 'a.lvm', head(), segment(ROWS, ['x', 'y'], Delta_X=['0.001', '0.01']))
    refuse(path, 'different sampling rates', 'x: 1000 Hz', 'y: 100 Hz')
    assert read_raw_file(path, channel='y').sample_rate_hz == 100.0
    short = [row if i < 30 else row[:2] for i, row in enumerate(ROWS)]
    path = lvm(tmp_path / 'b.lvm', head(), segment(short, ['x', 'y'], Samples=[40, 30]))
    refuse(path, 'different lengths', 'y: 30 samples')
    assert read_raw_file(path, channel='y').samples.shape == (30, 1)


def test_segments_follow_each_other(tmp_path):
    first, on = segment(ROWS, ['x', 'y']), segment(ROWS, ['x', 'y'], x0='0.04')
    r = read_raw_file(lvm(tmp_path / 'a.lvm', head(), first, [''], on))
    assert (r.samples.shape, r.time_breaks, r.notes) == ((80, 2), (), ())
    r = read_raw_file(lvm(tmp_path / 'a.lvm', head(), first, [''], segment(ROWS, ['x', 'y'], x0='7')))
    assert r.time_breaks == (40,)
    assert 'time is missing' in r.notes[0]
    assert read_raw_file(tmp_path / 'a.lvm', start_s=0.03, stop_s=0.05).time_breaks == (10,)
    refuse(lvm(tmp_path / 'b.lvm', head(), first, [''], segment(ROWS, ['x', 'z'])), 'segment 2', 'other channels')


def test_special_blocks_names_and_nan(tmp_path):
    special = ['***Start_Special***', 'Anything\t1\t2', 'X_Value\tfake', '***End_Special***']
    rows = [row if i != 5 else [row[0], 'NaN', row[2]] for i, row in enumerate(ROWS)]
    r = read_raw_file(lvm(tmp_path / 'a.lvm', head(), special, segment(rows, ['Untitled', 'Untitled'])))
    assert r.channel_names == ('Untitled', 'Untitled 2')
    assert np.isnan(r.samples[5, 0])
    spectrum = segment(ROWS, ['x', 'y'], X_Dimension=['Frequency'] * 2)
    refuse(lvm(tmp_path / 'b.lvm', head(), spectrum), 'no channel of numbers')


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda text: text[:5], ['no LabVIEW measurement file']),
        (lambda text: 'garbage\n' * 50, ['no LabVIEW measurement file']),
        (lambda text: text[:90], [END]),
        (lambda text: text[: text.index('X_Value')], ['X_Value']),
        (lambda text: text[: text.index('0.020000')], ['announces 40 samples, 20 are there']),
        (lambda text: text.replace('7.5', '7,5'), ['row 29, column x', "'7,5' is not a number"]),
        (lambda text: text.replace('Separator\tTab', 'Separator\tPipe'), ['Separator pipe']),
        (lambda text: text.replace('Samples\t40', 'Samples\t99999999999999'), ['announces 99999999999999 samples']),
        (lambda text: text.replace('Channels\t2', 'Channels\t3'), ['says 3 channels', 'names 2']),
    ],
)
def test_damage(tmp_path, change, words):
    path = lvm(tmp_path / 'a.lvm', head(), segment(ROWS, ['x', 'y']), end='\n')
    path.write_text(change(path.read_text()))
    refuse(path, *words)


def test_a_last_line_without_an_end_is_noticed(tmp_path):
    path = lvm(tmp_path / 'a.lvm', head(), segment(ROWS, ['x', 'y']))
    path.write_bytes(path.read_bytes().rstrip())
    assert 'its last line has no end' in read_raw_file(path).notes[0]
