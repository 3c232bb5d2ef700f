"""A small table and runs on it; each file of this folder makes its own."""

from __future__ import annotations

import pytest

from fdx.data.prepare import prepare_if_missing
from fdx.data.source import open_dataset
from fdx.train.config import TrainConfig
from fdx.train.run import train
from tests.train.table.table_numbers import SETTINGS


@pytest.fixture(scope='module')
def table_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp('table')
    prepare_if_missing(SETTINGS['dataset'], str(folder), None)
    return folder


@pytest.fixture(scope='module')
def data(table_dir):
    return open_dataset(SETTINGS['dataset'], table_dir)


@pytest.fixture(scope='module')
def config_of(table_dir):
    return lambda **changes: TrainConfig(**{'data_dir': str(table_dir), **SETTINGS, **changes})


@pytest.fixture(scope='module')
def trained(config_of, tmp_path_factory):
    """trained(**changes) -> (workdir, RunResult) of a run; the same one for the same settings."""
    runs = {}

    def make(**changes):
        key = str(sorted(changes.items()))
        if key not in runs:
            workdir = tmp_path_factory.mktemp('run')
            runs[key] = workdir, train(config_of(**changes), workdir)
        return runs[key]

    return make
