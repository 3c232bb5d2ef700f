"""What the tests of fdx.health share."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest


@pytest.fixture(scope='session')
def machine():
    """tests/health/healthy.py."""
    name, path = 'health_machine', pathlib.Path(__file__).with_name('healthy.py')
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope='session')
def pump(machine, tmp_path_factory) -> pathlib.Path:
    """A workdir with a baseline of 30 recordings; tests that write into it copy it."""
    from fdx.data.collection.entry import Shared
    from fdx.data.collection.spec import CollectionSpec
    from fdx.health.learn_recordings import Options, learn_recordings

    root = tmp_path_factory.mktemp('pump')
    machine.write(root / 'healthy', range(30))
    spec = CollectionSpec(str(root / 'healthy'), shared=Shared(speed_rpm=machine.SPEED_RPM))
    learn_recordings(spec, root / 'pump', Options(detector='gaussian'))
    return root / 'pump'
