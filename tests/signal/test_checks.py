"""Bad input is refused with file, channel and position; clipping is a warning with its count."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

from fdx.signal import checks
from fdx.types import DataError, Recording


def good(n=500, channels=2):
    return np.random.default_rng(1).standard_normal((n, channels)).astype(np.float32)


def check(samples, min_samples=100):
    return checks.check_samples(samples, min_samples=min_samples, source='pump7.csv')


def test_good_samples_come_back_as_float32_with_channels():
    x = good()
    np.testing.assert_array_equal(check(x), x)
    for dtype in (np.float64, np.int16, np.int32, np.uint8):
        y = (100 * np.abs(x[:, 0])).astype(dtype)
        out = check(y)
        assert (out.shape, out.dtype) == ((500, 1), np.float32)
        np.testing.assert_allclose(out[:, 0], y.astype(np.float64), rtol=1e-6)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1e300])
def test_nan_and_infinity_name_file_channel_count_and_first_position(value):
    x = good().astype(np.float64)
    x[[123, 400], 1] = value
    with pytest.raises(DataError, match=r'^pump7\.csv: channel 1 .* 2 NaN .*sample 123\b.*repair'):
        check(x)


def test_a_constant_channel_is_named_with_its_value_and_extent():
    x = good()
    x[:, 1] = 0.25
    with pytest.raises(DataError, match=r'^pump7\.csv: channel 1 .*constant \(0\.25\) .* 0 to 499'):
        check(x)


def test_too_short_says_both_lengths_and_the_remedy():
    assert check(good(100)).shape == (100, 2)
    with pytest.raises(DataError, match=r'^pump7\.csv: 99 samples .* 100; record'):
        check(good(99))


@pytest.mark.parametrize(
    ('samples', 'words'),
    [
        (np.zeros((2, 3, 4)), r'shape \(2, 3, 4\).*\[time, channels\]'),
        (np.zeros((200, 0)), r'shape \(200, 0\)'),
        (np.float32(3.0), r'shape \(\)'),
        (np.ones(200, complex), 'samples are complex128; real numbers'),
        (np.full(200, None), 'samples are object'),
        (np.full(200, 'x'), 'samples are <U1'),
    ],
)
def test_what_is_no_signal_is_refused(samples, words):
    with pytest.raises(DataError, match=rf'^pump7\.csv: .*{words}'):
        check(samples)


@pytest.mark.parametrize('rate', [None, 0, 0.0, -1.0, math.nan, math.inf])
def test_rates_missing_or_not_positive_are_refused_with_the_flag(rate):
    with pytest.raises(DataError, match=rf'^pump7\.csv: sample rate .*{rate}; .*sample_rate_hz'):
        checks.check_rate(rate, 'pump7.csv')
    with pytest.raises(DataError, match=rf'^pump7\.csv: sample rate is {rate}'):
        checks.check_recording(recording(good(), rate), 100)


def test_a_good_rate_is_a_float():
    assert checks.check_rate(np.int64(12000), 'x') == 12000.0
    assert isinstance(checks.check_rate(12000, 'x'), float)


def test_count_clipped_counts_samples_in_runs_of_three_at_either_extreme():
    x = np.array([5, 5, 0, 5, 5, 5, 1, -5, -5, -5, -5, 2, 2, 2, 2, 5, 5], np.float32)
    assert checks.count_clipped(x) == 3 + 4
    assert checks.count_clipped(np.sin(np.arange(1000))) == 0
    assert checks.count_clipped(np.array([1, 1, 1, 0], np.float32)) == 3


def test_clipping_is_a_warning_with_channel_and_count(caplog):
    x = good()
    x[:, 1] = np.clip(x[:, 1], -50, 50)
    x[10:14, 1] = 50
    x[200:203, 1] = -50
    with caplog.at_level(logging.WARNING):
        out = check(x)
    np.testing.assert_array_equal(out, x)
    assert [r.getMessage() for r in caplog.records] == [
        'pump7.csv: channel 1 looks clipped: 7 of 500 samples sit at its extreme values; lower the recording gain'
    ]
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        check(good())
    assert not caplog.records


def recording(samples, rate=1000.0, source='pump7.csv'):
    return Recording(samples, rate, 'pump7', 'normal', 'normal', 'b', 'd', source=source)


def test_check_recording_keeps_what_it_does_not_check_and_names_recordings_without_a_file():
    out = checks.check_recording(recording(good().astype(np.float64)), 100)
    assert (out.samples.dtype, out.recording, out.sample_rate_hz) == (np.float32, 'pump7', 1000.0)
    with pytest.raises(DataError, match='^pump7: 3 samples are shorter'):
        checks.check_recording(recording(good(3), source=''), 100)


def test_an_offset_is_no_error_and_every_channel_is_looked_at(caplog):
    x = np.concatenate([good(), good() + 16000], axis=1).astype(np.float32)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(check(x), x)
    assert not caplog.records
    last = x.shape[1] - 1
    x[:, last] = 16000
    with pytest.raises(DataError, match=rf'channel {last} is constant \(16000\)'):
        check(x)
