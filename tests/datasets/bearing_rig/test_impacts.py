"""When and how hard a damaged race is struck."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.datasets.bearing_rig import impacts
from fdx.datasets.bearing_rig.machines import MACHINES

RIG_A, RIG_C = MACHINES['rig_a'], MACHINES['rig_c']


def shaft(rate_hz: float, bound: float = 0.004, seed: int = 0) -> impacts.Shaft:
    return impacts.Shaft(rate_hz, impacts.Wander.draw(np.random.default_rng(seed), bound))


def test_wander_is_bounded_and_its_integral_is_its_integral():
    wander = impacts.Wander.draw(np.random.default_rng(5), 0.004)
    t_s = np.linspace(0, 40, 40001)
    values = wander.value(t_s)
    assert 0.001 < np.abs(values).max() <= 0.004
    trapezoids = np.concatenate([[0], np.cumsum((values[1:] + values[:-1]) / 2)]) * 1e-3
    np.testing.assert_allclose(wander.integral(t_s), trapezoids, atol=1e-8)


def test_times_invert_turns_to_nanoseconds():
    turning = shaft(16.6)
    t_s = np.linspace(0, 30, 500)
    np.testing.assert_allclose(turning.times(turning.turns(t_s)), t_s, atol=2e-9)


def test_load_zone_is_stribecks():
    angle = np.radians([0.0, 60.0, 89.0, 180.0])
    # rig_a: e = 0.42, so at 60 degrees (1 - 0.5 / 0.84)^1.5, and nothing beyond acos(1 - 0.84) = 80.8 degrees.
    np.testing.assert_allclose(impacts.load_zone(RIG_A, 2, angle), [1, (1 - 0.5 / 0.84) ** 1.5, 0, 0], atol=1e-12)


def test_axial_load_widens_the_zone():
    angle = np.linspace(-np.pi, np.pi, 721)
    for machine in MACHINES.values():
        radial, both = (np.mean(impacts.load_zone(machine, case, angle) > 0) for case in (2, 3))
        assert radial + 0.1 < both < 1


@pytest.mark.parametrize('state', ['inner_race', 'outer_race'])
def test_impacts_come_at_the_fault_order_less_the_slip(state):
    turning = shaft(16.6)
    order = RIG_C.geometry.bpfo if state == 'outer_race' else RIG_C.geometry.bpfi
    times_s = impacts.impact_times(RIG_C, state, turning, 30.0, np.random.default_rng(1))
    assert times_s.min() >= 0
    assert times_s.max() <= 30
    ratio = times_s.size / turning.turns(np.array([30.0]))[0] / order
    # A slipping cage lowers BPFO by 0.5 to 1.5 times the mean slip; what the outer race loses, the inner one gains.
    low, high = 1 - 1.5 * RIG_C.slip, 1 - 0.5 * RIG_C.slip
    if state == 'inner_race':
        share = RIG_C.geometry.bpfo / RIG_C.geometry.bpfi
        low, high = 1 + 0.5 * RIG_C.slip * share, 1 + 1.5 * RIG_C.slip * share
    assert low - 1e-3 < ratio < high + 1e-3


def test_jitter_accumulates_like_a_random_walk():
    steady = impacts.Shaft(10.0, impacts.Wander(np.zeros(1), np.ones(1), np.zeros(1)))
    lags = {1: [], 100: []}
    for seed in range(40):
        t_s = impacts.impact_times(RIG_A, 'outer_race', steady, 20.0, np.random.default_rng(seed))
        for lag, found in lags.items():
            steps = t_s[lag:] - t_s[:-lag]
            found.append(np.var(steps) / np.mean(np.diff(t_s)) ** 2)
    # Independent intervals: a hundred of them vary a hundred times as much (as variance) as one.
    assert np.mean(lags[1]) == pytest.approx(impacts.INTERVAL_JITTER**2, rel=0.05)
    assert np.mean(lags[100]) / np.mean(lags[1]) == pytest.approx(100, rel=0.25)


def test_inner_race_is_struck_only_in_the_load_zone_and_outer_race_always():
    turning = shaft(10.0)
    times_s = np.linspace(0, 20, 4000)
    inner = impacts.impact_strengths(RIG_A, 'inner_race', 2, turning, times_s, np.random.default_rng(0))
    outer = impacts.impact_strengths(RIG_A, 'outer_race', 2, turning, times_s, np.random.default_rng(0))
    # Half of the zone is acos(1 - 2 * 0.42) = 80.8 degrees of 180.
    assert np.mean(inner > 0) == pytest.approx(80.8 / 180, abs=0.01)
    assert outer.min() > 0
    assert np.std(np.log(outer)) == pytest.approx(impacts.STRENGTH_SCATTER, rel=0.05)


def test_strength_follows_its_exponents():
    times_s = np.linspace(0, 10, 100)

    def mean_strength(load_case, rate_hz):
        rng = np.random.default_rng(0)
        return impacts.impact_strengths(RIG_A, 'outer_race', load_case, shaft(rate_hz), times_s, rng).mean()

    assert mean_strength(2, 10) / mean_strength(1, 10) == pytest.approx((124.8 / 64) ** (2 / 3))
    assert mean_strength(1, 10) / mean_strength(0, 10) == pytest.approx((64 / 124.8 / impacts.DEAD_LOAD) ** (2 / 3))
    assert mean_strength(2, 10) / mean_strength(2, 5) == pytest.approx(2)


def test_force_keeps_area_and_instant_between_samples():
    rate_hz, width_s = 20480.0, 0.2e-3
    for fraction in (0.0, 0.25, 0.5, 0.9):
        pulse = impacts.force(np.array([(100 + fraction) / rate_hz]), np.array([3.0]), width_s, rate_hz, 256)
        assert pulse.dtype == np.float32
        assert pulse.sum() / rate_hz == pytest.approx(3.0, rel=0.01)
        assert np.sum(pulse * np.arange(256)) / pulse.sum() == pytest.approx(100 + fraction, abs=0.02)


def test_force_drops_what_lies_outside():
    edges = impacts.force(np.array([-1.0, 0.0, 5.0]), np.ones(3), 0.2e-3, 20480.0, 256)
    assert edges.shape == (256,)
    assert np.flatnonzero(edges).max() <= 2
