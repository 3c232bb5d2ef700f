"""The zones A to D of ISO 20816-3: what a velocity in mm/s means for an industrial machine of a given size."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.signal.velocity import HIGH_HZ, LOW_HZ, known_unit, velocity_rms
from fdx.types import ConfigError

# (machine group, mounting) -> the largest RMS velocity in mm/s of zones A, B and C.
LIMITS_MM_S = {
    (1, 'rigid'): (2.3, 4.5, 7.1),
    (1, 'flexible'): (3.5, 7.1, 11.0),
    (2, 'rigid'): (1.4, 2.8, 4.5),
    (2, 'flexible'): (2.3, 4.5, 7.1),
}
GROUPS = {
    1: 'group 1: above 300 kW, or an electric machine with a shaft height of 315 mm or more',
    2: 'group 2: 15 to 300 kW, or an electric machine with a shaft height of 160 to 315 mm',
}
MOUNTINGS = ('rigid', 'flexible')
ZONES = {
    'A': 'as newly commissioned machines usually are',
    'B': 'acceptable for unrestricted long-term operation',
    'C': 'unsatisfactory for long-term continuous operation: plan a remedy, the machine may run until then',
    'D': 'severe enough to cause damage: act now',
}
# Slower shafts are judged from 2 Hz on, and by their displacement, too.
SLOW_RPM, SLOW_LOW_HZ = 600.0, 2.0


@dataclasses.dataclass(frozen=True)
class Severity:
    """What the standard says of one channel.

    Attributes:
      velocity_mm_s: RMS value.
      zone: 'A' to 'D'.
      limits_mm_s: the largest velocity of zones A, B and C.
      band_hz: (low, high), the band of the velocity.
      machine_group: 1 or 2.
      mounting: 'rigid' or 'flexible'.
    """

    velocity_mm_s: float
    zone: str
    limits_mm_s: tuple[float, float, float]
    band_hz: tuple[float, float]
    machine_group: int
    mounting: str

    def words(self) -> str:
        """One sentence."""
        return f'{self.velocity_mm_s:.2f} mm/s is zone {self.zone}, {ZONES[self.zone]}'


def severity_of(
    samples: np.ndarray,
    rate_hz: float,
    unit: str,
    machine_group: int,
    mounting: str,
    speed_rpm: float = math.nan,
) -> list[Severity]:
    """The zone of each channel.

    The limits are those of ISO 10816-3:2009, tables A.1 and A.2 (RMS velocity on non-rotating parts, machines above
    15 kW from 120 to 15,000 rpm, measured in place). ISO 20816-3:2022 has superseded it; that text was not at hand, and
    by what is said of it, it joins zones A and B to one. The standard takes the largest velocity of all directions and
    bearings of the machine; one sensor says less. Pumps have a standard of their own (ISO 10816-7). Below 600 rpm the
    band begins at 2 Hz, and the displacement counts as well, which is not looked at here.

    Args:
      samples: float [T] or [T, C], finite, measured on a bearing's housing.
      rate_hz: their rate.
      unit: see `fdx.signal.velocity.UNITS`; without one there is no zone.
      machine_group: 1 or 2, see GROUPS.
      mounting: 'rigid' where the lowest natural frequency of machine and foundation is at least a quarter above the
        shaft's rate, else 'flexible'.
      speed_rpm: NaN where it is not known.

    Raises:
      ConfigError: a group, a mounting or a unit that is not known.
      DataError: see `fdx.signal.velocity.velocity_rms`.
    """
    check_machine(machine_group, mounting)
    if not known_unit(unit):
        raise ConfigError(
            f'`unit`={unit!r}: without a unit of acceleration or velocity there is no zone of ISO 20816-3'
        )
    low_hz = SLOW_LOW_HZ if speed_rpm < SLOW_RPM else LOW_HZ
    limits = LIMITS_MM_S[machine_group, mounting]
    return [
        Severity(float(v), zone_of(float(v), limits), limits, (low_hz, HIGH_HZ), machine_group, mounting)
        for v in velocity_rms(samples, rate_hz, unit, low_hz=low_hz)
    ]


def check_machine(machine_group: int, mounting: str) -> None:
    """ConfigError unless the group and the mounting are ones that the standard has limits for."""
    if machine_group not in GROUPS:
        raise ConfigError(f'`machine_group`={machine_group}: 1 or 2 ({"; ".join(GROUPS.values())})')
    if mounting not in MOUNTINGS:
        raise ConfigError(f'`mounting`={mounting!r}: {" or ".join(MOUNTINGS)}')


def zone_of(velocity_mm_s: float, limits_mm_s: tuple[float, float, float]) -> str:
    """The zone of a velocity; at a limit, the better one."""
    return 'ABCD'[int(np.searchsorted(limits_mm_s, velocity_mm_s))]
