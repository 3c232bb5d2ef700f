"""The logger's clock, and the even grid."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.datasets.motor_rig import clock


def test_steps_grow_with_the_digits_of_the_clock(monkeypatch):
    monkeypatch.setattr(clock, 'START_S', (7.0, 7.001))
    times = clock.draw_timestamps_us(52_000, np.random.default_rng(0))
    steps = np.diff(times)
    assert times.dtype == np.int64
    assert times[0] // 1000 == 7000
    for low, high, mean in ((0, 1e7, 1828), (1e7, 1e8, 1860), (1e8, 1e9, 1892)):
        inside = (times[:-1] >= low) & (times[:-1] < high)
        assert steps[inside].mean() == pytest.approx(mean, abs=1.5)
        assert steps[inside].std() == pytest.approx(12.1, abs=0.7)


def test_steps_are_ticks_that_hang_on_their_neighbours_a_little():
    times = clock.draw_timestamps_us(20_000, np.random.default_rng(1))
    steps = np.diff(times[times >= 10**7])
    assert np.all(steps % 4 == 0)
    assert np.all(steps > 1700)
    steps = steps - steps.mean()
    correlation = [np.mean(steps[:-k] * steps[k:]) / np.var(steps) for k in (1, 2, 5)]
    assert correlation[0] == pytest.approx(0.26, abs=0.04)
    assert np.abs(correlation[1:]).max() < 0.04


def test_even_grid_undoes_clock_and_jitter():
    times = clock.draw_timestamps_us(12_000, np.random.default_rng(2))
    since = (times - times[0]) * 1e-6
    wave = np.stack([400 * np.cos(2 * np.pi * f * since) for f in (22.8, 110.0, 200.0)], axis=1) + [0, -300, 16000]
    got = clock.on_even_grid(times, wave)
    assert got.dtype == np.float32
    assert len(got) == pytest.approx(since[-1] * 528, abs=1)
    even = np.arange(len(got)) / 528
    wanted = np.stack([400 * np.cos(2 * np.pi * f * even) for f in (22.8, 110.0, 200.0)], axis=1) + [0, -300, 16000]
    error = (got - wanted)[100:-100]
    # What jitter leaves of a tone of 400 counts grows with its frequency.
    assert np.all(np.sqrt(np.mean(error**2, axis=0)) < [4, 8, 16])
    assert np.abs(error.mean(axis=0)).max() < 1


def test_start_and_clock_differ_between_recordings():
    starts = [clock.draw_timestamps_us(5, np.random.default_rng(s))[0] for s in range(40)]
    assert min(starts) >= 2_000_000
    assert max(starts) <= 60_000_000
    assert np.ptp(starts) > 20_000_000
