"""The motor maintenance builder: records, splits, metadata, and a user's file in place of drawn readings."""

from __future__ import annotations

import dataclasses
import hashlib
import socket

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.readings_csv import COLUMNS, Readings, write_readings
from fdx.datasets.motor_maintenance import motor_maintenance_dataset_builder as room
from fdx.datasets.motor_maintenance.generator import STUDY, bayes_accuracy, generate
from fdx.types import ConfigError, DataError

SPLITS = ('train', 'validation', 'test')


@pytest.fixture(scope='module', autouse=True)
def no_network():
    def refuse(*args):
        raise OSError(f'no network in tests: {args[1:]}')

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, 'connect', refuse)
        yield


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    return prepared('small', tmp_path_factory.mktemp('small'))


@pytest.fixture(scope='module')
def parts(small):
    return records(small)


def prepared(config, folder):
    builder = room.Builder(config=config, data_dir=folder)
    builder.download_and_prepare()
    return tfds.builder_from_directory(builder.data_dir)


def records(builder):
    """split -> field -> array, of all records as TFDS reads them."""
    found = {}
    for split in SPLITS:
        rows = list(builder.as_data_source(split=split))
        found[split] = {field: np.array([row[field] for row in rows]) for field in builder.info.features}
    return found


def joined(parts):
    """field -> array over all splits, in the order of the table."""
    order = np.argsort(np.concatenate([part['row'] for part in parts.values()]))
    return {field: np.concatenate([part[field] for part in parts.values()])[order] for field in parts['train']}


def with_csv(folder, readings, name='mine', file='mine.csv', **options):
    write_readings(folder / file, readings)
    return room.Builder.builder_config_cls(name=name, csv=str(folder / file), **options)


def test_configs_and_words():
    configs = room.Builder.builder_configs
    assert {name: (c.rows, c.seed, c.csv) for name, c in configs.items()} == {
        'study': (10000, 0, ''),
        'small': (1500, 0, ''),
    }
    assert room.Builder.builder_config_cls is room.MotorMaintenanceConfig
    assert (str(room.Builder.VERSION), room.Builder.name) == ('1.0.0', 'motor_maintenance')


def test_records_are_the_drawn_readings(small, parts):
    expected = generate(1500, 0)
    found = joined(parts)
    assert found['row'].tolist() == list(range(1500))
    for i, name in enumerate(COLUMNS):
        assert small.info.features[name].np_dtype == np.float32
        np.testing.assert_array_equal(found[name].astype(np.float32), expected.values[:, i].astype(np.float32))
    np.testing.assert_array_equal(found['failure'], expected.labels)
    np.testing.assert_array_equal(found['group'], found['row'])
    assert small.info.features['failure'].names == ['normal', 'failure']
    assert (small.info.features['row'].np_dtype, small.info.features['group'].np_dtype) == (np.int64, np.int64)


def test_splits_are_stratified_and_in_the_order_of_the_table(parts):
    everything = joined(parts)
    share = everything['failure'].mean()
    sizes = {split: len(part['row']) for split, part in parts.items()}
    assert sum(sizes.values()) == 1500
    for split, fraction in zip(SPLITS, (0.6, 0.2, 0.2)):
        part = parts[split]
        assert sizes[split] == pytest.approx(1500 * fraction, abs=4)
        assert part['failure'].mean() == pytest.approx(share, abs=0.01)
        assert (np.diff(part['row']) > 0).all()


def test_metadata_says_what_the_table_is(small, parts):
    metadata = dict(small.info.metadata)
    parameters = metadata.pop('parameters')
    labels = joined(parts)['failure']
    assert metadata == {
        'kind': 'readings',
        'columns': ['rpm', 'temperature_c', 'vibration_g', 'current_a'],
        'label': 'failure',
        'rows': 1500,
        'source': 'generator',
        'protocol': 'stratified',
        'group_column': '',
        'csv_sha256': '',
        'balance': {'normal': int((labels == 0).sum()), 'failure': int((labels == 1).sum())},
        'bayes_accuracy': bayes_accuracy(),
    }
    assert parameters['rpm'] == {'mean': 1600.0, 'deviation': 200.0}
    assert (parameters['seed'], parameters['p_failure_if_condition'], parameters['p_failure_otherwise']) == (
        0,
        0.9,
        0.05,
    )
    assert small.info.file_format.value == 'array_record'


def test_chances_and_seed_of_a_config_reach_the_records(tmp_path):
    config = room.MotorMaintenanceConfig(name='sure', rows=200, seed=3, p_failure_if_condition=1.0)
    builder = prepared(config, tmp_path)
    expected = generate(200, 3, dataclasses.replace(STUDY, p_failure_if_condition=1.0))
    np.testing.assert_array_equal(joined(records(builder))['failure'], expected.labels)
    assert builder.info.metadata['parameters']['p_failure_if_condition'] == 1.0
    assert builder.info.metadata['bayes_accuracy'] > bayes_accuracy()


