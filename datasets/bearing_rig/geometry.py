"""Geometry of a rolling bearing and the fault orders that follow from it."""

from __future__ import annotations

import dataclasses
import math

from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class BearingGeometry:
    """What decides how often a rolling element passes a damaged spot.

    The orders are events per turn of the shaft, for a turning inner ring, a standing outer ring and pure rolling; with
    Z rolling elements of diameter d on the pitch diameter D at the contact angle a, and r = d / D cos(a)
    (Harris & Kotzalas, "Rolling Bearing Analysis", 5th ed., 2006; Randall & Antoni, MSSP 25(2):485-520, 2011):

        FTF  = (1 - r) / 2              cage
        BPFO = Z (1 - r) / 2            rolling elements over a spot of the outer race
        BPFI = Z (1 + r) / 2            rolling elements over a spot of the inner race
        BSF  = D / (2 d) (1 - r^2)      spin of a rolling element

    Attributes:
      pitch_diameter_mm: D.
      ball_diameter_mm: d, of a ball or a roller; below D.
      num_balls: Z, of one row.
      contact_angle_deg: a, from 0 (radial contact) to below 90.

    Raises:
      ConfigError: no such bearing can exist.
    """

    pitch_diameter_mm: float
    ball_diameter_mm: float
    num_balls: int
    contact_angle_deg: float = 0.0

    def __post_init__(self):
        """Checks the numbers, so that every order below is finite and positive."""
        for name in ('pitch_diameter_mm', 'ball_diameter_mm', 'num_balls'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f'bearing geometry: {name} is {value}; it must be positive and finite')
        if self.num_balls != int(self.num_balls):
            raise ConfigError(f'bearing geometry: num_balls is {self.num_balls}; it must be a whole number')
        if self.ball_diameter_mm >= self.pitch_diameter_mm:
            raise ConfigError(
                f'bearing geometry: ball_diameter_mm {self.ball_diameter_mm} must be below '
                f'pitch_diameter_mm {self.pitch_diameter_mm}'
            )
        if not 0 <= self.contact_angle_deg < 90:
            raise ConfigError(f'bearing geometry: contact_angle_deg is {self.contact_angle_deg}; it must be in [0, 90)')

    @property
    def diameter_ratio(self) -> float:
        """The ratio r = d / D cos(a), the one number that rolling without slip depends on."""
        return self.ball_diameter_mm / self.pitch_diameter_mm * math.cos(math.radians(self.contact_angle_deg))

    @property
    def ftf(self) -> float:
        """Fundamental train (cage) frequency as a multiple of the shaft's."""
        return (1 - self.diameter_ratio) / 2

    @property
    def bpfo(self) -> float:
        """Ball pass frequency of the outer race as a multiple of the shaft's."""
        return self.num_balls * self.ftf

    @property
    def bpfi(self) -> float:
        """Ball pass frequency of the inner race as a multiple of the shaft's."""
        return self.num_balls * (1 - self.ftf)

    @property
    def bsf(self) -> float:
        """Ball spin frequency as a multiple of the shaft's; a damaged ball strikes both races, so at twice this."""
        return self.pitch_diameter_mm / (2 * self.ball_diameter_mm) * (1 - self.diameter_ratio**2)
