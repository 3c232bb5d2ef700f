"""Sequence currents against the three phases solved directly; slip against the torque it must carry."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.datasets.motor_rig.electric import operate, sequence_currents
from fdx.datasets.motor_rig.motors import MOTORS
from fdx.types import ConfigError

CIRCUIT = MOTORS['motor_a'].circuit


def phase_solution(circuit, slip, resistance_ohm):
    """Currents of phases a, b, c and the star point's voltage from Kirchhoff's laws, then their sequences."""
    turn = np.exp(2j * np.pi / 3)
    to_phases = np.array([[1, 1, 1], [1, turn**2, turn], [1, turn, turn**2]])
    z1 = circuit.stator + circuit.rotor_branch(slip)
    z2 = circuit.stator + circuit.rotor_branch(2 - slip)
    # Without a neutral no current of the zero sequence flows: its impedance is free.
    motor = to_phases @ np.diag([1e3, z1, z2]) @ np.linalg.inv(to_phases)
    supply = to_phases @ (circuit.phase_v * np.array([0, 1, circuit.supply_unbalance]))
    system = np.zeros((4, 4), complex)
    system[:3, :3] = motor + np.diag([resistance_ohm, 0, 0])
    system[:3, 3] = 1
    system[3, :3] = 1
    currents = np.linalg.solve(system, np.append(supply, 0))[:3]
    return np.linalg.inv(to_phases) @ currents


@pytest.mark.parametrize('resistance_ohm', [0, 50, 150])
def test_sequence_currents_are_those_of_the_three_phases(resistance_ohm):
    zero, positive, negative = phase_solution(CIRCUIT, 0.06, resistance_ohm)
    got = sequence_currents(CIRCUIT, 0.06, resistance_ohm)
    assert abs(zero) < 1e-12
    np.testing.assert_allclose(got, [positive, negative], rtol=1e-10)


@pytest.mark.parametrize(('resistance_ohm', 'load_nm'), [(0, 0.0), (100, 0.0), (100, 0.5)])
def test_motor_settles_where_its_torque_carries_the_load(resistance_ohm, load_nm):
    found = operate(CIRCUIT, resistance_ohm, load_nm)
    positive, negative = sequence_currents(CIRCUIT, found.slip, resistance_ohm)
    torque = CIRCUIT.torque_nm(found.slip, positive) - CIRCUIT.torque_nm(2 - found.slip, negative)
    assert torque == pytest.approx(CIRCUIT.friction_nm + load_nm, rel=1e-6)
    assert found.shaft_hz == pytest.approx(24.0 * (1 - found.slip))
    assert (found.positive_a, found.negative_a) == pytest.approx((abs(positive), abs(negative)))


def test_healthy_motor_turns_as_the_real_one_and_slows_with_load_and_fault():
    idle, loaded = operate(CIRCUIT, 0, 0.0), operate(CIRCUIT, 0, 0.5)
    assert idle.shaft_hz == pytest.approx(22.82, abs=0.05)
    assert 0.9 * idle.shaft_hz < loaded.shaft_hz < 0.97 * idle.shaft_hz
    speeds = [operate(CIRCUIT, r, 0.0).shaft_hz for r in (0, 50, 100, 150)]
    assert np.all(np.diff(speeds) < -0.05)


@pytest.mark.parametrize('name', MOTORS)
def test_negative_sequence_grows_with_the_resistor(name):
    circuit = MOTORS[name].circuit
    negative = [operate(circuit, r, 0.0).negative_a for r in (0, 50, 100, 150)]
    assert np.all(np.diff(negative) > 0.05)
    assert negative[1] > 10 * negative[0]


def test_stalled_motor_is_an_error():
    weak = dataclasses.replace(CIRCUIT, phase_v=70.0)
    with pytest.raises(ConfigError, match='stalls: 150 ohm'):
        operate(weak, 150, 0.5)