def test_a_file_of_the_drawn_readings_gives_the_same_records(tmp_path, parts):
    builder = prepared(with_csv(tmp_path, generate(1500, 0), protocol='stratified'), tmp_path / 'data')
    found = records(builder)
    for split in SPLITS:
        for field, values in parts[split].items():
            np.testing.assert_array_equal(found[split][field], values, err_msg=f'{split} {field}')
    metadata = builder.info.metadata
    assert (metadata['source'], metadata['rows']) == ('mine.csv', 1500)
    assert metadata['csv_sha256'] == hashlib.sha256((tmp_path / 'mine.csv').read_bytes()).hexdigest()
    assert 'parameters' not in metadata
    assert str(tmp_path) not in str(metadata)


def test_identical_readings_stay_together(tmp_path):
    readings = generate(300, 7)
    # Every reading is there three times, two of them equal in float32 only, and labels do not always agree.
    nearly = np.nextafter(readings.values, np.inf)
    labels = np.concatenate([readings.labels, readings.labels, generate(300, 8).labels])
    values = np.concatenate([readings.values, readings.values, nearly])
    assert (nearly != readings.values).all()
    parts = records(prepared(with_csv(tmp_path, Readings(COLUMNS, values, labels)), tmp_path / 'data'))
    found = joined(parts)
    np.testing.assert_array_equal(found['group'], room.group_numbers(values))
    same = values[:300].astype(np.float32) == nearly.astype(np.float32)
    assert same.all(axis=1).sum() > 290
    np.testing.assert_array_equal(found['group'][:300], found['group'][300:600])
    groups = [set(parts[split]['group']) for split in SPLITS]
    assert sum(map(len, groups)) == len(set.union(*groups))


def test_group_numbers():
    values = np.array([[1.0, 2.0], [0.0, 3.0], [1.0, 2.0], [-0.0, 3.0], [1.0, 2.0 + 1e-12], [2.0, 1.0]])
    assert room.group_numbers(values).tolist() == [0, 1, 0, 1, 0, 5]
    assert room.group_numbers(values).dtype == np.int64


def test_a_second_preparation_leaves_no_word_of_the_first(tmp_path):
    prepared(room.MotorMaintenanceConfig(name='mine', rows=100), tmp_path / 'data')
    builder = room.Builder(config=with_csv(tmp_path, generate(150, 2)), data_dir=tmp_path / 'data')
    # TFDS loads what lies there, once it is looked at.
    assert (builder.info.metadata['source'], builder.info.metadata['rows']) == ('generator', 100)
    again = tfds.download.DownloadConfig(download_mode=tfds.GenerateMode.REUSE_CACHE_IF_EXISTS)
    builder.download_and_prepare(download_config=again)
    metadata = tfds.builder_from_directory(builder.data_dir).info.metadata
    assert (metadata['source'], metadata['rows']) == ('mine.csv', 150)
    assert not {'parameters', 'bayes_accuracy'} & set(metadata)


def test_a_prepared_dataset_does_not_need_its_file_any_more(tmp_path):
    config = with_csv(tmp_path, generate(150, 2))
    prepared(config, tmp_path / 'data')
    (tmp_path / 'mine.csv').unlink()
    assert len(room.Builder(config=config, data_dir=tmp_path / 'data').as_data_source(split='train')) > 80


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (lambda folder: None, r'bad\.csv does not exist'),
        (lambda folder: (folder / 'bad.csv').write_text('rpm,failure\n1,0\n'), r'bad\.csv: row 1, the header'),
        (lambda folder: with_csv(folder, generate(12, 2), file='bad.csv'), r'bad\.csv: column failure: \d rows are'),
    ],
)
def test_a_bad_file_stops_the_build_and_leaves_nothing(tmp_path, make, words):
    make(tmp_path)
    config = room.MotorMaintenanceConfig(name='bad', csv=str(tmp_path / 'bad.csv'))
    with pytest.raises(DataError, match=words):
        prepared(config, tmp_path / 'data')
    assert not list(tmp_path.rglob('dataset_info.json'))
    assert not list(tmp_path.rglob('*.array_record*'))


def test_a_class_of_one_reading_cannot_be_split(tmp_path):
    readings = generate(200, 2)
    values = readings.values.copy()
    values[readings.labels == 1] = values[readings.labels == 1][0]
    config = with_csv(tmp_path, Readings(COLUMNS, values, readings.labels))
    with pytest.raises(DataError, match=r'mine\.csv: no row of class failure .*identical readings'):
        prepared(config, tmp_path / 'data')


def test_too_few_drawn_failures_are_refused(tmp_path):
    config = room.MotorMaintenanceConfig(name='never', rows=100, p_failure_if_condition=0.0, p_failure_otherwise=0.0)
    with pytest.raises(DataError, match=r'generator: column failure: 0 rows .*1 \(failure\)'):
        prepared(config, tmp_path)


def test_options_that_would_be_ignored_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r'rows, seed with csv=a\.csv'):
        room.MotorMaintenanceConfig(name='mine', csv='a.csv', rows=5, seed=1)
    config = room.MotorMaintenanceConfig(name='odd', p_failure_otherwise=1.5)
    with pytest.raises(ConfigError, match=r'p_failure_otherwise is 1\.5'):
        room.Builder(config=config, data_dir=tmp_path)
