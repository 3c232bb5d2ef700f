"""ONNX: a clear error where its packages are missing, and parity of every network where a python has them."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

from fdx.export.onnx_file import to_onnx
from fdx.models.registry import model_names
from fdx.predict.backends.onnx import read_model
from fdx.types import CheckpointError, ConfigError

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope='session')
def onnx_python():
    named = os.environ.get('FDX_ONNX_PYTHON')
    if named is None and importlib.util.find_spec('jax2onnx') is None:
        pytest.skip('jax2onnx is not installed (requirements-onnx.txt): name a python that has it in FDX_ONNX_PYTHON')
    return named or sys.executable


def test_every_network_agrees_with_jax(onnx_python):
    program = pathlib.Path(__file__).with_name('onnx_program.py')
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'JAX_PLATFORMS': 'cpu'}
    done = subprocess.run(
        [onnx_python, program], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(found) == set(model_names())
    assert max(worst for worst, _ in found.values()) < 1e-5, found


@pytest.mark.skipif(importlib.util.find_spec('jax2onnx') is not None, reason='jax2onnx is installed here')
def test_without_its_packages_the_error_says_how_to_get_them():
    with pytest.raises(ConfigError, match=r'jax2onnx.*requirements-onnx\.txt'):
        to_onnx(lambda x: x, (4,))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match='none.onnx does not exist'):
        read_model(tmp_path / 'none.onnx')
