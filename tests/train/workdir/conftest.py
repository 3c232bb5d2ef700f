"""Two runs that were saved, and a copy of one for each test."""

from __future__ import annotations

import shutil

import pytest

from tests.train.workdir.saved import save


@pytest.fixture(scope='session')
def made(tmp_path_factory):
    """Two runs with the steps 10 (best), 20 and 30."""
    folder = tmp_path_factory.mktemp('made')
    for name in ('a', 'b'):
        save(folder / name, 10, 20, 30)
    return folder


@pytest.fixture
def run(made, tmp_path):
    shutil.copytree(made / 'a', tmp_path / 'run')
    return tmp_path / 'run'
