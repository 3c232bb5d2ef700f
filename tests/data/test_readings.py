"""A prepared table of readings has the face of a dataset of recordings, and its groups keep identical rows together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fdx.data.blocks import NO_BLOCK
from fdx.data.few_labels import few_labels
from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.splits import split_rows
from fdx.data.readings import KIND, ReadingsDataset
from fdx.data.readings_csv import COLUMNS, Readings, write_readings
from fdx.data.source import open_dataset
from fdx.datasets.motor_maintenance import motor_maintenance_dataset_builder as room
from fdx.datasets.motor_maintenance.generator import generate
from fdx.signal.readings import ReadingsInput
from fdx.types import UNKNOWN, DataError

SPLITS = ('train', 'validation', 'test')


@pytest.fixture(scope='module')
def logged():
    """Readings of which the first 40 were logged three times, not always with the same label."""
    drawn, relabelled = generate(160, 4), generate(160, 5)
    values = np.concatenate([drawn.values, drawn.values[:40], drawn.values[:40]])
    labels = np.concatenate([drawn.labels, drawn.labels[:40], relabelled.labels[:40]])
    return Readings(COLUMNS, values, labels)


@pytest.fixture(scope='module')
def data_dir(logged, tmp_path_factory):
    folder = tmp_path_factory.mktemp('table')
    write_readings(folder / 'log.csv', logged)
    config = room.MotorMaintenanceConfig(name='log', csv=str(folder / 'log.csv'), protocol='stratified')
    room.Builder(config=config, data_dir=folder / 'data').download_and_prepare()
    return folder / 'data'


@pytest.fixture(scope='module')
def data(data_dir):
    return open_dataset('motor_maintenance/log', data_dir)


def row_of_file(data, logged):
    """For every row of the dataset the row of the file with its readings and label, each used once."""
    found, free = [], set(range(len(logged)))
    as_float32 = logged.values.astype(np.float32)
    for values, label in zip(data.values, data.table['label']):
        same = np.flatnonzero((as_float32 == values).all(axis=1) & (logged.labels == label))
        mine = min(free & set(same.tolist()))
        free.remove(mine)
        found.append(mine)
    return np.array(found)


def test_a_prepared_table_opens_as_one(data):
    assert isinstance(data, ReadingsDataset)
    assert (data.name, KIND) == ('motor_maintenance/log:1.0.0', 'readings')
    assert data.front_end == ReadingsInput('readings', COLUMNS)
    assert (data.input_shape, data.channels, data.has_waveform) == ((4,), 4, False)
    assert data.class_names() == data.class_names('fault_type') == ['normal', 'failure']
    assert {k: data.metadata[k] for k in ('common_rate_hz', 'window_length', 'hop_length', 'guard_length')} == {
        'common_rate_hz': 0.0,
        'window_length': 1,
        'hop_length': 1,
        'guard_length': 0,
    }
    assert (data.metadata['source'], data.metadata['rows']) == ('log.csv', 240)


def test_every_row_of_the_file_is_there_once(data, logged):
    assert len(data) == len(data.table) == 240
    assert data.values.dtype == np.float32
    assert sorted(row_of_file(data, logged).tolist()) == list(range(240))


def test_rows_come_in_the_order_of_the_prepared_splits(data, data_dir, logged):
    builder = room.Builder(config=room.MotorMaintenanceConfig(name='log', csv='gone.csv'), data_dir=data_dir)
    records = [r for split in SPLITS for r in builder.as_data_source(split=split)]
    for i in (0, 143, 144, 200, 239):
        assert data.values[i].tolist() == [float(records[i][c]) for c in COLUMNS]
        assert data.table['label'][i] == records[i]['failure']
    groups = np.array([int(r['group']) for r in records])
    same_group, same_name = (x[:, None] == x for x in (groups, data.table['recording']))
    assert (same_group == same_name).all()


def test_groups_are_recordings_and_their_rows_neighbouring_windows(data, logged):
    recordings, starts = data.table['recording'], data.table['window_start']
    identical = {}
    for i, values in enumerate(data.values):
        identical.setdefault(tuple(values.tolist()), []).append(i)
    assert sorted(map(len, identical.values())) == [1] * 120 + [3] * 40
    for rows in identical.values():
        assert len(set(recordings[rows])) == 1
        assert sorted(starts[rows].tolist()) == list(range(len(rows)))
    assert len(set(recordings)) == 160
    # The first reading of the file was logged again as rows 160 and 200: in this order are they numbered.
    mine = np.flatnonzero((data.values == logged.values[0].astype(np.float32)).all(axis=1))
    assert len(mine) == 3
    assert starts[mine].tolist() == [0, 1, 2]


def test_columns_that_signals_have_say_nothing(data):
    table = data.table
    assert table.window_length == 1
    assert set(table['block']) == {NO_BLOCK}
    assert (set(table['domain']), set(table['bearing'])) == ({'table'}, {''})
    for name in ('speed_rpm', 'load', 'sample_rate_hz'):
        np.testing.assert_array_equal(table[name], np.full(240, UNKNOWN, np.float32))
    np.testing.assert_array_equal(table['peak'], data.values)
    np.testing.assert_array_equal(table['fault_type'], table['label'])


def test_no_reading_is_in_two_splits(data):
    for fold in range(5):
        splits = split_rows(data.table, 'stratified', fold=fold, seed=2)
        parts = {name: {tuple(v) for v in data.values[getattr(splits, name)].tolist()} for name in SPLITS}
        for a, b in itertools.combinations(SPLITS, 2):
            assert not parts[a] & parts[b]
        assert sum(len(getattr(splits, name)) for name in SPLITS) == 240
        assert splits.leak.shared == 0


def test_examples_are_z_scores_with_their_labels(data):
    rows = np.array([5, 0, 211])
    gain = ((1600.0, 24.0, 0.12, 3.5), (200.0, 5.0, 0.02, 0.3))
    examples = RecordExamples(data, rows, 'label', gain)
    expected = ((data.values[rows].astype(np.float64) - gain[0]) / gain[1]).astype(np.float32)
    for i, row in enumerate(rows):
        assert examples[i]['inputs'].dtype == np.float32
        np.testing.assert_array_equal(examples[i]['inputs'], expected[i])
        assert examples[i]['labels'] == data.table['label'][row]
    assert examples.labels().tolist() == data.table['label'][rows].tolist()


def test_few_labels_of_a_table(data):
    train = split_rows(data.table, 'stratified').train
    kept = few_labels(data.table, train, 6, 'label', seed=1)
    assert np.bincount(data.table['label'][kept]).tolist() == [6, 6]
    assert set(kept) < set(train.tolist())


def test_single_rows_and_columns(data):
    np.testing.assert_array_equal(data.inputs(17), data.values[17])
    np.testing.assert_array_equal(data.read([3, 1], 'vibration_g'), data.values[[3, 1], 2])
    for row in (-1, 240):
        with pytest.raises(DataError, match=f'motor_maintenance/log:1.0.0: row {row} of 240'):
            data.inputs(row)
    with pytest.raises(DataError, match='column torque.* rpm, temperature_c, vibration_g, current_a'):
        data.read([0], 'torque')


def test_a_reading_has_the_same_name_in_every_table(data, logged, tmp_path):
    """So evaluation on another table notices rows that were trained on; the sign of a zero is no other reading."""
    values = np.concatenate([logged.values[:30], generate(40, 9).values])
    values[-1, 0], values[-2] = 0.0, values[-1] * [0.0, 1, 1, 1]
    values[-2, 0] = -0.0
    other = Readings(COLUMNS, values, np.arange(70) % 2)
    write_readings(tmp_path / 'other.csv', other)
    config = room.MotorMaintenanceConfig(name='other', csv=str(tmp_path / 'other.csv'))
    room.Builder(config=config, data_dir=tmp_path / 'data').download_and_prepare()
    names = open_dataset('motor_maintenance/other', tmp_path / 'data').table['recording']
    assert np.isin(names, data.table['recording']).sum() == 30
    assert len(set(names)) == 69
