"""ResNet-50 against torchvision as it is installed here: in this environment, or in that of FDX_TORCH_PYTHON."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture(scope='session')
def torch_python():
    """Of the widest scope and asked for first, so that a skip costs nothing."""
    named = os.environ.get('FDX_TORCH_PYTHON')
    if named is None and importlib.util.find_spec('torchvision') is None:
        pytest.skip('torchvision is not installed: name a python that has it in FDX_TORCH_PYTHON')
    return named or sys.executable


def test_logits_and_a_training_step_agree_with_the_torchvision_here(
    torch_python, golden_folder, tmp_path, fdx_arrays, assert_parity
):
    out = tmp_path / 'live.npz'
    subprocess.run([torch_python, golden_folder / 'make_resnet50.py', f'--out={out}'], check=True, timeout=300)
    with np.load(out) as expected:
        assert_parity(fdx_arrays, dict(expected))
