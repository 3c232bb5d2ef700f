"""CSV files of readings: what is read, what is refused and in which words, and that writing loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.readings_csv import (
    COLUMNS,
    MIN_ROWS_OF_CLASS,
    Readings,
    balance,
    balance_text,
    check_trainable,
    read_readings,
    write_readings,
)
from fdx.files import FileWriteError
from fdx.types import DataError

HEADER = 'rpm,temperature_c,vibration_g,current_a,failure'
GOOD = [f'{1500 + i},{20 + i / 4},0.{10 + i},3.{10 + i},{i % 2}' for i in range(2 * MIN_ROWS_OF_CLASS)]


def file_of(path, *lines, end='\n', encoding='utf-8'):
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


@pytest.fixture
def csv_file(tmp_path):
    return tmp_path / 'readings.csv'


def random_readings(rows=40, dtype=np.float64):
    rng = np.random.default_rng(3)
    return Readings(COLUMNS, rng.normal(0, 1e3, (rows, 4)).astype(dtype), np.arange(rows) % 2)


def refused(path, *words, **kwargs):
    with pytest.raises(DataError) as caught:
        read_readings(path, **kwargs)
    text = str(caught.value)
    assert str(path) in text
    for word in words:
        assert word in text
    return text


def test_reads_values_and_labels(csv_file):
    found = read_readings(file_of(csv_file, HEADER, *GOOD))
    assert (found.columns, found.source, len(found)) == (COLUMNS, str(csv_file), 20)
    assert found.values.dtype == np.float64
    assert found.values[3].tolist() == [1503, 20.75, 0.13, 3.13]
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == [0, 1] * 10


def test_columns_come_in_any_order(csv_file):
    rows = [','.join(np.array(line.split(','))[[4, 2, 0, 3, 1]]) for line in GOOD]
    found = read_readings(file_of(csv_file, 'failure,vibration_g,rpm,current_a,temperature_c', *rows))
    assert found.columns == COLUMNS
    assert found.values[3].tolist() == [1503, 20.75, 0.13, 3.13]
    assert found.labels[:2].tolist() == [0, 1]
    other = read_readings(csv_file, ('current_a', 'rpm', 'temperature_c', 'vibration_g'))
    assert other.values[3].tolist() == [3.13, 1503, 20.75, 0.13]


def test_mark_line_ends_quotes_blanks_and_blank_lines_are_fine(csv_file):
    plain = read_readings(file_of(csv_file, HEADER, *GOOD))
    dressed = ['', HEADER.replace(',', ' , '), *(line.replace(',', ', "', 1).replace(',0.', '",0.') for line in GOOD)]
    assert dressed[2] == '1500, "20.0",0.10,3.10,0'
    for end in ('\n', '\r\n', '\r'):
        found = read_readings(file_of(csv_file, *dressed, '', ' ', end=end, encoding='utf-8-sig'))
        np.testing.assert_array_equal(found.values, plain.values)
        np.testing.assert_array_equal(found.labels, plain.labels)


def test_labels_may_be_written_as_decimals(csv_file):
    found = read_readings(file_of(csv_file, HEADER, *(line + '.0' for line in GOOD)))
    assert found.labels.tolist() == [0, 1] * 10


@pytest.mark.parametrize(
    ('header', 'words'),
    [
        ('rpm,temperature_c,vibration_g,failure', ("missing: 'current_a'",)),
        (HEADER.removesuffix(',failure'), ("missing: 'failure'",)),
        (HEADER + ',torque', ("unknown: 'torque'",)),
        (',' + HEADER, ("unknown: ''",)),
        ('RPM,temperature_c,vibration,current_a,failure',
         ("missing: 'rpm', 'vibration_g'", "unknown: 'RPM', 'vibration'")),
        (HEADER + ',rpm', ("repeated: 'rpm'",)),
        (HEADER + ',failure,failure', ("repeated: 'failure'.",)),
        (HEADER.replace(',', ';'), ('not separated by commas', "missing: 'rpm'")),
        (GOOD[0], ("missing: 'rpm', 'temperature_c', 'vibration_g', 'current_a', 'failure'", "unknown: '1500'")),
    ],
)  # fmt: skip
def test_wrong_headers(csv_file, header, words):
    refused(file_of(csv_file, header, *GOOD), 'row 1, the header', *words, f'and no others: {HEADER}')


@pytest.mark.parametrize('column', range(5))
@pytest.mark.parametrize('line', [2, 12, 21])
def test_a_bad_cell_is_named_by_line_and_column(csv_file, line, column):
    rows = [row.split(',') for row in GOOD]
    rows[line - 2][column] = 'x'
    text = refused(file_of(csv_file, HEADER, *(','.join(row) for row in rows)))
    assert f"row {line}, column {HEADER.split(',')[column]}: 'x' is no" in text


@pytest.mark.parametrize(
    ('row', 'words'),
    [
        ('1500,20.0,0.1,3.1', ('row 4 has 4 cells', '(row 1) has 5', 'complete or remove')),
        ('1500,20,5,0.1,3.1,0', ('row 4 has 6 cells', 'decimals with a point')),
        ('1500,"20,5",0.1,3.1,0', ("row 4, column temperature_c: '20,5'", 'decimals with a point')),
        ('1500,20.0 C,0.1,3.1,0', ("row 4, column temperature_c: '20.0 C'", 'correct or remove')),
        ('1_500,20.0,0.1,3.1,0', ("row 4, column rpm: '1_500'", 'number')),
        ('1500,20.0,,3.1,0', ('row 4, column vibration_g: ', 'empty', 'remove the row')),
        ('1500,20.0,0.1,NaN,0', ("row 4, column current_a: 'NaN'", 'finite', 'remove the row')),
        ('-inf,20.0,0.1,3.1,0', ("row 4, column rpm: '-inf'", 'finite')),
        ('1e999,20.0,0.1,3.1,0', ("row 4, column rpm: '1e999'", 'finite')),
        ('1500,20.0,4e38,3.1,0', ("row 4, column vibration_g: '4e38'", 'float32', 'unit')),
        ('1500,20.0,0.1,3.1,2', ("row 4, column failure: '2'", '0 for normal', '1 for failure')),
        ('1500,20.0,0.1,3.1,0.5', ("row 4, column failure: '0.5'", 'label')),
        ('1500,20.0,0.1,3.1,-1', ("row 4, column failure: '-1'", 'label')),
        ('1500,20.0,0.1,3.1,nan', ("row 4, column failure: 'nan'", 'label')),
        ('1500,20.0,0.1,3.1,yes', ("row 4, column failure: 'yes'", 'label')),
        ('1500,20.0,0.1,3.1,', ('row 4, column failure: ', 'empty', '0 for normal', '1 for failure')),
        ('"1500,20.0,0.1,3.1,0', ('row 4: ', 'close the quotes')),
    ],
)  # fmt: skip
def test_bad_rows_are_named_by_line(csv_file, row, words):
    # A blank line counts as a line of the file.
    refused(file_of(csv_file, HEADER, GOOD[0], '', row, *GOOD[1:]), *words)


def test_a_quoted_line_end_does_not_shift_the_lines_after_it(csv_file):
    refused(file_of(csv_file, HEADER, '"1500\n",20.0,0.1,3.1,0', '1500,x,0.1,3.1,0'), 'row 4, column temperature_c')


def test_files_that_are_no_tables(csv_file, tmp_path):
    refused(csv_file, 'does not exist', 'check the path')
    refused(tmp_path, 'is a folder')
    csv_file.write_bytes(b'')
    refused(csv_file, 'is empty', HEADER)
    refused(file_of(csv_file, '', '  '), 'is empty')
    refused(file_of(csv_file, HEADER), 'a header but no rows', need_label=False)
    refused(file_of(csv_file, HEADER, *GOOD, encoding='utf-16'), 'not text in UTF-8', 'byte 0', 'export it')


@pytest.mark.parametrize('column', range(4))
def test_a_constant_column_cannot_be_trained_on(csv_file, column):
    rows = [row.split(',') for row in GOOD]
    for row in rows:
        # These differ in float64 only.
        row[column] = '2.5' if row[4] == '0' else '2.50000000001'
    text = (HEADER, *(','.join(row) for row in rows))
    refused(file_of(csv_file, *text), f'column {COLUMNS[column]} is 2.5 in all 20 rows', 'give readings')
    assert len(read_readings(csv_file, need_label=False)) == 20


@pytest.mark.parametrize(('label', 'name'), [(0, 'normal'), (1, 'failure')])
def test_a_class_of_too_few_rows_cannot_be_trained_on(csv_file, label, name):
    rows = [row[:-1] + str(1 - label) for row in GOOD]
    refused(file_of(csv_file, HEADER, *rows), 'column failure', f'0 rows are {label} ({name})')
    few = [row[:-1] + str(label) for row in GOOD[: MIN_ROWS_OF_CLASS - 1]]
    refused(file_of(csv_file, HEADER, *few, *rows), f'9 rows are {label} ({name})', 'at least 10', 'add rows')
    file_of(csv_file, HEADER, *few, GOOD[10][:-1] + str(label), *rows)
    assert balance(read_readings(csv_file).labels)[name] == 10


def test_predictions_need_no_label(csv_file):
    plain = HEADER.removesuffix(',failure')
    found = read_readings(file_of(csv_file, plain, '1500,20.0,0.1,3.1'), need_label=False)
    assert found.labels is None
    assert found.values.tolist() == [[1500, 20, 0.1, 3.1]]
    found = read_readings(file_of(csv_file, HEADER, '1500,20.0,0.1,3.1,1'), need_label=False)
    assert found.labels.tolist() == [1]
    refused(csv_file.parent / 'no.csv', need_label=False)
    text = refused(file_of(csv_file, plain + ',time', '1500,20.0,0.1,3.1,0'), "unknown: 'time'", need_label=False)
    assert text.endswith(f'no others: {plain}')
    refused(file_of(csv_file, plain, '1500,20.0,0.1,inf'), 'row 2, column current_a', need_label=False)
    refused(file_of(csv_file, HEADER, '1500,20.0,0.1,3.1,?'), 'row 2, column failure', need_label=False)


def test_other_columns_and_another_label(csv_file):
    rows = [f'{i},{i % 2}' for i in range(20)]
    found = read_readings(file_of(csv_file, 'torque_nm,broken', *rows), ('torque_nm',), 'broken')
    assert found.columns == ('torque_nm',)
    assert found.values[:, 0].tolist() == list(range(20))
    write_readings(csv_file, found, 'broken')
    assert read_readings(csv_file, ('torque_nm',), 'broken').labels.tolist() == [0, 1] * 10


@pytest.mark.parametrize('dtype', [np.float64, np.float32])
def test_what_is_written_is_read_back_exactly(csv_file, dtype):
    readings = random_readings(dtype=dtype)
    readings.values[0] = [0.1, -0.0, np.finfo(dtype).tiny, 1 / 3]
    write_readings(csv_file, readings)
    found = read_readings(csv_file)
    np.testing.assert_array_equal(found.values.astype(dtype), readings.values)
    np.testing.assert_array_equal(found.labels, readings.labels)
    first = csv_file.read_text()
    write_readings(csv_file, found)
    assert csv_file.read_text() == first
    assert first.startswith(HEADER + '\n0.1' if dtype is np.float64 else HEADER)


def test_unknown_labels_are_not_written(csv_file):
    write_readings(csv_file, Readings(COLUMNS, np.array([[1500.0, 20.0, 0.1, 3.1]])))
    assert csv_file.read_text() == 'rpm,temperature_c,vibration_g,current_a\n1500.0,20.0,0.1,3.1\n'


def test_nothing_is_written_that_could_not_be_read(csv_file):
    write_readings(csv_file, random_readings())
    before, bad = csv_file.read_bytes(), random_readings()
    bad.values[7, 2] = np.nan
    with pytest.raises(DataError, match=r'readings\.csv: reading 7 .*vibration_g .*NaN.*remove'):
        write_readings(csv_file, bad)
    assert csv_file.read_bytes() == before
    with pytest.raises(FileWriteError, match='cannot write'):
        write_readings(csv_file / 'below.csv', random_readings())
    assert [path.name for path in csv_file.parent.iterdir()] == [csv_file.name]


def test_parts_of_a_table_fit_together():
    values = np.zeros((5, 4))
    with pytest.raises(DataError, match=r'a\.csv: values \(4, 5\) .*4 columns'):
        Readings(COLUMNS, values.T, source='a.csv')
    with pytest.raises(DataError, match=r'labels \(4,\) for 5 rows'):
        Readings(COLUMNS, values, np.zeros(4, np.int64))


def test_readings_in_memory_are_checked_too():
    check_trainable(random_readings(20))
    with pytest.raises(DataError, match=r'the readings: column failure: 9 rows .* 1 \(failure\).* 10 .*add rows'):
        check_trainable(random_readings(19))


def test_balance():
    labels = np.repeat([0, 1], [6201, 3799])
    assert balance(labels) == {'normal': 6201, 'failure': 3799}
    assert balance_text(labels) == 'normal 6201 (62.0 %), failure 3799 (38.0 %)'
    assert balance_text(np.array([], np.int64)) == 'normal 0 (0.0 %), failure 0 (0.0 %)'


GROUPED = [f'{line},m{i // 4}' for i, line in enumerate(GOOD)]


def test_a_column_of_groups_is_text_and_no_reading(csv_file):
    found = read_readings(file_of(csv_file, f'{HEADER},machine', *GROUPED), group_column='machine')
    assert found.columns == COLUMNS
    assert found.groups == tuple(f'm{i // 4}' for i in range(len(GOOD)))
    assert read_readings(file_of(csv_file, HEADER, *GOOD)).groups is None
    # Readings to predict need it as little as the label, and may have it.
    for lines in ((f'{HEADER},machine', *GROUPED), (HEADER, *GOOD)):
        found = read_readings(file_of(csv_file, *lines), need_label=False, group_column='machine')
        assert (len(found), found.groups) == (len(GOOD), None)


@pytest.mark.parametrize(
    ('lines', 'column', 'words'),
    [
        ((HEADER, *GOOD), 'machine', "columns missing: 'machine'"),
        ((HEADER, *GOOD), 'failure', '`group_column`=failure is the label'),
        ((HEADER, *GOOD), COLUMNS[0], '`group_column`=rpm is a reading ... of its own'),
        ((f'{HEADER},machine', *GROUPED[:-1], GOOD[-1] + ', '), 'machine', 'column machine: the cell is empty'),
        (
            (f'{HEADER},id', *(f'{line},{i}' for i, line in enumerate(GOOD))),
            'id',
            '20 rows ... `group_column`',
        ),
        ((f'{HEADER},machine', *GROUPED), '', "unknown: 'machine' ... `group_column`"),
        ((f'{HEADER},Timestamp', *GROUPED), '', "sort ... 'Timestamp'"),
    ],
)
def test_groups_that_cannot_be_are_refused(says, csv_file, lines, column, words):
    with pytest.raises(DataError) as e:
        read_readings(file_of(csv_file, *lines), group_column=column)
    assert says(str(e.value), words)
