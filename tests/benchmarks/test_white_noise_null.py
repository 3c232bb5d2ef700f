"""The white-noise null: the figures of `--zero_shot` of fdx 0.2.0, which it stands for."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fdx.benchmarks.white_noise_null import diagnose
from fdx.datasets.bearing_rig.simulator import simulate_recording
from fdx.types import DataError


@pytest.fixture(scope='module')
def faulty():
    return simulate_recording('rig_a', 'inner_race', 1500.0, 1, duration_s=2.0, sample_rate_hz=16000.0, seed=0)


def test_a_fault_has_the_z_scores_of_version_0_2_0(faulty):
    found = diagnose(faulty)
    assert found.faults == ('inner_race', 'outer_race', 'ball')
    np.testing.assert_allclose(found.z_scores, [21.6857, 1.3747, -0.2947], rtol=2e-3)
    assert found.doubt == ''


def test_noise_is_healthy_and_one_line_is_doubted(faulty):
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((32000, 1)).astype(np.float32)
    silent = diagnose(dataclasses.replace(faulty, samples=noise))
    assert silent.z_scores.max() < 4 and silent.doubt == ''
    # Noise whose level swings at the order of the inner race alone: one harmonic.
    turn = np.arange(32000)[:, None] / 16000 * 25
    swing = 1 + 0.5 * np.cos(2 * math.pi * faulty.geometry.bpfi * turn)
    lonely = diagnose(dataclasses.replace(faulty, samples=(noise * swing).astype(np.float32)))
    assert lonely.z_scores[0] > 4 and 'one harmonic' in lonely.doubt


def test_what_cannot_be_diagnosed_is_an_error(faulty):
    for change, words in (
        ({'geometry': None}, 'bearing'),
        ({'speed_rpm': math.nan}, 'speed'),
        ({'samples': faulty.samples[:9000]}, 'shorter than a window'),
        ({'samples': np.repeat(faulty.samples, 2, axis=1)}, '2 channels'),
    ):
        with pytest.raises(DataError, match=words):
            diagnose(dataclasses.replace(faulty, **change))
