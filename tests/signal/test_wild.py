"""Isolated values are replaced; impacts, which ring, are not."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.wild import replace_wild_samples

RATE_HZ = 12000


def noise(seconds=2.0, channels=1, seed=0):
    return np.random.default_rng(seed).standard_normal((int(seconds * RATE_HZ), channels)).astype(np.float32)


@pytest.mark.parametrize('size', [60.0, 100.0, -100.0, 1e6, 3e38])
@pytest.mark.parametrize('together', [1, 2])
def test_wild_samples_are_found_where_they_are_and_replaced_by_a_line(size, together):
    x = noise(channels=2)
    places = [0, 1, 5000, 9001, 23998] if together == 1 else [2000, 2001, 15000, 15001]
    bad = x.copy()
    bad[places, 1] = size
    found = replace_wild_samples(bad)
    assert np.flatnonzero(found.wild).tolist() == places
    assert found.count == len(places)
    rest = np.setdiff1d(np.arange(len(x)), places)
    np.testing.assert_array_equal(found.samples[rest], x[rest])
    np.testing.assert_array_equal(found.samples[:, 0], x[:, 0])
    if together == 1:
        assert found.samples[5000, 1] == pytest.approx((x[4999, 1] + x[5001, 1]) / 2, abs=1e-6)
    else:
        assert found.samples[2000, 1] == pytest.approx((2 * x[1999, 1] + x[2002, 1]) / 3, abs=1e-6)


def test_on_a_drift_and_beside_gravity_they_are_found_too():
    x = 0.1 * noise() + 16 + np.linspace(0, 5, int(2 * RATE_HZ))[:, None].astype(np.float32)
    x[7000] += 10
    assert np.flatnonzero(replace_wild_samples(x).wild).tolist() == [7000]


def test_signals_without_wild_samples_come_back_as_they_are():
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    rng = np.random.default_rng(1)
    strikes = np.zeros(len(t))
    strikes[rng.integers(0, len(t), 200)] = 40
    # A resonance of a bearing's housing, well damped: 3100 Hz, 8 %.
    w = 2 * np.pi * 3100 / RATE_HZ
    ringing = np.exp(-0.08 * w * np.arange(200)) * np.sin(w * np.sqrt(1 - 0.08**2) * np.arange(200))
    struck = np.convolve(strikes, ringing)[: len(t)] + 0.3 * rng.standard_normal(len(t))
    square = np.sign(np.sin(2 * np.pi * 50 * t + 0.1)) + 0.01 * rng.standard_normal(len(t))
    heavy = rng.standard_t(4, len(t))
    for name, x in {'struck': struck, 'square': square, 'heavy tails': heavy, 'tone': np.sin(377 * t)}.items():
        x = x.astype(np.float32)[:, None]
        found = replace_wild_samples(x)
        assert found.samples is x, name
        assert found.count == 0


def test_a_recording_shorter_than_a_neighbourhood_is_left_alone():
    x = np.array([0, 0, 9e9, 0, 0], np.float32)[:, None]
    assert replace_wild_samples(x).samples is x
