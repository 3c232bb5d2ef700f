"""Scalograms: the Morlet transform beside PyWavelets, and what the images show."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pytest

from fdx.signal.front_ends import create_front_end
from fdx.signal.scalogram_morlet import log_spaced, mean_of_columns, morlet_magnitudes
from fdx.types import ConfigError, DataError

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / 'golden'
RATE_HZ = 12000.0


@pytest.fixture(scope='module')
def made():
    spec = importlib.util.spec_from_file_location('make_scalogram', GOLDEN / 'make_scalogram.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def small():
    return create_front_end('scalogram_small', RATE_HZ)


def seconds(front_end):
    return np.arange(front_end.patch_length) / front_end.rate_hz


def sine(front_end, frequency_hz, amplitude=1.0):
    return (amplitude * np.sin(2 * np.pi * frequency_hz * seconds(front_end))).astype(np.float32)[:, None]


def assert_pywavelets(made, wanted):
    """Its wavelet is averaged over a 32nd of a sample, and reaches a little beyond Nyquist at the top."""
    ours = morlet_magnitudes(made.signal(), made.FREQUENCIES, made.OMEGA0)
    assert ours.shape == wanted.shape and ours.dtype == np.float32
    tops = wanted.max(axis=1)
    assert tops.min() > 0.05
    errors = np.abs(ours - wanted).max(axis=1) / tops
    assert (errors[made.FREQUENCIES < 0.1] < 5e-4).all() and (errors < 0.012).all(), errors


def test_the_transform_is_that_of_pywavelets(made):
    with np.load(GOLDEN / 'scalogram.npz') as stored:
        assert_pywavelets(made, stored['magnitudes'])


def test_the_transform_is_that_of_the_pywavelets_here(made):
    pytest.importorskip('pywt', reason='PyWavelets is not installed here; the golden file stands for it')
    assert_pywavelets(made, made.pywavelets_magnitudes())


def test_a_row_is_the_integral_of_the_signal_under_its_wavelet():
    """The definition, sum by sum, for one row and one place; zeros lie beyond the ends."""
    x = np.random.default_rng(1).standard_normal(300)
    frequency, omega0 = 0.05, 6.0
    deviation = omega0 / (2 * np.pi * frequency)
    found = morlet_magnitudes(x, np.array([frequency]), omega0)[0]
    for at in (0, 150, 299):
        t = np.arange(300) - at
        wavelet = np.exp(2j * np.pi * frequency * t - 0.5 * (t / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
        assert found[at] == pytest.approx(2 * abs(np.sum(x * wavelet.conj())), abs=1e-5)


def test_rows_have_equal_ratios_over_the_whole_band(small):
    hz = small.centre_frequencies_hz()
    assert (hz[0], hz[-1]) == (pytest.approx(10 / (64 * 46 / RATE_HZ)), pytest.approx(0.42 * RATE_HZ))
    np.testing.assert_allclose(hz[1:] / hz[:-1], hz[1] / hz[0])
    assert log_spaced(1.0, 100.0, 3).tolist() == pytest.approx([1, 10, 100])
    # Noise up to Nyquist leaves no row dark.
    noise = np.random.default_rng(0).standard_normal((small.patch_length, 1)).astype(np.float32)
    assert small(noise, RATE_HZ).mean(axis=(1, 2)).min() > 0.3


def test_black_is_silence_and_white_a_sine_of_amplitude_one(small):
    silent = small(np.zeros((small.patch_length, 1), np.float32), RATE_HZ)
    assert (silent == 0).all()
    for frequency_hz in (210.0, 1010.0, 3910.0):
        image = small(7.0 * sine(small, frequency_hz), RATE_HZ)  # scaled to a peak of 1
        row = np.abs(small.centre_frequencies_hz() - frequency_hz).argmin()
        assert image[:, 20:-20, 0].mean(axis=1).argmax() == row
        assert image[row, 20:-20].min() > 0.99 and image.max() < 1.001
    assert image.dtype == np.float32
    assert (image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all()
    # 60 dB below it is the knee of the logarithm, and one decade above that a third.
    weak = small.image(sine(small, 1000.0, 0.01))
    assert weak[:, 30, 0].max() == pytest.approx(np.log(11) / np.log(1001), abs=0.005)


def test_impacts_are_columns_and_a_rub_is_a_row(small):
    x = np.zeros((small.patch_length, 1), np.float32)
    x[20 * small.hop_length + 10] = 1
    image = small(x, RATE_HZ)[..., 0]
    top = image[-16:].mean(axis=0)
    assert top.argmax() == 20 and top[20] > 3 * max(top[18], top[22])
    assert image[:4].std(axis=0).max() < 0.1
    tone = small(sine(small, 1000.0), RATE_HZ)[..., 0]
    assert tone[:, 32].argmax() == tone[:, 10].argmax()


def test_a_gain_on_the_image_is_a_gain_on_the_signal(small):
    x = np.random.default_rng(2).standard_normal((small.patch_length, 1)).astype(np.float32)
    for gain in (0.02, 3.0, (0.5,)):
        wanted = small.image(np.reshape(gain, ()).astype(np.float32) * x)
        np.testing.assert_allclose(small.with_gain(small.image(x), gain), wanted, atol=2e-5)
    same = small.image(x)
    assert small.with_gain(same, 1.0) is same
    with pytest.raises(DataError, match='3 gains do not fit a scalogram of 1 channel'):
        small.with_gain(same, (1.0, 2.0, 3.0))


def test_columns_are_means_of_whole_hops():
    assert mean_of_columns(np.arange(14.0).reshape(2, 7), 3).tolist() == [[1, 4], [8, 11]]


def test_training_scales_by_one_number_and_several_channels_are_refused(small):
    kept = create_front_end('scalogram_small_train', RATE_HZ)
    x = sine(small, 1000.0, 0.25)
    assert kept(x, RATE_HZ).max() < small(x, RATE_HZ).max() - 0.1
    with pytest.raises(ConfigError, match='front end scalogram_small takes one channel'):
        small.output_shape(3)
    with pytest.raises(DataError, match='takes one channel'):
        small(np.zeros((small.patch_length, 2), np.float32), RATE_HZ)
