"""Recordings that repeat themselves to the last digit are told from all that a sensor measures."""

import numpy as np
import pytest

from fdx.data.raw.files import read_raw_file
from fdx.signal.repeats import repeats_after

RATE, TIME = 12_000, np.arange(24_000) / 12_000


@pytest.mark.parametrize(('frequency_hz', 'period'), [(50, 240), (48, 250), (3000, 4), (1000, 12)])
@pytest.mark.parametrize('bits', [None, 16, 12])
def test_a_calculated_tone_repeats_whatever_it_is_rounded_to(frequency_hz, period, bits):
    tone = np.sin(2 * np.pi * frequency_hz * TIME)
    rounded = tone.astype(np.float32) if bits is None else np.rint(tone * (2 ** (bits - 1) - 1))
    found = repeats_after(rounded)
    assert found is not None and found % period == 0


def test_a_stretch_that_was_copied_end_to_end_repeats_after_its_length():
    stretch = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    assert repeats_after(np.tile(stretch, 3)) == 5000
    assert repeats_after(np.tile(stretch, 3)[:12_345]) == 5000, 'the last copy may be cut'
    assert repeats_after(stretch) is None


@pytest.mark.parametrize('noise', [1e-4, 1e-3])
def test_noise_far_below_a_tone_does_not_repeat(noise):
    hiss = noise * np.random.default_rng(0).standard_normal(len(TIME))
    assert repeats_after(np.sin(2 * np.pi * 50 * TIME) + hiss) is None


@pytest.mark.parametrize('x', [np.ones(500), np.zeros(3), np.zeros(0), np.arange(500.0)])
def test_constants_ramps_and_short_pieces_have_no_period(x):
    assert repeats_after(x) is None


@pytest.mark.parametrize('seed', range(6))
def test_knocks_on_a_coarse_recorder_do_not_repeat(seed):
    """Nine samples in ten are zero, so that runs of zeros come back and half of all differences are nothing."""
    rng = np.random.default_rng(seed)
    x = 0.3 * rng.standard_normal(72_000)
    x[rng.integers(0, len(x), 400)] += rng.normal(0, 15, 400)
    assert repeats_after(np.rint(x)) is None


def test_real_recordings_do_not_repeat(raw_data):
    """None of the 1,004 channels of the development set does; one file per machine is asked here."""
    for folder, pattern in (('mfpt', '*.mat'), ('adi_cbm', '*.csv'), ('femto', '*.csv')):
        file = min((raw_data / folder).rglob(pattern))
        samples = np.asarray(read_raw_file(file, sample_rate_hz=25_600).samples)
        assert [repeats_after(samples[:, c]) for c in range(samples.shape[1])] == [None] * samples.shape[1], file.name
