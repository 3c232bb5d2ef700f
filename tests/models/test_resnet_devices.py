"""A ResNet's loss, gradients and statistics do not depend on padding nor on the number of devices."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

from tests.models import devices_program

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope='module')
def measured(tmp_path_factory):
    """Arrays by number of devices: one device with no and with 3 padded examples, four with 3."""
    out = tmp_path_factory.mktemp('devices') / '4.npz'
    environment = os.environ | {
        'JAX_PLATFORMS': 'cpu',
        'XLA_FLAGS': f'{os.environ.get("XLA_FLAGS", "")} --xla_force_host_platform_device_count=4',
        'PYTHONPATH': str(ROOT),
    }
    program = pathlib.Path(__file__).with_name('devices_program.py')
    process = subprocess.run(
        [sys.executable, program, out, '3'], env=environment, capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, process.stderr
    with np.load(out) as arrays:
        on_four = dict(arrays)
    assert (on_four.pop('devices'), jax.device_count()) == (4, 1)
    return {1: devices_program.arrays(['0', '3']), 4: on_four}


# Two examples a device: of four devices the third holds one real example, the last nothing but padding.
@pytest.mark.parametrize('devices', [1, 4])
def test_padding_and_devices_change_nothing(measured, devices):
    expected = {k[2:]: v for k, v in measured[1].items() if k.startswith('0/')}
    found = {k[2:]: v for k, v in measured[devices].items() if k.startswith('3/')}
    assert set(found) == set(expected)
    for name, value in expected.items():
        scale = np.abs(value).max()
        assert scale > 0, name
        np.testing.assert_allclose(found[name], value, rtol=0, atol=2e-4 * scale, err_msg=name)
