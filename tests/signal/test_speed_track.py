"""Following a varying speed by the recording's own lines, and leaving steady ones alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.signal.speed_track import track_speed
from fdx.simulate import draw_machine, simulate
from fdx.types import DataError
from tests.signal.varying_speed import RATE_HZ, SHAFT_HZ, course, outer_race

STATED_RPM = 60 * SHAFT_HZ


def farthest(profile, true_hz: np.ndarray) -> float:
    """Largest relative error of a profile against the true speed [T], but for the first and last twentieth."""
    ends = len(true_hz) // 20
    error = profile.rate(np.arange(len(true_hz)) / RATE_HZ) / true_hz - 1
    return float(np.abs(error[ends:-ends]).max())


def turns_off(profile, machine) -> float:
    """Largest distance from the true turns, up to a constant, over all of the recording."""
    return float(np.ptp(profile.turns(machine.times_s) - machine.turns) / 2)


@pytest.mark.parametrize(
    ('shape', 'change', 'limit', 'turns_limit'),
    [
        ('ramp', 0.03, 0.003, 0.03),
        ('ramp', 0.3, 0.003, 0.04),
        ('swing', 0.1, 0.004, 0.05),
        ('swing', 0.3, 0.012, 0.15),
        ('step', 0.2, 0.004, 0.04),
    ],
)
def test_the_speed_is_followed(shape, change, limit, turns_limit):
    """Within half a percent, and a swing by 30 % in 3 s within about one."""
    machine = outer_race(shape, change)
    tracked = track_speed(machine.samples, RATE_HZ, STATED_RPM)
    assert tracked.finding == 'varies' and tracked.varies
    assert 0.3 < tracked.confidence < 1
    assert farthest(tracked.profile, machine.rate_hz) < limit
    assert turns_off(tracked.profile, machine) < turns_limit
    assert tracked.profile.mean_hz(5.0) == pytest.approx(SHAFT_HZ, rel=2e-3)


def test_impacts_alone_are_enough():
    """A fault's lines tell how the speed changes though no line of the shaft is there, and no geometry is known."""
    machine = outer_race('swing', 0.2, shaft=0.0)
    assert farthest(track_speed(machine.samples, RATE_HZ, STATED_RPM).profile, machine.rate_hz) < 0.01


@pytest.mark.parametrize('stated', [0.87, 1.2])
def test_a_stated_speed_far_from_the_mean_is_corrected_by_the_harmonics(stated):
    """As where the speed at the start was stated."""
    machine = outer_race('ramp', 0.2, shaft=0.8)
    tracked = track_speed(machine.samples, RATE_HZ, stated * STATED_RPM)
    assert tracked.profile.mean_hz(5.0) == pytest.approx(SHAFT_HZ, rel=0.02)
    assert f'not {stated * STATED_RPM:.0f} as stated' in tracked.words


@pytest.mark.parametrize('change', [0.0, 0.004])
def test_a_steady_speed_is_steady(change):
    """Also one that wanders by less than short segments resolve."""
    tracked = track_speed(outer_race('swing', change).samples, RATE_HZ, STATED_RPM)
    assert (tracked.finding, tracked.profile, tracked.confidence) == ('steady', None, 0.0)


@pytest.mark.parametrize('kind', ['white', 'brown', 'impulsive', 'swelling'])
def test_noise_has_no_lines(kind):
    """It never varies."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal(36000)
    x = {
        'white': x,
        'brown': 0.02 * np.cumsum(x) + 0.1 * rng.standard_normal(36000),
        'impulsive': x**3,
        'swelling': x * np.repeat(rng.uniform(0.3, 2, 60), 600),
    }[kind]
    tracked = track_speed(x, RATE_HZ, STATED_RPM)
    assert (tracked.finding, tracked.profile) == ('no lines', None)


def test_hum_of_the_mains_does_not_hide_a_varying_speed():
    """Twelve lines of 50 Hz, the first four times as high as the noise, are known to stay in place."""
    machine = outer_race('ramp', 0.2)
    hum = sum(np.cos(2 * np.pi * 50 * k * machine.times_s + k) / k for k in range(1, 13))
    tracked = track_speed(machine.samples + 4 * hum, RATE_HZ, STATED_RPM)
    assert farthest(tracked.profile, machine.rate_hz) < 0.005


def test_lines_that_stay_in_place_raise_a_doubt():
    """A moving machine beside louder steady lines is not followed, and the user hears of it."""
    machine = outer_race('ramp', 0.2, impacts=0.5)
    steady = sum(np.cos(2 * np.pi * 41.7 * k * machine.times_s + k) / k for k in range(1, 13))
    tracked = track_speed(machine.samples + 2 * steady, RATE_HZ, STATED_RPM)
    assert (tracked.finding, tracked.profile) == ('doubtful', None)
    assert 'record a tachometer' in tracked.words


@pytest.mark.parametrize('index', [4, 9, 17])
def test_simulated_machines(index):
    """The simulator's machines: steady without a ramp, followed with one of 20 %."""
    machine = draw_machine(5, index, state='outer_race')
    for ramp in (0.0, -0.2):
        moving = dataclasses.replace(machine, motion=dataclasses.replace(machine.motion, ramp=ramp))
        x = simulate(moving).samples[:, 0]
        tracked = track_speed(x, machine.sample_rate_hz, machine.speed_rpm)
        assert tracked.varies == (ramp != 0)
        if tracked.varies:
            at_ends = tracked.profile.rate(np.array([0.0, machine.duration_s]))
            np.testing.assert_allclose(at_ends * 60 / machine.speed_rpm, [1.1, 0.9], rtol=0.015)


def test_short_dead_and_unusable_recordings():
    """Too few turns and silence have no course; what cannot be read is refused."""
    machine = outer_race(seconds=0.9)
    assert track_speed(machine.samples, RATE_HZ, STATED_RPM).finding == 'too short'
    assert track_speed(np.zeros(36000), RATE_HZ, STATED_RPM).finding == 'no lines'
    assert track_speed(np.full(36000, 9.81), RATE_HZ, STATED_RPM).finding == 'no lines'
    with pytest.raises(DataError, match='one channel'):
        track_speed(np.zeros((36000, 2)), RATE_HZ, STATED_RPM)
    with pytest.raises(DataError, match='not all finite'):
        track_speed(np.full(36000, np.nan), RATE_HZ, STATED_RPM)
    for rpm in (0.0, np.nan, -3.0):
        with pytest.raises(DataError, match='speed_rpm'):
            track_speed(machine.samples, RATE_HZ, rpm)


def test_rates_barely_above_the_orders():
    """At 512 Hz the bands' envelopes end below the 16th order; nothing fails."""
    x = np.random.default_rng(0).standard_normal(5120)
    assert track_speed(x, 512.0, 60 * 25.0).profile is None
    assert track_speed(x, 512.0, 1e9).finding == 'no lines'
    assert track_speed(x, 100.0, 60 * 25.0).profile is None
    assert course('ramp', 0.1, 1.0).mean() == pytest.approx(SHAFT_HZ)
