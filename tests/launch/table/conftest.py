"""A user's tables and a run on one; each file of this folder makes its own."""

from __future__ import annotations

import pytest

from fdx.data.readings_csv import write_readings
from fdx.datasets.motor_maintenance.generator import generate


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """log.csv and other.csv, tables of 150 readings."""
    folder = tmp_path_factory.mktemp('tables')
    write_readings(folder / 'log.csv', generate(150, 1))
    write_readings(folder / 'other.csv', generate(150, 2))
    return folder


@pytest.fixture(scope='module')
def mine(folder):
    """Flags of launch.train for log.csv, which is prepared on first use."""
    return ['--dataset=motor_maintenance/mine', f'--data_dir={folder / "data"}', f'--csv={folder / "log.csv"}']


@pytest.fixture(scope='module')
def trained(call, mine, folder):
    """(workdir, what the program left) of a run on log.csv; few epochs, and a threshold that calls many failures."""
    done = call('train', *mine, '--epochs=3', '--threshold=cost:20', f'--workdir={folder / "run"}')
    assert done.code == 0, done.err
    return folder / 'run', done
