"""Fixtures of this room: helpers loaded by path, and slim networks with seeded weights under torch names."""

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


@pytest.fixture(scope='session')
def tf_bundle_bytes():
    return load_script(HERE / 'tf_bundle_bytes.py')


@pytest.fixture(scope='session')
def make_musicnn():
    return load_script(GOLDEN / 'make_musicnn.py')


@pytest.fixture(scope='session')
def resnet_names():
    return load_script(HERE / 'resnet_state.py')


@pytest.fixture
def server():
    running = load_script(HERE / 'http_server.py').Server()
    yield running
    running.close()


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


RESNET = {'width_multiplier': 1 / 16, 'depths': (1, 2, 1, 1)}
RESNET_CLASSES = 7


@pytest.fixture(scope='session')
def slim_resnet():
    """Options of a small ResNet; its classifier in the files has RESNET_CLASSES classes."""
    return dict(RESNET)


@pytest.fixture(scope='session')
def _resnet_state(resnet_names):
    return resnet_names.seeded_state(depths=RESNET['depths'], multiplier=1 / 16, classes=RESNET_CLASSES)


@pytest.fixture
def resnet_state(_resnet_state):
    """Name -> array of the small ResNet with 3 input channels and 7 classes; only the dict may be changed."""
    return dict(_resnet_state)


@pytest.fixture
def resnet_pth(tmp_path, resnet_state, torch_bytes):
    path = tmp_path / 'resnet50-tiny.pth'
    path.write_bytes(torch_bytes.state_file(resnet_state))
    return path


@pytest.fixture
def read(tmp_path):
    """Function bytes -> arrays of a .pth file of them."""
    from fdx.weights.readers.torch_file import read_torch_file

    def read_bytes(raw: bytes):
        path = tmp_path / 'given.pth'
        path.write_bytes(raw)
        return read_torch_file(path)

    return read_bytes
