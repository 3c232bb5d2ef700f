"""triaxial_mel_paper against librosa's own output, and why no gain can be seen in it."""

from __future__ import annotations

import logging
import pathlib

import numpy as np
import pytest

from fdx.signal import decibel_mel
from fdx.signal.front_ends import create_front_end, front_end_from_config

RATE_HZ = 533.049


@pytest.fixture(scope='module')
def golden():
    with np.load(pathlib.Path(__file__).parents[1] / 'golden' / 'triaxial.npz') as file:
        return dict(file)


@pytest.fixture
def front_end():
    return create_front_end('triaxial_mel_paper', RATE_HZ)


def test_the_image_is_that_of_librosa(front_end, golden):
    image = front_end(golden['chunk'], RATE_HZ)
    assert (image.shape, image.dtype) == ((128, 2, 3), np.float32)
    assert golden['image'].shape == image.shape
    # The second axis falls silent: librosa's floor of 80 dB shows.
    assert (golden['image'][:, 1, 1] == -80).all()
    assert (golden['image'][..., 0] > -80).all()
    np.testing.assert_allclose(image, golden['image'], atol=2e-4)
    np.testing.assert_array_equal(image.max(axis=(0, 1)), 0)


def test_the_fitted_gain_changes_nothing_in_librosa_nor_here(front_end, golden):
    np.testing.assert_allclose(golden['image_scaled'], golden['image'], atol=2e-4)
    image = front_end(golden['chunk'], RATE_HZ)
    gain = tuple(golden['gain'].tolist())
    np.testing.assert_allclose(front_end.with_gain(image, gain), golden['image_scaled'], atol=2e-4)


@pytest.mark.parametrize('gain', [(1e-3, 20.0, 3e4), (7.0, 7.0, 7.0)])
def test_any_gain_on_the_signal_gives_the_same_decibels(front_end, golden, gain):
    loud = (golden['chunk'] * gain).astype(np.float32)
    image = front_end.with_gain(front_end(golden['chunk'], RATE_HZ), gain)
    np.testing.assert_allclose(front_end(loud, RATE_HZ), image, atol=1e-4)


def test_only_below_a_largest_power_of_one_hundredth_amin_shows(front_end):
    """Where the floor of 80 dB lies below amin, the level of the signal decides what is left."""
    rng = np.random.default_rng(1)
    x = np.where(np.arange(1000) < 300, 1.0, 1e-7 * rng.standard_normal(1000))[:, None].astype(np.float32)
    power = (np.abs(np.fft.rfft(np.pad(x[:128, 0], (128, 0)) * np.hanning(257)[:256])) ** 2) @ front_end.filter_bank()
    at = np.sqrt(0.01 / power.max())
    image = front_end(x, RATE_HZ)
    assert image.min() == -80
    np.testing.assert_allclose(front_end(np.float32(1.01 * at) * x, RATE_HZ), image, atol=1e-4)
    quiet = front_end(np.float32(0.1 * at) * x, RATE_HZ)
    assert quiet.min() == pytest.approx(-60, abs=0.1)


def test_frames_are_centred_and_hop_512_leaves_two(front_end):
    assert [front_end.num_frames(n) for n in (1, 511, 512, 1000, 1023, 1024)] == [1, 1, 2, 2, 2, 3]
    x = np.zeros((1000, 1), np.float32)
    x[20] = 1.0
    image = front_end(x, RATE_HZ)
    assert image[:, 0].max() == 0 and (image[:, 1] == -80).all()
    x = np.roll(x, 300)
    assert (front_end(x, RATE_HZ) == 0).all(), 'between the frames nothing is seen: all is at amin'


def test_filters_are_placed_by_the_nominal_rate_alone(front_end):
    """A line at 100 Hz of a sensor at 533 Hz lies where the filters say 187.6 Hz."""
    t = np.arange(1000) / RATE_HZ
    image = front_end(np.sin(2 * np.pi * 100 * t).astype(np.float32)[:, None], RATE_HZ)
    band = int(image[:, 0, 0].argmax())
    assert front_end.centre_frequencies_hz()[band] == pytest.approx(100, abs=2.1)
    other = create_front_end('triaxial_mel_paper', 2000.0)
    np.testing.assert_array_equal(other.filter_bank(), front_end.filter_bank())
    assert other.patch_samples(2000.0) == front_end.patch_samples(RATE_HZ) == 1000


def test_gravity_stays_in(front_end):
    x = np.random.default_rng(0).standard_normal((1000, 3)).astype(np.float32)
    x[:, 2] += 100
    image = front_end(x, RATE_HZ)
    assert image[0, :, 2].min() > -7 and image[20:, :, 2].max() < -20
    assert image[20:, :, 0].max() == 0 or image[:, :, 0].argmax() > 4
    np.testing.assert_array_equal(front_end.peaks(x), np.abs(x).max(axis=0))


def test_the_studys_filters_are_not_empty_and_empty_ones_are_counted_once(front_end, caplog):
    with caplog.at_level(logging.WARNING, logger='fdx'):
        decibel_mel._bank.cache_clear()
        create_front_end('triaxial_mel_paper', RATE_HZ)
        assert caplog.records == []
        changed = {**front_end.config(), 'nominal_rate_hz': 22050.0}
        for _ in range(2):
            made = front_end_from_config(changed)
    (record,) = caplog.records
    assert 'front end triaxial_mel_paper: 20 of 128 mel filters hold no FFT bin' in record.getMessage()
    image = made(np.random.default_rng(0).standard_normal((1000, 1)).astype(np.float32), RATE_HZ)
    silent = made.filter_bank().sum(axis=0) == 0
    assert silent.sum() == 20
    assert (image[silent] == -80).all() and (image[~silent] > -80).all()
