"""Amplitude: peak drops it, train fits one gain on training chunks, none leaves it."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal import scaling
from fdx.signal.front_ends import create_front_end, front_end_names
from fdx.types import ConfigError, DataError


def chunk(gain=1.0):
    return (gain * np.random.default_rng(5).standard_normal((15600, 1))).astype(np.float32)


def test_scale_samples_divides_only_for_peak():
    x = np.array([[0.5, -2.0], [1.0, 0.25]], np.float32)
    np.testing.assert_array_equal(scaling.scale_samples(x, 'peak'), x / 2)
    for name in ('train', 'none'):
        assert scaling.scale_samples(x, name) is x
    np.testing.assert_array_equal(scaling.scale_samples(np.zeros((3, 1)), 'peak'), np.zeros((3, 1)))
    with pytest.raises(ConfigError, match="scaling 'rms'; known: peak, train, none"):
        scaling.scale_samples(x, 'rms')


def test_gain_is_fitted_to_the_largest_training_peak_alone():
    assert scaling.fit_gain('train', np.array([0.5, 4.0, 2.0])) == 0.25
    for name in ('peak', 'none'):
        assert scaling.fit_gain(name, np.array([0.5, 4.0])) == 1.0
    # Rows of other splits are not seen: a louder test chunk leaves the gain as it is.
    peaks, train = np.array([1.0, 2.0, 100.0]), np.array([0, 1])
    assert scaling.fit_gain('train', peaks[train]) == 0.5
    for peaks in (np.array([]), np.zeros(3), np.array([1.0, np.nan])):
        with pytest.raises(DataError, match=f'largest magnitude of {len(peaks)} training chunks is'):
            scaling.fit_gain('train', peaks)
    with pytest.raises(ConfigError, match="scaling 'rms'"):
        scaling.fit_gain('rms', np.ones(1))


@pytest.mark.parametrize('gain', [1.0, 0.02, 3.7, 400.0])
def test_a_gain_on_the_patch_is_a_gain_on_the_signal(gain):
    front_end = create_front_end('vggish_train')
    got = front_end.with_gain(front_end(chunk(), 16000), gain)
    wanted = front_end(chunk(gain), 16000)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, atol=2e-5)
    if gain != 1.0:
        assert np.abs(got - front_end(chunk(), 16000)).max() > 1


def test_a_gain_on_silence_stays_finite():
    front_end = create_front_end('vggish_train')
    silent = front_end(np.zeros((15600, 1), np.float32), 16000)
    np.testing.assert_allclose(silent, np.log(0.01), rtol=1e-6)
    np.testing.assert_allclose(front_end.with_gain(silent, 1e3), np.log(0.01), rtol=1e-3)


def test_only_peak_scaling_drops_the_amplitude():
    for name in front_end_names():
        front_end = create_front_end(name)
        a, b = front_end(chunk(), 16000), front_end(chunk(8.0), 16000)
        if front_end.scaling == 'peak':
            np.testing.assert_allclose(a, b, atol=1e-5)
        else:
            # Far above the offset a gain of 8 adds ln 8.
            np.testing.assert_allclose((b - a)[a > 3], np.log(8), atol=2e-3)
            assert (a > 3).sum() > 100
