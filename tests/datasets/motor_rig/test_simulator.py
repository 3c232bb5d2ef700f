"""What a simulated sensor reads: the faults in its spectrum, gravity, and the same again from the same seed."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import scipy.signal

from fdx.datasets.motor_rig import clock, simulator
from fdx.datasets.motor_rig.conditions import Condition
from fdx.datasets.motor_rig.motors import MOTORS
from fdx.datasets.motor_rig.nuisance import Nuisance
from fdx.types import ConfigError

SECONDS = 30.0
TYPICAL = Nuisance.typical()
HEALTHY = Condition()


@functools.cache
def reading(motor, condition, seed=0, seconds=SECONDS):
    """A typical recording."""
    return simulator.simulate(motor, condition, duration_s=seconds, seed=seed, nuisance=TYPICAL)


def line(motor, condition, low_hz, high_hz):
    """Amplitude of the strongest line between two frequencies, in counts over the three axes, and its frequency."""
    found = reading(motor, condition)
    samples = clock.on_even_grid(found.timestamps_us, found.counts).astype(np.float64)
    frequency_hz, power = scipy.signal.periodogram(
        samples - samples.mean(axis=0), clock.GRID_RATE_HZ, window='flattop', scaling='spectrum', axis=0
    )
    total = power.sum(axis=1)
    inside = np.flatnonzero((frequency_hz > low_hz) & (frequency_hz < high_hz))
    best = inside[total[inside].argmax()]
    # A wandering line is a narrow heap: the flat-top window counts each component 3.77 bins wide.
    heap = total[best - 12 : best + 13].sum() / 3.77
    return np.sqrt(2 * heap), frequency_hz[best]


def test_extra_mass_raises_1x_by_what_the_forces_say():
    motor = MOTORS['motor_a']
    healthy, at_hz = line('motor_a', HEALTHY, 21.5, 24)
    imbalanced, _ = line('motor_a', Condition(imbalanced=True), 21.5, 24)
    force = abs(motor.residual + motor.added * np.exp(1j * TYPICAL.added_rad)) / motor.residual
    assert at_hz == pytest.approx(reading('motor_a', HEALTHY).shaft_hz, abs=0.1)
    assert imbalanced / healthy == pytest.approx(force, rel=0.1)
    assert 2 < force < 3
    # The force is one of 1x alone.
    harmonic = [line('motor_a', c, 67, 70)[0] for c in (HEALTHY, Condition(imbalanced=True))]
    assert harmonic[1] / harmonic[0] == pytest.approx(1, abs=0.25)


def test_resistor_raises_twice_the_supply_frequency():
    supply_hz = MOTORS['motor_a'].circuit.supply_hz
    levels = [line('motor_a', Condition(resistance_ohm=r), 2 * supply_hz - 0.5, 2 * supply_hz + 0.5) for r in (50, 150)]
    healthy, _ = line('motor_a', HEALTHY, 2 * supply_hz - 0.5, 2 * supply_hz + 0.5)
    assert levels[0][0] > 2.5 * healthy
    assert levels[1][0] > 1.4 * levels[0][0]
    # The supply does not wander with the shaft.
    assert [hz for _, hz in levels] == pytest.approx([2 * supply_hz] * 2, abs=0.05)
    side = 2 * supply_hz - reading('motor_a', Condition(resistance_ohm=150)).shaft_hz
    raised = [line('motor_a', Condition(resistance_ohm=r), side - 0.5, side + 0.5)[0] for r in (0, 150)]
    assert raised[1] > 1.5 * raised[0]


def test_background_motor_adds_its_own_1x():
    motor = MOTORS['motor_b']
    alone = reading('motor_b', HEALTHY).shaft_hz
    band = (alone * motor.background_speed * 0.988, alone * motor.background_speed * 1.012)
    none, normal, imbalanced = (
        line('motor_b', Condition(background=b), *band)[0] for b in ('none', 'normal', 'imbalanced')
    )
    assert normal > 1.5 * none
    force = (motor.background_residual + motor.background_added) / motor.background_residual
    assert imbalanced / normal == pytest.approx(force, rel=0.3)
    # It does not touch m1's own line.
    lines = [line('motor_b', Condition(background=b), alone - 0.3, alone + 0.3)[0] for b in ('none', 'imbalanced')]
    assert lines[1] / lines[0] == pytest.approx(1, abs=0.2)


def test_load_slows_the_shaft():
    idle, loaded = reading('motor_a', HEALTHY).shaft_hz, reading('motor_a', Condition(load_nm=0.5)).shaft_hz
    assert 0.9 < loaded / idle < 0.97
    _, at_hz = line('motor_a', Condition(load_nm=0.5), loaded - 0.6, loaded + 0.6)
    assert at_hz == pytest.approx(loaded, abs=0.15)


def test_turned_sensor_moves_gravity_and_keeps_its_length():
    straight = reading('motor_a', Condition(True, 150, 0.0, 'imbalanced'))
    turned = reading('motor_a', Condition(True, 150, 0.0, 'imbalanced', rotated=True))
    before, after = straight.counts.mean(axis=0), turned.counts.mean(axis=0)
    assert before[2] == pytest.approx(16384, rel=0.03)
    assert after[0] == pytest.approx(16384, rel=0.03)
    assert abs(after[2]) < 0.05 * 16384
    assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before), rel=0.02)
    # What moved along z moves along x now, what moved along the shaft still does.
    ratio = turned.counts.std(axis=0)[[2, 1, 0]] / straight.counts.std(axis=0)
    np.testing.assert_allclose(ratio, 1, atol=0.12)
    assert reading('motor_b', HEALTHY).counts.mean(axis=0)[0] == pytest.approx(16384, rel=0.03)


def test_same_arguments_same_reading_others_another():
    condition = Condition(imbalanced=True, load_nm=0.5)
    first = simulator.simulate('motor_a', condition, duration_s=2.0, seed=3)
    again = simulator.simulate('motor_a', condition, duration_s=2.0, seed=3)
    np.testing.assert_array_equal(first.counts, again.counts)
    np.testing.assert_array_equal(first.timestamps_us, again.timestamps_us)
    others = [
        simulator.simulate('motor_a', condition, duration_s=2.0, seed=4),
        simulator.simulate('motor_a', condition, duration_s=2.0, seed=3, take=2),
        simulator.simulate('motor_b', condition, duration_s=2.0, seed=3),
        simulator.simulate('motor_a', Condition(imbalanced=True), duration_s=2.0, seed=3),
    ]
    for other in others:
        assert other.timestamps_us[0] != first.timestamps_us[0]
        count = min(len(first.counts), len(other.counts))
        difference = np.abs(np.diff(first.counts[:count] - other.counts[:count].astype(np.int64), axis=0)).mean()
        assert difference > 100


def test_recording_says_what_it_is():
    condition = Condition(False, 50, 0.5, 'imbalanced')
    found = simulator.simulate_recording('motor_b', condition, duration_s=2.0, seed=0, take=2)
    assert found.recording == 'motor_b_electrical50_load0.5_m2imbalanced_take2'
    assert (found.label, found.fault_type) == ('electrical', 'electrical')
    assert (found.bearing, found.domain, found.load) == ('motor_b', 'load0.5_m2imbalanced', 0.5)
    assert (found.sample_rate_hz, found.samples.dtype, found.samples.shape[1]) == (528.0, np.float32, 3)
    assert found.duration_s == pytest.approx(2.0, abs=0.02)
    reading_ = simulator.simulate('motor_b', condition, duration_s=2.0, seed=0, take=2)
    assert found.speed_rpm == pytest.approx(60 * reading_.shaft_hz)
    np.testing.assert_array_equal(found.samples, clock.on_even_grid(reading_.timestamps_us, reading_.counts))


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        ({'motor': 'motor_z'}, "'motor_z' .*motor_a, motor_b"),
        ({'duration_s': 0.0}, 'duration_s is 0.0'),
        ({'duration_s': float('nan')}, 'duration_s is nan'),
        ({'seed': -1}, 'seed is -1'),
        ({'seed': 0.5}, 'seed is 0.5'),
        ({'take': 0}, 'take is 0'),
    ],
)
def test_bad_arguments_are_errors_with_the_value(changed, message):
    with pytest.raises(ConfigError, match=message):
        simulator.simulate(**{'motor': 'motor_a', 'condition': HEALTHY, 'duration_s': 1.0, 'seed': 0, **changed})
