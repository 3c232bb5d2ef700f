"""The sources of vibration against their laws."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.signal

from fdx.datasets.motor_rig import sources
from fdx.datasets.motor_rig.electric import operate
from fdx.datasets.motor_rig.motors import MOTORS
from fdx.datasets.motor_rig.sensor import COUNTS_PER_G, Sensor, rotation
from fdx.datasets.motor_rig.structure import Mode, accelerance

MOTOR = MOTORS['motor_a']


def test_accelerance_of_one_mode():
    mode = Mode(10.0, 0.05, (1.0, 0.0, 2.0), (1.0, 0.5, 0.0))
    above = accelerance([mode], 1e4)
    np.testing.assert_allclose(above, np.outer([1, 0, 2], [1, 0.5, 0]), rtol=1e-4, atol=1e-5)
    # At resonance the amplitude is 1 / (2 z), 90 degrees away; far below it falls with the square of the frequency.
    np.testing.assert_allclose(accelerance([mode], 10.0)[0, 0], 10j, rtol=1e-9)
    np.testing.assert_allclose(accelerance([mode], 0.02)[0, 0] / accelerance([mode], 0.01)[0, 0], 4, rtol=1e-3)
    np.testing.assert_allclose(accelerance([mode], 12.0, detune=1.2)[0, 0], 10j, rtol=1e-9)


def test_imbalance_grows_with_the_square_of_the_speed():
    rigid = [Mode(0.01, 0.1, (1.0, 0.0, 0.0), (1.0, 0.0, 0.0)), Mode(0.01, 0.1, (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))]
    slow, fast = (sources.imbalance(rigid, 300.0, hz, 20.0) for hz in (20.0, 30.0))
    np.testing.assert_allclose(np.abs(slow), [300, 0, 300], rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(fast / slow[0], np.array([1, 0, -1j]) * 2.25, rtol=1e-3, atol=1e-9)
    # A rotating force: up follows across by a quarter turn, with one length at all times.
    track = sources.vibration(slow, np.linspace(0, 1, 50))
    np.testing.assert_allclose(np.hypot(track[:, 0], track[:, 2]), 300, rtol=1e-3)
    assert abs(np.corrcoef(track[:-1, 0], track[:-1, 2])[0, 1]) < 1e-3


def test_torque_ripple_is_the_product_of_the_sequence_currents():
    lines = {r: sources.ripple_lines(MOTOR, operate(MOTOR.circuit, r, 0.0)) for r in (0, 50, 100, 150)}
    assert [line[:2] for line in lines[50]] == [(2, 0), (2, -1), (2, 1)]
    up = {r: abs(found[0][2][2]) for r, found in lines.items()}
    assert up[50] > 6 * up[0]
    assert up[50] < up[100] < up[150]
    still = dataclasses.replace(MOTOR, pull=0.0)
    for resistance in (50, 150):
        operation = operate(MOTOR.circuit, resistance, 0.0)
        line = sources.ripple_lines(still, operation)[0][2]
        force = MOTOR.ripple * operation.positive_a * operation.negative_a
        np.testing.assert_allclose(line, accelerance(MOTOR.modes, 48.0)[:, 2] * force, rtol=1e-12)


def test_broadband_noise_has_its_density():
    floor = ((0.0, 10.0, 20.0, 40.0), (300.0, 10.0, 20.0, 100.0))
    t_s = np.arange(60 * 600) / 600
    noise = sources.broadband(floor, t_s, np.array([1.0, 2.0, 1.0]), 1.0, np.random.default_rng(0))
    frequency_hz, power = scipy.signal.welch(noise, 600, nperseg=600, axis=0)
    for hz, wanted in ((50, (10, 40, 50)), (150, (10, 40, 70)), (250, (10, 40, 90))):
        near = np.abs(frequency_hz - hz) <= 10
        np.testing.assert_allclose(np.sqrt(power[near].mean(axis=0)), wanted, rtol=0.06)
    assert np.sqrt(power[-10:]).max() < 1


def test_wander_stays_in_its_bound_and_integrates():
    wander = sources.Wander.draw(np.random.default_rng(3), 0.01)
    t_s = np.linspace(0, 100, 200_001)
    value = wander.value(t_s)
    assert 0.004 < np.abs(value).max() <= 0.01
    steps = np.diff(wander.integral(t_s)) / np.diff(t_s)
    np.testing.assert_allclose(steps, (value[1:] + value[:-1]) / 2, atol=1e-8)
    turns = sources.Shaft(20.0, wander).turns(t_s)
    np.testing.assert_allclose(np.diff(turns) / np.diff(t_s), 20 * (1 + (value[1:] + value[:-1]) / 2), rtol=1e-6)


@pytest.mark.parametrize('axis', 'xyz')
def test_rotation_keeps_lengths_and_turns_right_handed(axis):
    matrix = rotation(axis, 37.0)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    following = {'x': 'yz', 'y': 'zx', 'z': 'xy'}[axis]
    first, second = (np.eye(3)['xyz'.index(a)] for a in following)
    np.testing.assert_allclose(rotation(axis, 90.0) @ first, second, atol=1e-12)


def test_sensor_counts_and_saturates():
    rng = np.random.default_rng(0)
    sensor = Sensor(np.eye(3), np.ones(3), np.zeros(3))
    acceleration = np.zeros((4000, 3))
    acceleration[:, 1] = -3 * COUNTS_PER_G
    counts = sensor.read(acceleration, rng, 528.0)
    assert counts.dtype == np.int16
    assert set(counts[:, 1]) == {-32768}
    # 400 ug per root hertz over 264 Hz: 6.5 mg, 106 counts.
    assert counts[:, 0].std() == pytest.approx(106.5, rel=0.05)
    assert counts[:, 2].mean() == pytest.approx(16384, abs=10)
