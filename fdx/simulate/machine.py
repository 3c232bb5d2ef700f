"""A simulated machine: everything that was drawn about it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from fdx.simulate.ingredients import Lines, Mode, Modulation, Part
from fdx.types import BearingGeometry

# Raise it whenever a seed draws another machine or a machine reads otherwise: models name the version that made them.
SIMULATOR_VERSION = 2
STATES = ('normal', 'inner_race', 'outer_race', 'ball', 'combined')


@dataclasses.dataclass(frozen=True)
class Motion:
    """A shaft's speed over time: mean (1 + sum of a cos(2 pi f t + p) + ramp (t / duration - 1/2)), up to its mean.

    Attributes:
      mean_hz: turns per second, the mean over the recording.
      amplitudes, frequencies_hz, phases: of the slow wander; phases in radians.
      ramp: change of the speed from the beginning to the end, relative.
    """

    mean_hz: float
    amplitudes: tuple[float, ...]
    frequencies_hz: tuple[float, ...]
    phases: tuple[float, ...]
    ramp: float


@dataclasses.dataclass(frozen=True)
class Structure:
    """What lies between forces and sensor.

    Attributes:
      modes: resonances.
      direct: share of the force that arrives without resonance, for path 0 and 1; the largest mode has a gain of 1.
      tilt_db: change of the response per decade of frequency.
    """

    modes: tuple[Mode, ...]
    direct: tuple[float, float]
    tilt_db: float


@dataclasses.dataclass(frozen=True)
class Sensor:
    """Accelerometer, conditioner and converter.

    Attributes:
      high_pass_hz: -3 dB corner of its first-order high pass.
      mounting_hz: resonance of sensor and mounting, a second-order low pass.
      mounting_damping: fraction of critical damping of it.
      anti_alias: corner of the filter before the converter as share of the rate; 0: there is no filter and what lies
        beyond half of the rate folds back.
      bits: of the converter.
      headroom: full scale over the largest reading; below 1 the reading is clipped.
      offset: constant part over the root mean square of the vibration.
      unit_scale: root mean square of the floor in the recording's unit.
    """

    high_pass_hz: float
    mounting_hz: float
    mounting_damping: float
    anti_alias: float
    bits: int
    headroom: float
    offset: float
    unit_scale: float


@dataclasses.dataclass(frozen=True)
class Floor:
    """Noise of the healthy machine, of root mean square 1 in all.

    Attributes:
      rolling_share: share of its power that comes from rolling, through path 0.
      exponent: colour of the ambient noise, which is the rest (`ingredients.Colour`).
      own_share: share of the power that is the sensor's own white noise.
      modulations: faint ones that every healthy bearing has.
      lines: of the shaft, since no rotor is balanced perfectly.
    """

    rolling_share: float
    exponent: float
    own_share: float
    modulations: tuple[Modulation, ...]
    lines: tuple[Lines, ...]


@dataclasses.dataclass(frozen=True)
class SimulatedMachine:
    """One machine and one recording of it.

    Attributes:
      seed, index: they decide everything else, together with what was asked for.
      state: one of STATES.
      geometry: of the bearing as its catalogue has it, and as a user would know it.
      roller: whether the rolling elements are rollers.
      contact_angle_deg: the true one, which the axial load decides.
      cage_slip: share of its speed that the cage loses against pure rolling.
      spin_slip: the same of the rolling elements' spin.
      speed_rpm: true mean speed of the shaft over the recording.
      name_plate_rpm: what a user would type.
      speed_wander: bound of the slow relative deviation.
      sample_rate_hz, duration_s: of the recording.
      snr_db: of the strongest defect (`ingredients.Train`); None for a healthy machine.
      confounders: names, in the order of CONFOUNDERS.
      motion, second: of the shaft and of another one, which only some confounders use.
      structure, sensor, floor: see there.
      faults: defects of the bearing; none, one, or two (combined).
      parts: one per confounder.
    """

    seed: int
    index: int
    state: str
    geometry: BearingGeometry
    roller: bool
    contact_angle_deg: float
    cage_slip: float
    spin_slip: float
    speed_rpm: float
    name_plate_rpm: float
    speed_wander: float
    sample_rate_hz: float
    duration_s: float
    snr_db: float | None
    confounders: tuple[str, ...]
    motion: Motion
    second: Motion
    structure: Structure
    sensor: Sensor
    floor: Floor
    faults: tuple[Part, ...]
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """'machine-SEED-INDEX'."""
        return f'machine-{self.seed}-{self.index}'

    def true_orders(self) -> dict[str, float]:
        """What repeats how often per turn, with the true contact angle and slip: cage, outer, inner, ball (2 BSF)."""
        g = dataclasses.replace(self.geometry, contact_angle_deg=self.contact_angle_deg)
        cage = g.ftf * (1 - self.cage_slip)
        return {
            'cage': cage,
            'outer_race': g.num_balls * cage,
            'inner_race': g.num_balls * (1 - cage),
            'ball': 2 * g.bsf * (1 - self.spin_slip),
        }

    def to_dict(self) -> dict[str, Any]:
        """All numbers as JSON has them: dicts, lists, numbers, texts, None."""
        return json.loads(json.dumps(dataclasses.asdict(self), allow_nan=False))
