"""Resampling by angle against tones whose value is known at every angle."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.angle import SpeedProfile, to_angle
from fdx.types import DataError

RATE_HZ, LENGTH = 12000.0, 24000
END_S = (LENGTH - 1) / RATE_HZ
TIMES_S = np.arange(LENGTH) / RATE_HZ
RAMP = SpeedProfile(np.array([0.0, END_S]), np.array([25.5, 34.5]))
BEND = SpeedProfile(np.array([0.0, 0.6, END_S]), np.array([30.0, 33.0, 28.0]))


def tone(profile: SpeedProfile, order: float) -> np.ndarray:
    """A tone that follows the shaft."""
    return np.cos(2 * np.pi * order * profile.turns(TIMES_S) + 0.3)


@pytest.mark.parametrize('profile', [RAMP, BEND])
@pytest.mark.parametrize(('share', 'limit_db'), [(0.1, -110), (0.5, -110), (0.9, -80), (0.95, -80)])
def test_a_chirp_becomes_a_tone(profile, share, limit_db):
    """A chirp up to 0.95 of Nyquist has an error below -80 dB, clear of the ends."""
    order = share * RATE_HZ / 2 / profile.rate_hz.max()
    got, rate_hz, mean_hz = to_angle(tone(profile, order), RATE_HZ, profile)
    assert got.dtype == np.float32
    true = np.cos(2 * np.pi * order * mean_hz * np.arange(len(got)) / rate_hz + 0.3)
    error = (got - true)[100:-100]
    assert 10 * np.log10(np.mean(error**2) / 0.5) < limit_db


def test_rate_rises_so_that_nothing_aliases():
    """The slowest shaft gets as many samples per second as there were, and the duration stays."""
    got, rate_hz, mean_hz = to_angle(tone(RAMP, 5), RATE_HZ, RAMP)
    assert mean_hz == pytest.approx(30.0)
    assert rate_hz == pytest.approx(RATE_HZ * 30 / 25.5)
    assert len(got) / rate_hz == pytest.approx(LENGTH / RATE_HZ, abs=1 / RATE_HZ)
    # White noise up to Nyquist: where the shaft is slowest, no energy is folded or lost.
    noise = np.random.default_rng(0).standard_normal(LENGTH)
    even = to_angle(noise, RATE_HZ, RAMP)[0]
    assert even[:2000].var() == pytest.approx(noise[:2000].var(), rel=0.05)
    assert even[-2000:].var() == pytest.approx(noise[-2000:].var(), rel=0.1)


def test_a_constant_speed_returns_the_samples_and_gravity_has_no_ripple():
    """The identity, up to float32; a constant stays a constant."""
    x = np.random.default_rng(1).standard_normal(5000)
    got, rate_hz, mean_hz = to_angle(x, RATE_HZ, SpeedProfile(np.array([0.1]), np.array([20.0])))
    assert (rate_hz, mean_hz) == (RATE_HZ, pytest.approx(20.0))
    np.testing.assert_allclose(got, x, atol=1e-5)
    np.testing.assert_allclose(to_angle(np.full(5000, 9.81), RATE_HZ, BEND)[0], 9.81, rtol=1e-6)


def test_turns_are_the_integral_of_the_rate():
    """Against a fine sum, beyond the knots, too."""
    t = np.linspace(-0.5, 3, 350_001)
    fine = np.concatenate([[0], np.cumsum((BEND.rate(t)[1:] + BEND.rate(t)[:-1]) / 2 * np.diff(t))])
    np.testing.assert_allclose(BEND.turns(t), fine + BEND.turns(t[:1]), atol=1e-6)
    assert BEND.turns(np.array(0.0)) == 0
    assert BEND.turns(np.array(-0.5)) == pytest.approx(-15)
    assert BEND.mean_hz(0.6) == pytest.approx(31.5)
    assert BEND.extremes_hz(END_S) == (28.0, 33.0)


@pytest.mark.parametrize(
    ('times_s', 'rate_hz', 'words'),
    [
        ([0.0, 0.0], [1.0, 2.0], 'rise'),
        ([0.0, 1.0], [1.0, 0.0], 'above 0'),
        ([0.0], [1.0, 2.0], 'as many'),
        ([0.0, np.nan], [1.0, 2.0], 'finite'),
    ],
)
def test_profiles_that_cannot_be(times_s, rate_hz, words):
    """Knots are checked."""
    with pytest.raises(DataError, match=words):
        SpeedProfile(np.array(times_s), np.array(rate_hz))


def test_recordings_that_cannot_be_resampled():
    """Too wide a speed, several channels, a missing value."""
    run_up = SpeedProfile(np.array([0.0, END_S]), np.array([5.0, 35.0]))
    with pytest.raises(DataError, match='from 300 to 2100 rpm.*cut the recording'):
        to_angle(np.zeros(LENGTH), RATE_HZ, run_up)
    with pytest.raises(DataError, match='one channel'):
        to_angle(np.zeros((100, 2)), RATE_HZ, RAMP)
    with pytest.raises(DataError, match='finite'):
        to_angle(np.array([0.0, np.nan, 1.0]), RATE_HZ, RAMP)
