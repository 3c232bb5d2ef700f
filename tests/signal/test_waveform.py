"""Windows of samples: mean 0 and standard deviation 1, channel by channel, nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.front_ends import create_front_end, front_end_from_config
from fdx.types import ConfigError, DataError


def chunk(samples=1500):
    """Channels of very different level and offset, float32 [samples, 3]."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal((samples, 3)) * (1.0, 30.0, 1e-3) + (0.0, -50.0, 9.8)).astype(np.float32)


def test_every_channel_has_mean_0_and_standard_deviation_1_over_the_window():
    out = create_front_end('waveform', 12000.0)(chunk(), 12000.0)
    assert (out.shape, out.dtype) == ((1024, 1, 3), np.float32)
    np.testing.assert_allclose(out.mean(axis=(0, 1), dtype=np.float64), 0, atol=2e-4)
    np.testing.assert_allclose(out.std(axis=(0, 1), dtype=np.float64), 1, atol=2e-4)


def test_it_is_the_first_window_and_keeps_its_shape():
    x = chunk()[:, :2]
    window = x[:1024].astype(np.float64)
    wanted = (window - window.mean(axis=0)) / window.std(axis=0)
    front_end = create_front_end('waveform', 12000.0)
    np.testing.assert_allclose(front_end(x, 12000.0)[:, 0], wanted, atol=1e-4)
    # What lies behind the window has no part in it, and no rate resamples it.
    later = x.copy()
    later[1024:] *= 100
    np.testing.assert_array_equal(front_end(later, 48000.0), front_end(x, 12000.0))
    assert front_end.patch_samples(48000.0) == front_end.patch_samples(12000.0) == 1024


def test_gain_and_offset_are_dropped_but_not_the_sign():
    x, front_end = chunk()[:, :1], create_front_end('waveform', 12000.0)
    np.testing.assert_allclose(front_end(-64 * x + 3, 12000.0), -front_end(x, 12000.0), atol=1e-4)
    out = front_end(x, 12000.0)
    assert front_end.with_gain(out, 5.0) is out


@pytest.mark.parametrize('value', [0.0, 0.25, -8.0])
def test_a_constant_chunk_is_zeros(value):
    out = create_front_end('waveform', 12000.0)(np.full((1024, 1), value, np.float32), 12000.0)
    np.testing.assert_array_equal(out, np.zeros((1024, 1, 1)))


@pytest.mark.parametrize('value', [0.1, 9.81, 1e-3])
def test_a_constant_that_no_binary_fraction_holds_is_zeros_too(value):
    out = create_front_end('waveform', 12000.0)(np.full((1024, 1), value, np.float32), 12000.0)
    np.testing.assert_array_equal(out, np.zeros((1024, 1, 1)))


def test_short_chunks_and_windows_of_one_sample_are_errors():
    front_end = create_front_end('waveform', 12000.0)
    assert front_end(chunk(1024), 12000.0).shape == (1024, 1, 3)
    with pytest.raises(DataError, match='front end waveform: 1023 samples .*1024'):
        front_end(chunk(1023), 12000.0)
    with pytest.raises(ConfigError, match='patch_length=1 must be at least 2'):
        front_end_from_config({**front_end.config(), 'patch_length': 1})
