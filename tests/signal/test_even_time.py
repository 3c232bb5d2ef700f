"""Interpolation onto even times against tones whose value is known at every time."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.even_time import drift_samples, even_samples

# Clear of the held samples at both ends.
INSIDE = slice(64, -64)


def error_db(got, true):
    """Power of the error over the power of the truth."""
    return 10 * np.log10(np.mean((got[INSIDE] - true[INSIDE]) ** 2) / np.mean(true[INSIDE] ** 2))


def changing_times(jitter=0.0, seed=0):
    """7,000 times whose rate falls from 548 to 538 to 528 Hz, as those of SOON's file 01."""
    steps = np.repeat([1.824e-3, 1.860e-3, 1.892e-3], [1000, 3000, 3000])
    return 2.1 + np.cumsum(steps + jitter * np.random.default_rng(seed).standard_normal(len(steps)))


def test_even_times_return_the_samples():
    x = np.random.default_rng(0).integers(-30000, 30000, (500, 3)).astype(np.float32)
    for rate_hz in (533.0490405117271, 512.0, 12000.0):
        got = even_samples(x, 17.3 + np.arange(500) / rate_hz, rate_hz)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, x, rtol=1e-7, atol=1e-5)


@pytest.mark.parametrize('share', [0.01, 0.3, 0.8, 0.9])
def test_tones_keep_their_value_at_another_rate(share):
    hz = share * 250
    x = np.sin(2 * np.pi * hz * np.arange(3000) / 500)[:, None]
    got = even_samples(x, np.arange(3000) / 500, 511.7)
    assert len(got) == int(2999 / 500 * 511.7) + 1
    true = np.sin(2 * np.pi * hz * np.arange(len(got)) / 511.7)
    assert error_db(got[:, 0], true) < -75


@pytest.mark.parametrize(('hz', 'limit_db'), [(10.0, -75), (44.88, -75), (150.0, -75), (230.0, -60)])
def test_a_changing_rate_is_undone(hz, limit_db):
    times = changing_times()
    x = np.sin(2 * np.pi * hz * (times - times[0]))[:, None]
    got = even_samples(x, times, 533.05)
    true = np.sin(2 * np.pi * hz * np.arange(len(got)) / 533.05)
    assert error_db(got[:, 0], true) < limit_db
    # Taken as even, the samples have lost the tone's phase altogether.
    length = min(len(x), len(true))
    assert error_db(x[:length, 0], true[:length]) > -3


@pytest.mark.parametrize(('hz', 'gain_db'), [(44.88, 20), (100.0, 12), (200.0, 6)])
def test_jitter_is_undone_to_first_order(hz, gain_db):
    steps = 1.876e-3 + 13e-6 * np.random.default_rng(1).standard_normal(6000)
    times = np.cumsum(steps)
    x = np.sin(2 * np.pi * hz * (times - times[0]))[:, None]
    rate_hz = 5999 / (times[-1] - times[0])
    got = even_samples(x, times, rate_hz)
    true = np.sin(2 * np.pi * hz * np.arange(len(got)) / rate_hz)
    length = min(len(x), len(true))
    assert error_db(x[:length, 0], true[:length]) - error_db(got[:, 0], true) > gain_db


def test_axes_are_interpolated_alike_and_gravity_has_no_ripple():
    times = changing_times(jitter=13e-6)
    tone = np.sin(2 * np.pi * 30 * times)
    x = np.stack([tone, 16200 + 0 * tone, 16200 + 100 * tone], axis=1)
    got = even_samples(x, times, 533.05)
    np.testing.assert_allclose(got[:, 1], 16200, rtol=1e-6)
    np.testing.assert_allclose(got[:, 2] - 16200, 100 * got[:, 0], atol=0.01)


def test_length_covers_the_time_and_the_ends_are_those_of_the_samples():
    times = changing_times()
    x = np.arange(7000, dtype=np.float32)[:, None]
    got = even_samples(x, times, 533.05)
    assert len(got) == int((times[-1] - times[0]) * 533.05) + 1
    assert got[0, 0] == pytest.approx(0, abs=1e-9)
    assert got[-1, 0] == pytest.approx(6999, abs=2)


def test_drift_is_counted_from_the_straight_line():
    assert drift_samples(np.arange(100) * 0.5 + 3) == pytest.approx(0, abs=1e-9)
    assert drift_samples(np.array([1.0])) == 0.0
    # 100 steps of 1, then 100 of 3: 100 from the start the line is at 200, 100 off; the mean step is 2.
    times = np.concatenate((np.arange(101), 100 + 3 * np.arange(1, 101))).astype(float)
    assert drift_samples(times) == pytest.approx(50)
    # Steps of 18.75 ms rounded to whole milliseconds stray by less than one step.
    assert 0 < drift_samples(np.round(np.arange(5000) * 18.75)) < 0.1
