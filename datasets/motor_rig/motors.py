"""The two benches: motor_a is modelled on the real one, motor_b is another machine with another sensor mount.

For motor_a, the spectrum of the healthy state is measured (measured.py). Everything else is chosen: the circuits (small
two-pole motors on a drive at about half of the mains frequency, friction such that the speed is the measured one), the
modes and the strength of the faults. They are tuned so that a linear classifier is right on nearly every window of a
recording that it knows, because a real recording hardly changes with time, and on half to four fifths of the windows of
other recordings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from fdx.types import ConfigError

from . import measured
from .electric import Circuit
from .measured import Tone
from .structure import Mode


@dataclasses.dataclass(frozen=True)
class Motor:
    """A motor on its bench, as one three-axis accelerometer sees it.

    Attributes:
      name: its key in MOTORS.
      circuit: the electrical side.
      reference_hz: shaft speed at which forces and tones are given.
      modes: from forces on m1 to the sensor.
      bench_modes: from forces on m2 to the sensor, which take another path through the bench.
      residual: force of the balance that m1 is left with, in counts at the reference speed.
      added: force of the extra mass, in the same unit.
      background_residual: force of m2's residual imbalance; background_added is that of its extra mass.
      background_speed: speed of m2 over that of m1 without load.
      ripple: torque pulsation at twice the supply frequency, in counts for sequence currents of 1 A each.
      pull: magnetic pull at twice the supply frequency with a current of 1 A, in counts; it exists because the gap is
        never even.
      eccentric_share: amplitude of the sidebands of the ripple one shaft frequency away, over the ripple's.
      harmonics: of the shaft, from the second on.
      tones: lines that are not harmonics of the shaft.
      floor: (Hz, density along x, y, z) of the broadband part.
      mount: orientation [3, 3] of the sensor.
    """

    name: str
    circuit: Circuit
    reference_hz: float
    modes: tuple[Mode, ...]
    bench_modes: tuple[Mode, ...]
    residual: float
    added: float
    background_residual: float
    background_added: float
    background_speed: float
    ripple: float
    pull: float
    eccentric_share: float
    harmonics: tuple[Tone, ...]
    tones: tuple[Tone, ...]
    floor: tuple[tuple[float, float, float, float], ...]
    mount: np.ndarray


_MOTOR_A = Motor(
    name='motor_a',
    circuit=Circuit(24.0, 110.0, 1, 20 + 8j, 16.0, 8.0, 150.0, friction_nm=0.577, supply_unbalance=0.005),
    reference_hz=measured.SHAFT_HZ,
    # Rocking on its feet (x against z, as the real 1x moves), sliding along the shaft, and two of the frame.
    modes=(
        Mode(9.0, 0.15, (-0.46, -0.15, 1.0), (0.3, 0.9, 0.6)),
        Mode(13.0, 0.12, (0.1, -0.38, 0.1), (0.7, 0.3, 0.1)),
        Mode(62.0, 0.05, (0.5, 0.1, -0.3), (0.4, 0.1, 0.5)),
        Mode(195.0, 0.04, (0.8, 0.2, 0.6), (0.5, 0.5, 0.3)),
    ),
    bench_modes=(
        Mode(7.0, 0.15, (0.3, 0.25, 0.6), (0.5, 0.8, 0.2)),
        Mode(31.0, 0.08, (0.5, -0.2, 0.3), (0.6, 0.3, 0.2)),
    ),
    residual=630.0,
    added=1100.0,
    background_residual=300.0,
    background_added=500.0,
    background_speed=0.985,
    ripple=1700.0,
    pull=25.0,
    eccentric_share=0.3,
    harmonics=measured.HARMONICS,
    tones=measured.TONES,
    floor=measured.FLOOR,
    mount=np.eye(3),
)

# A larger motor on a stiffer bench, its drive at 31 Hz; the sensor sits on its side, x up.
_MOTOR_B = Motor(
    name='motor_b',
    circuit=Circuit(31.0, 130.0, 1, 12 + 8j, 9.0, 8.0, 140.0, friction_nm=0.7, supply_unbalance=0.006),
    reference_hz=29.8,
    modes=(
        Mode(14.0, 0.12, (0.7, 0.2, 0.8), (0.8, 0.5, 0.5)),
        Mode(19.0, 0.10, (-0.4, 0.4, 0.5), (0.4, 0.7, 0.2)),
        Mode(85.0, 0.05, (0.3, 0.2, 0.5), (0.2, 0.5, 0.4)),
        Mode(150.0, 0.04, (0.6, 0.3, 0.8), (0.5, 0.4, 0.4)),
    ),
    bench_modes=(
        Mode(10.0, 0.12, (0.5, 0.3, 0.4), (0.7, 0.6, 0.2)),
        Mode(41.0, 0.08, (0.3, -0.3, 0.5), (0.4, 0.6, 0.2)),
    ),
    residual=420.0,
    added=750.0,
    background_residual=250.0,
    background_added=400.0,
    background_speed=0.97,
    ripple=700.0,
    pull=12.0,
    eccentric_share=0.35,
    harmonics=(
        Tone(2, 0, (190, 120, 260), (40, -100)),
        Tone(3, 0, (90, 140, 150), (100, 20)),
        Tone(4, 0, (120, 60, 90), (-60, 130)),
        Tone(6, 0, (70, 80, 130), (10, -40)),
    ),
    tones=(
        Tone(0, 99.3, (300, 120, 420), (30, 70)),
        Tone(3.58, 0, (420, 110, 510), (170, -20), 0.001),
        Tone(4.42, 0, (260, 60, 300), (-30, 90), 0.001),
        Tone(5.17, 0, (210, 70, 240), (120, 60), 0.001),
        Tone(7.16, 0, (330, 90, 380), (-90, 10), 0.002),
    ),
    floor=(
        (2, 40, 25, 60), (10, 45, 25, 65), (20, 60, 30, 80), (40, 70, 40, 90), (60, 55, 30, 70), (85, 90, 45, 120),
        (110, 50, 30, 65), (150, 110, 50, 130), (180, 60, 30, 70), (220, 40, 25, 50), (265, 35, 20, 45),
    ),
    mount=np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]),
)  # fmt: skip

# The order is part of every seed, so a new motor must go to the end; the old ones then keep their recordings.
MOTORS: Mapping[str, Motor] = MappingProxyType({m.name: m for m in (_MOTOR_A, _MOTOR_B)})


def get_motor(name: str) -> Motor:
    """The motor of that name.

    Raises:
      ConfigError: the name is unknown; the message lists the known ones.
    """
    if name not in MOTORS:
        raise ConfigError(f'motor {name!r} is unknown; the motors are {", ".join(MOTORS)}')
    return MOTORS[name]
