"""The three machines of the simulated rig, which are plausible and so different that transfer between them is hard.

They share the layout of Di Maggio, Sensors 23(1):211, 2023: three states, ten speeds and four load cases, the loads
as a fraction of what each machine is built for. Resonances, levels and severities are chosen, not measured. They are
tuned so that a linear classifier on mean log-mel spectra is right nine times in ten on its own machine and fails on
another one.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping
from types import MappingProxyType

from fdx.signal.bearings import BEARINGS
from fdx.types import BearingGeometry, ConfigError

STATES = ('normal', 'inner_race', 'outer_race')
SPEEDS_RPM = (127.0, 227.0, 353.0, 457.0, 523.0, 607.0, 727.0, 877.0, 937.0, 997.0)
REFERENCE_SPEED_RPM = 997.0

# (radial, axial) as a fraction of the machine's greatest loads: 0/0, 64/0, 124.8/0 and 124.8/49 kN on the study's rig.
LOAD_CASES = ((0.0, 0.0), (64 / 124.8, 0.0), (1.0, 0.0), (1.0, 1.0))

# Hertzian contacts: the load on a rolling element grows with its deflection to this power (Harris & Kotzalas 2006).
BALL_CONTACT = 3 / 2
ROLLER_CONTACT = 10 / 9


@dataclasses.dataclass(frozen=True)
class Mode:
    """One resonance of the structure between bearing and sensor.

    Attributes:
      frequency_hz: undamped natural frequency.
      damping_ratio: fraction of critical damping.
      gain: amplitude of its ringing after a unit impulse, relative to the other modes.
    """

    frequency_hz: float
    damping_ratio: float
    gain: float


@dataclasses.dataclass(frozen=True)
class Sensor:
    """An accelerometer with its conditioner.

    Attributes:
      low_corner_hz: -3 dB corner of its first-order high pass.
      high_corner_hz: -3 dB corner of its second-order (Butterworth) low pass.
      sensitivity: reading over true acceleration; 1 is a perfect calibration.
      noise_density_g: its own white noise, in g per root hertz.
    """

    low_corner_hz: float
    high_corner_hz: float
    sensitivity: float
    noise_density_g: float


@dataclasses.dataclass(frozen=True)
class Background:
    """Noise of a healthy machine at 997 rpm under the greatest radial load.

    Attributes:
      rolling_g: RMS of the structure's response to the random forces of rolling (asperities, lubricant).
      ambient_density_g: density at 1 kHz, in g per root hertz, of drives, pumps and the floor.
      colour: the ambient power falls as frequency to the power of minus this (0 white, 1 pink, 2 red).
    """

    rolling_g: float
    ambient_density_g: float
    colour: float


@dataclasses.dataclass(frozen=True)
class Machine:
    """A bearing in its machine, as one accelerometer sees it.

    Attributes:
      name: its key in MACHINES.
      geometry: the bearing's.
      contact_exponent: BALL_CONTACT or ROLLER_CONTACT.
      modes: resonances, the main one first.
      path_gain: gain of the path from the bearing to the sensor.
      sensor: the accelerometer.
      harmonics_g: amplitudes of 1x, 2x and 3x shaft speed at 997 rpm under the greatest radial load.
      background: healthy noise.
      max_radial_kn: radial load of the greatest load cases.
      max_axial_kn: axial load of load case 3.
      load_zone: Stribeck's load distribution factor under radial load: 0.5 loads half of the ring.
      outer_defect_deg: angle of the outer-race defect from the middle of the load zone.
      severity_g: impact of the defect at 997 rpm under the greatest radial load: a mode of gain 1 rings with this.
      impact_s: duration of the force of an impact of the outer race.
      inner_impact_ratio: how many times longer it is for the inner race, whose impacts reach the housing through
        the rolling elements and the lubricant film.
      inner_path_gain: gain of that longer path, relative to the outer race's.
      slip: mean slip of the cage, as a fraction of its speed.
    """

    name: str
    geometry: BearingGeometry
    contact_exponent: float
    modes: tuple[Mode, ...]
    path_gain: float
    sensor: Sensor
    harmonics_g: tuple[float, float, float]
    background: Background
    max_radial_kn: float
    max_axial_kn: float
    load_zone: float
    outer_defect_deg: float
    severity_g: float
    impact_s: float
    inner_impact_ratio: float
    inner_path_gain: float
    slip: float

    def loads_kn(self, load_case: int) -> tuple[float, float]:
        """(radial, axial) load in kN of load case 0 to 3.

        Raises:
          ConfigError: the machine does not have this load case.
        """
        if not isinstance(load_case, numbers.Integral) or load_case not in range(len(LOAD_CASES)):
            raise ConfigError(f'load case {load_case!r} is unknown; the load cases are 0 to {len(LOAD_CASES) - 1}')
        radial, axial = LOAD_CASES[load_case]
        return radial * self.max_radial_kn, axial * self.max_axial_kn


_RIG_A = Machine(
    # A laboratory machine with a deep groove ball bearing SKF 6205 (catalogue geometry) in a small steel housing.
    name='rig_a',
    geometry=BearingGeometry(pitch_diameter_mm=39.04, ball_diameter_mm=7.94, num_balls=9),
    contact_exponent=BALL_CONTACT,
    modes=(Mode(3100, 0.04, 1.0), Mode(1150, 0.06, 0.5), Mode(5600, 0.04, 0.7), Mode(420, 0.08, 0.15)),
    path_gain=1.0,
    sensor=Sensor(low_corner_hz=0.7, high_corner_hz=9000, sensitivity=1.0, noise_density_g=3e-5),
    harmonics_g=(0.05, 0.02, 0.008),
    background=Background(rolling_g=0.35, ambient_density_g=1.0e-3, colour=0.8),
    max_radial_kn=3.0,
    max_axial_kn=1.2,
    load_zone=0.42,
    outer_defect_deg=10.0,
    severity_g=10.0,
    impact_s=0.16e-3,
    inner_impact_ratio=1.6,
    inner_path_gain=0.9,
    slip=0.008,
)

_RIG_B = Machine(
    # The study's rig: a spherical roller bearing SKF 22240 CCK/W33 (200 x 360 x 98 mm).
    name='rig_b',
    geometry=BEARINGS['skf_22240'],
    contact_exponent=ROLLER_CONTACT,
    modes=(Mode(2750, 0.05, 1.0), Mode(980, 0.07, 0.55), Mode(5000, 0.045, 0.65), Mode(350, 0.09, 0.15)),
    path_gain=0.9,
    sensor=Sensor(low_corner_hz=0.5, high_corner_hz=8000, sensitivity=1.0, noise_density_g=4e-5),
    harmonics_g=(0.03, 0.015, 0.01),
    background=Background(rolling_g=0.4, ambient_density_g=1.3e-3, colour=1.0),
    max_radial_kn=124.8,
    max_axial_kn=49.0,
    load_zone=0.47,
    outer_defect_deg=-5.0,
    # Calibrated: with random windows a linear classifier on log-mel reaches 99%, as the study's transfer did.
    severity_g=18.0,
    impact_s=0.22e-3,
    inner_impact_ratio=1.5,
    inner_path_gain=0.8,
    slip=0.005,
)

_RIG_C = Machine(
    # A spindle with an angular contact ball bearing of the size 7210 B (50 x 90 mm, 40 degrees; ball complement
    # approximated), preloaded: its load zone is wide.
    name='rig_c',
    geometry=BEARINGS['skf_7210b'],
    contact_exponent=BALL_CONTACT,
    modes=(Mode(3600, 0.035, 1.0), Mode(1400, 0.05, 0.55), Mode(6200, 0.035, 0.6), Mode(520, 0.07, 0.18)),
    path_gain=1.1,
    sensor=Sensor(low_corner_hz=2.0, high_corner_hz=8500, sensitivity=0.95, noise_density_g=4e-5),
    harmonics_g=(0.02, 0.012, 0.012),
    background=Background(rolling_g=0.3, ambient_density_g=0.8e-3, colour=0.6),
    max_radial_kn=12.0,
    max_axial_kn=4.7,
    load_zone=0.6,
    outer_defect_deg=20.0,
    severity_g=8.5,
    impact_s=0.14e-3,
    inner_impact_ratio=1.5,
    inner_path_gain=0.85,
    slip=0.012,
)

# The order is part of every seed, so a new machine must go to the end; the old ones then keep their recordings.
MACHINES: Mapping[str, Machine] = MappingProxyType({m.name: m for m in (_RIG_A, _RIG_B, _RIG_C)})


def get_machine(name: str) -> Machine:
    """The machine of that name.

    Raises:
      ConfigError: the name is unknown; the message lists the known ones.
    """
    if name not in MACHINES:
        raise ConfigError(f'machine {name!r} is unknown; the machines are {", ".join(MACHINES)}')
    return MACHINES[name]
