"""Speeds from pulses: exact ones, bad ones, and channels that are none."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.tachometer import profile_of_pulses
from fdx.types import ConfigError, DataError
from tests.signal.varying_speed import RATE_HZ, SHAFT_HZ, outer_race

RUN = outer_race('swing', 0.2, 3.0)


def pulses(turns: np.ndarray, per_turn: int = 1, duty: float = 0.1, noise: float = 0.2) -> np.ndarray:
    """A channel from 0 to 5 V with noise."""
    rng = np.random.default_rng(3)
    return 5.0 * ((turns * per_turn) % 1 < duty) + rng.normal(0, noise, len(turns))


def phase_error(profile) -> float:
    """Largest distance from the true turns, up to a constant, in turns."""
    error = profile.turns(RUN.times_s) - RUN.turns
    return float(np.ptp(error) / 2)


@pytest.mark.parametrize(('per_turn', 'duty'), [(1, 0.02), (1, 0.5), (20, 0.5)])
def test_pulses_give_the_speed(per_turn, duty):
    """The shaft's place is right within a hundredth of a turn, and its speed within 1 %."""
    profile = profile_of_pulses(pulses(RUN.turns, per_turn, duty), RATE_HZ, per_turn)
    assert phase_error(profile) < 0.01
    inner = slice(600, -600)
    np.testing.assert_allclose(profile.rate(RUN.times_s)[inner], RUN.rate_hz[inner], rtol=0.01)


def test_edges_are_found_between_samples():
    """A sine as a channel: periods of 400.5 samples are told from those of 400."""
    t = np.arange(24000) / RATE_HZ
    profile = profile_of_pulses(-3 + 0.1 * np.sin(2 * np.pi * RATE_HZ / 400.5 * t), RATE_HZ)
    np.testing.assert_allclose(profile.rate_hz, RATE_HZ / 400.5, rtol=1e-5)


def test_negative_pulses_and_any_level():
    """Polarity, offset and scale do not matter."""
    channel = pulses(RUN.turns)
    assert phase_error(profile_of_pulses(1000 - 1e-3 * channel, RATE_HZ)) < 0.01


def test_missing_and_double_pulses_are_repaired():
    """Three lost pulses and three bounces of 86 leave the speed as it is."""
    channel = pulses(RUN.turns)
    for lost in (10, 30, 31):
        channel[(RUN.turns >= lost - 0.1) & (RUN.turns < lost + 0.2)] = 0
    for bounced in (20, 50, 70):
        channel[(RUN.turns >= bounced + 0.15) & (RUN.turns < bounced + 0.2)] = 5
    profile = profile_of_pulses(channel, RATE_HZ)
    assert phase_error(profile) < 0.02
    np.testing.assert_allclose(profile.rate(RUN.times_s)[600:-600], RUN.rate_hz[600:-600], rtol=0.02)


def test_a_wheel_with_a_gap_is_counted_as_whole():
    """Of 30 teeth, one is left out as a mark."""
    tooth = np.floor(RUN.turns * 30) % 30
    channel = np.where(tooth == 0, 0.0, pulses(RUN.turns, 30, 0.5, 0.0))
    assert phase_error(profile_of_pulses(channel, RATE_HZ, 30)) < 0.02


@pytest.mark.parametrize(
    ('channel', 'words'),
    [
        (np.random.default_rng(0).standard_normal(36000), 'too uneven'),
        (RUN.samples, 'too uneven'),
        (np.full(36000, 2.5), 'constant'),
        (pulses(RUN.turns[:1200]), 'has 3 pulses, 5 are needed'),
        (np.where(np.arange(36000) < 18000, pulses(RUN.turns, noise=0.0), 0), 'lasts 3 s'),
        (np.array([0.0, np.nan]), 'not finite'),
        (np.zeros((5, 2)), 'one channel'),
        (np.arange(36000) % 3 == 0, '3.0 samples from pulse to pulse'),
    ],
)
def test_channels_that_are_no_tachometer(channel, words):
    """Each is refused with its reason; a remedy is named."""
    with pytest.raises(DataError, match=words) as e:
        profile_of_pulses(channel, RATE_HZ)
    assert 'tachometer' in str(e.value)


def test_pulses_per_turn_is_a_whole_number():
    """And it divides the speed."""
    channel = pulses(np.arange(36000) * (SHAFT_HZ / RATE_HZ), 4, 0.5)
    for per_turn, hz in ((4, 30.0), (2, 60.0)):
        assert profile_of_pulses(channel, RATE_HZ, per_turn).mean_hz(3.0) == pytest.approx(hz, rel=1e-3)
    for per_turn in (0, 1.5, -1):
        with pytest.raises(ConfigError, match='pulses_per_turn'):
            profile_of_pulses(channel, RATE_HZ, per_turn)
