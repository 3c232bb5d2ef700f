"""Amplitude: peak drops it, train fits one gain on training chunks, none leaves it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fdx.signal import scaling
from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import create_front_end, front_end_names, reads_orders
from fdx.signal.patch import Condition
from fdx.types import ConfigError, DataError


def chunk(gain=1.0):
    return (gain * np.random.default_rng(5).standard_normal((15600, 1))).astype(np.float32)


def test_rms_brings_every_channel_to_a_tenth():
    x = np.random.default_rng(0).standard_normal((500, 2)).astype(np.float32) * np.float32([3.0, 0.01])
    found = scaling.scale_samples(x, 'rms')
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.sqrt((found.astype(np.float64) ** 2).mean(0)), 0.1, rtol=1e-6)
    np.testing.assert_allclose(found / found[0], x / x[0], rtol=1e-5)
    np.testing.assert_array_equal(scaling.scale_samples(np.zeros((3, 1), np.float32), 'rms'), np.zeros((3, 1)))
    assert scaling.fit_gain('rms', np.array([0.5, 4.0])) == 1.0


def test_standard_brings_every_channel_to_mean_0_and_standard_deviation_1():
    x = (np.random.default_rng(0).standard_normal((500, 2)) * (3.0, 0.01) + (-7.0, 1.0)).astype(np.float32)
    found = scaling.scale_samples(x, 'standard')
    assert found.dtype == np.float32
    wide = x.astype(np.float64)
    np.testing.assert_allclose(found, (wide - wide.mean(0)) / wide.std(0), atol=2e-4)
    np.testing.assert_array_equal(
        scaling.scale_samples(np.full((3, 1), 9.81, np.float32), 'standard'), np.zeros((3, 1))
    )
    assert scaling.fit_gain('standard', np.array([0.5, 4.0])) == 1.0


def test_scale_samples_divides_only_for_what_the_chunk_alone_decides():
    x = np.array([[0.5, -2.0], [1.0, 0.25]], np.float32)
    np.testing.assert_array_equal(scaling.scale_samples(x, 'peak'), [[0.5, -1.0], [1.0, 0.125]])
    assert scaling.scale_samples(x, 'peak').dtype == np.float32
    for name in ('train', 'none'):
        assert scaling.scale_samples(x, name) is x
    np.testing.assert_array_equal(scaling.scale_samples(np.zeros((3, 1)), 'peak'), np.zeros((3, 1)))
    with pytest.raises(ConfigError, match="scaling 'median'; .*peak, rms, standard, train, none"):
        scaling.scale_samples(x, 'median')


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
    with pytest.raises(ConfigError, match="scaling 'median'"):
        scaling.fit_gain('median', np.ones(1))


def test_several_channels_get_a_gain_each():
    peaks = np.array([[0.5, 4.0, 16.0], [2.0, 1.0, 8.0]])
    gain = scaling.fit_gain('train', peaks)
    assert gain == (0.5, 0.25, 0.0625)
    assert scaling.fit_gain('none', peaks) == scaling.fit_gain('peak', peaks) == (1.0, 1.0, 1.0)
    for one in (gain, scaling.fit_gain('none', peaks)):
        hash(one)
        assert scaling.as_gain(json.loads(json.dumps(one))) == one
    assert scaling.as_gain(np.float32(0.5)) == 0.5
    assert isinstance(scaling.as_gain(np.float32(0.5)), float)
    peaks[:, 1] = 0
    with pytest.raises(DataError, match='channel 1 of 2 training chunks .* 0'):
        scaling.fit_gain('train', peaks)


@pytest.mark.parametrize(('name', 'rate_hz'), [('triaxial_mel', 533.0), ('vggish_train', 16000.0)])
def test_gains_of_channels_reach_their_own_channel(name, rate_hz):
    front_end = create_front_end(name, rate_hz)
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((front_end.patch_samples(rate_hz), 3)) * (1.0, 50.0, 0.5) + (0, 3, 9)).astype(np.float32)
    gain = (0.3, 0.02, 7.0)
    image = front_end(x, rate_hz)
    wanted = front_end((x.astype(np.float64) * gain).astype(np.float32), rate_hz)
    np.testing.assert_allclose(front_end.with_gain(image, gain), wanted, atol=3e-4)
    np.testing.assert_allclose(front_end.with_gain(np.stack([image, image]), list(gain))[1], wanted, atol=3e-4)
    np.testing.assert_allclose(front_end.with_gain(image, 0.5), front_end(0.5 * x, rate_hz), atol=3e-4)
    assert front_end.with_gain(image, (1.0, 1.0, 1.0)) is image
    with pytest.raises(DataError, match='2 gains .* 3 channels'):
        front_end.with_gain(image, (1.0, 2.0))


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


def test_only_scaling_by_the_chunk_and_ratios_drop_the_amplitude():
    condition = Condition(1800.0, BEARINGS['skf_6205'])
    for name in front_end_names():
        if name == 'triaxial_mel_paper':
            continue
        front_end = create_front_end(name, 8000.0)
        a, b = front_end(chunk(), 8000, condition), front_end(chunk(8.0), 8000, condition)
        # Envelope spectra are ratios to their background.
        if front_end.scaling in ('peak', 'rms', 'standard') or reads_orders(name):
            np.testing.assert_allclose(a, b, atol=1e-5)
        else:
            # Far above the offset a gain of 8 adds ln 8, or twice its common logarithm where powers are summed.
            added, far = 2 * np.log10(8) if name.startswith('musicnn') else np.log(8), 3.0
            if name.startswith('scalogram'):  # Grey levels: 1 is 1 / floor, on a logarithmic scale.
                added, far = np.log(8) / np.log1p(1 / front_end.floor), 0.8
            np.testing.assert_allclose((b - a)[a > far], added, atol=2e-3)
            assert (a > far).sum() > 100, name
