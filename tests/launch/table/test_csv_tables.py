"""--csv: the same rows under the same name, and refusals."""

from __future__ import annotations

import pathlib
import re

import numpy as np
import pytest

from fdx.data.prepare import prepare_if_missing
from fdx.data.readings_csv import COLUMNS
from fdx.data.source import open_dataset
from fdx.datasets.motor_maintenance.generator import generate
from fdx.types import ConfigError, DataError

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILDER = ROOT / 'datasets' / 'motor_maintenance'
HEADER = ','.join(COLUMNS)


@pytest.mark.parametrize(
    ('dataset', 'csv', 'words'),
    [
        (
            'motor_maintenance/mine',
            'other.csv',
            r'prepared already.* \(log\.csv\): choose another name',
        ),
        ('motor_maintenance/mine', 'gone.csv', 'gone.csv is not a file'),
        ('motor_maintenance/small', 'log.csv', 'name of its own.* study, small'),
        ('motor_maintenance', 'log.csv', 'name of its own'),
        ('cwru/mine', 'log.csv', 'cwru .*recordings, .*table'),
        ('squeaky_wheel/mine', 'log.csv', 'no builder datasets/squeaky_wheel'),
    ],
)
def test_a_file_that_does_not_belong_to_the_name_is_refused(trained, folder, dataset, csv, words):
    before = sorted((folder / 'data').rglob('*'))
    with pytest.raises(ConfigError, match=words) as e:
        prepare_if_missing(dataset, str(folder / 'data'), None, str(folder / csv))
    assert '`csv`=' in str(e.value) or '`dataset`=' in str(e.value)
    assert sorted((folder / 'data').rglob('*')) == before


def test_a_name_that_is_prepared_without_a_file_is_refused(folder, tmp_path):
    prepare_if_missing('motor_maintenance/small', str(tmp_path), None)
    with pytest.raises(ConfigError, match='small:1.0.0 .*prepared already, .*choose another name'):
        prepare_if_missing('motor_maintenance/small', str(tmp_path), None, str(folder / 'log.csv'))
    with pytest.raises(ConfigError, match='motor_maintenance/other: .*study, small; .* `csv`=FILE'):
        prepare_if_missing('motor_maintenance/other', str(tmp_path), None)


def test_train_refuses_another_file_in_one_line(call, trained, mine, folder, tmp_path):
    done = call('train', *mine[:2], f'--csv={folder / "other.csv"}', f'--workdir={tmp_path / "run"}')
    assert (done.code, 'prepared already, from other rows (log.csv)' in done.error) == (1, True)
    assert not (tmp_path / 'run').exists()


def test_a_bad_table_names_its_cell_and_leaves_nothing(call, folder, tmp_path):
    lines = (folder / 'log.csv').read_text().splitlines()
    lines[7] = lines[7].rpartition(',')[0] + ',2'
    (tmp_path / 'bad.csv').write_text('\n'.join(lines))
    with pytest.raises(DataError, match=r"bad\.csv: row 8, column failure: '2' .*0 for normal"):
        prepare_if_missing('motor_maintenance/bad', str(tmp_path / 'data'), None, str(tmp_path / 'bad.csv'))
    assert sorted(p.name for p in tmp_path.iterdir()) == ['bad.csv']


def test_prepare_takes_a_table(call, folder, mine, tmp_path):
    to = f'--data_dir={tmp_path / "data"}'
    done = call('prepare', BUILDER, '--config=theirs', f'--csv={folder / "other.csv"}', to)
    assert done.code == 0, done.err
    data = open_dataset('motor_maintenance/theirs', tmp_path / 'data')
    np.testing.assert_array_equal(np.sort(data.values[:, 0]), np.sort(generate(150, 2).values[:, 0].astype(np.float32)))
    assert data.metadata['source'] == 'other.csv'
    # launch.train knows the file, and no other under this name.
    flags = ['--dataset=motor_maintenance/theirs', to, '--epochs=1', f'--workdir={tmp_path / "run"}']
    done = call('train', *flags, f'--csv={folder / "log.csv"}')
    assert 'prepared already, from other rows (other.csv)' in done.error
    done = call('train', *flags, f'--csv={folder / "other.csv"}')
    assert (done.code, 'preparing' in done.out) == (0, False)


@pytest.mark.parametrize(
    ('args', 'words'),
    [
        (['--config=small'], 'name of its own.* study, small'),
        ([], 'name of its own'),
        (['--config=mine', '--csv=/nowhere/log.csv'], '/nowhere/log.csv does not exist'),
    ],
)
def test_prepare_refuses(call, folder, tmp_path, args, words):
    flags = [f'--csv={folder / "log.csv"}', f'--data_dir={tmp_path / "data"}']
    done = call('prepare', BUILDER, *flags, *args)
    assert done.code == 1
    assert re.search(words, done.error)
    assert not (tmp_path / 'data').exists()


def test_prepare_refuses_a_table_for_recordings(call, folder, tmp_path):
    flags = ('--config=mine', f'--csv={folder / "log.csv"}', f'--data_dir={tmp_path / "data"}')
    cwru = ROOT / 'datasets' / 'cwru'
    for builders, words in (
        ([cwru], 'cwru is made of recordings'),
        ([BUILDER, cwru], 'one dataset at'),
    ):
        done = call('prepare', *builders, *flags)
        assert (done.code, words in done.error) == (1, True)
    assert not (tmp_path / 'data').exists()
