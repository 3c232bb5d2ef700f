"""Electrical side of an induction motor with a resistor in one phase: sequence currents, slip and torque ripple."""

from __future__ import annotations

import dataclasses
import math

from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class Circuit:
    """Equivalent circuit of a phase, in ohm at the supply frequency, rotor referred to the stator.

    Attributes:
      supply_hz: frequency of the drive's output.
      phase_v: phase voltage.
      pole_pairs: p.
      stator: R1 + j X1.
      rotor_ohm: R2.
      rotor_reactance_ohm: X2.
      magnetising_ohm: Xm.
      friction_nm: torque that the motor needs without load.
      supply_unbalance: negative over positive sequence of the supply's voltage; no supply is perfect.
    """

    supply_hz: float
    phase_v: float
    pole_pairs: int
    stator: complex
    rotor_ohm: float
    rotor_reactance_ohm: float
    magnetising_ohm: float
    friction_nm: float
    supply_unbalance: float

    @property
    def synchronous_hz(self) -> float:
        """Turns per second of the field."""
        return self.supply_hz / self.pole_pairs

    def rotor_branch(self, slip: float) -> complex:
        """Impedance of magnetising and rotor branch in parallel."""
        rotor = self.rotor_ohm / slip + 1j * self.rotor_reactance_ohm
        magnetising = 1j * self.magnetising_ohm
        return rotor * magnetising / (rotor + magnetising)

    def torque_nm(self, slip: float, current_a: complex) -> float:
        """Torque of one sequence from the power over its air gap, 3 |I|^2 Re(Z) / w_synchronous."""
        power = 3 * abs(current_a) ** 2 * self.rotor_branch(slip).real
        return power / (2 * math.pi * self.synchronous_hz)


@dataclasses.dataclass(frozen=True)
class Operation:
    """The steady state of the motor.

    Attributes:
      slip: of the rotor behind the field.
      shaft_hz: turns per second.
      positive_a: magnitude of the positive sequence current.
      negative_a: magnitude of the negative sequence current, which makes the torque pulsate.
    """

    slip: float
    shaft_hz: float
    positive_a: float
    negative_a: float


def sequence_currents(circuit: Circuit, slip: float, resistance_ohm: float) -> tuple[complex, complex]:
    """Positive and negative sequence current in A with a resistor in phase a of a star without neutral.

    Symmetrical components (Fortescue, AIEE Trans. 37:1027-1140, 1918): a resistor R in one phase couples the sequences
    by R / 3:  V1 = (Z1 + R/3) I1 + R/3 I2  and  V2 = R/3 I1 + (Z2 + R/3) I2, with Z2 taken at the slip 2 - s.
    """
    coupling = resistance_ohm / 3
    z1 = circuit.stator + circuit.rotor_branch(slip) + coupling
    z2 = circuit.stator + circuit.rotor_branch(2 - slip) + coupling
    v1, v2 = circuit.phase_v, circuit.supply_unbalance * circuit.phase_v
    determinant = z1 * z2 - coupling**2
    return (v1 * z2 - coupling * v2) / determinant, (z1 * v2 - coupling * v1) / determinant


def operate(circuit: Circuit, resistance_ohm: float, load_nm: float) -> Operation:
    """The slip at which the torque of both sequences carries friction and load.

    Raises:
      ConfigError: the motor cannot carry the load with that resistor; it would stall.
    """
    wanted = circuit.friction_nm + load_nm

    def surplus(slip: float) -> float:
        positive, negative = sequence_currents(circuit, slip, resistance_ohm)
        return circuit.torque_nm(slip, positive) - circuit.torque_nm(2 - slip, negative) - wanted

    low, high = 1e-4, 1e-4
    while surplus(high) < 0:
        high += 0.005
        if high > 0.5:
            raise ConfigError(
                f'the motor stalls: {resistance_ohm} ohm in a phase leave too little torque for {load_nm} Nm'
            )
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if surplus(middle) < 0 else (low, middle)
    positive, negative = sequence_currents(circuit, high, resistance_ohm)
    return Operation(high, circuit.synchronous_hz * (1 - high), abs(positive), abs(negative))
