"""ResNet-50 against arrays that torchvision computed (tests/golden/make_resnet50.py)."""

from __future__ import annotations

import numpy as np


def test_logits_and_a_training_step_agree_with_torchvision(golden_folder, fdx_arrays, assert_parity):
    with np.load(golden_folder / 'resnet50.npz') as expected:
        assert_parity(fdx_arrays, dict(expected))


def test_the_golden_file_is_of_this_scale(golden_folder):
    """Tolerances of 1e-4 mean something: logits and statistics are far larger, and inputs differ."""
    with np.load(golden_folder / 'resnet50.npz') as expected:
        for i in range(3):
            assert np.abs(expected[f'logits_{i}']).max() > 1
        assert np.ptp(expected['logits_0'], axis=0).max() > 0.1
        assert expected['after_layer4.2.bn2.running_mean'].std() > 0.05
