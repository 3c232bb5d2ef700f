"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _raw_data_dir() -> pathlib.Path | None:
    candidates = [os.environ.get('FDX_RAW_DATA'), ROOT.parent / 'shared' / 'data']
    return next((pathlib.Path(c) for c in candidates if c and (pathlib.Path(c) / 'cwru').is_dir()), None)


@pytest.fixture(scope='session')
def raw_data() -> pathlib.Path:
    """Folder of real recordings (cwru/, mfpt/, soon/); absent: a skip, but a failure where CI=true."""
    found = _raw_data_dir()
    if found is None:
        reason = 'real recordings are absent: put them into ../shared/data or name their folder in FDX_RAW_DATA'
        if os.environ.get('CI') == 'true':
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope='session')
def table_run(tmp_path_factory) -> pathlib.Path:
    """A small MLP on a table of 1500 readings, trained for a few epochs, with a threshold; tests only read it."""
    from fdx.train.config import TrainConfig
    from fdx.train.run import train
    from launch.prepare_on_demand import prepare_if_missing

    folder = tmp_path_factory.mktemp('table')
    dataset = 'motor_maintenance/small'
    prepare_if_missing(dataset, str(folder / 'data'), None)
    settings = {'protocol': 'stratified', 'model': 'mlp', 'dropout_rate': 0.0, 'batch_size': 128, 'threshold': 'cost:2'}
    config = TrainConfig(dataset, str(folder / 'data'), epochs=4, learning_rate=1e-2, halve_every=0, **settings)
    train(config, folder / 'table_run')
    return folder / 'table_run'


@pytest.fixture(scope='module')
def short_timing():
    """Timing exported models takes seconds; where it is not what is tested it takes none."""
    from fdx.export import verify

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, 'SECONDS_A_ROUND', 0.002)
        yield
