"""Fixtures of this room: helpers loaded by path, and a slim VGGish with seeded weights under torch names."""

from __future__ import annotations

import importlib.util
import pathlib

import pytest

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / 'golden'


def load_script(path: pathlib.Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def golden_folder():
    return GOLDEN


@pytest.fixture(scope='session')
def torch_bytes():
    return load_script(HERE / 'torch_bytes.py')


@pytest.fixture(scope='session')
def make_vggish():
    return load_script(GOLDEN / 'make_vggish.py')


@pytest.fixture(scope='session')
def make_torch_files():
    return load_script(GOLDEN / 'make_torch_files.py')


SLIM = 1 / 64


@pytest.fixture(scope='session')
def slim_width():
    return SLIM


@pytest.fixture(scope='session')
def _slim_state(make_vggish):
    return make_vggish.seeded_state_dict(SLIM)


@pytest.fixture
def slim_state(_slim_state):
    """Name -> array of the network of 1/64 of the width; the dict may be changed, its arrays may not."""
    return dict(_slim_state)


@pytest.fixture
def slim_pth(tmp_path, slim_state, torch_bytes):
    path = tmp_path / 'slim.pth'
    path.write_bytes(torch_bytes.state_file(slim_state))
    return path
