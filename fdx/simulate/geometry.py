"""Random bearings that could be built."""

from __future__ import annotations

import math

from fdx.simulate.dice import Dice
from fdx.types import BearingGeometry

BALLS = (6, 22)
DIAMETER_RATIO = (0.12, 0.32)
# Neighbouring rolling elements keep this share of their distance for the cage.
FILL = 0.98


def draw_geometry(dice: Dice) -> tuple[BearingGeometry, bool]:
    """A bearing as its catalogue has it, and whether it has rollers.

    The number of elements is drawn first, then the diameter ratio between half of what fits on the pitch circle (the
    distance of neighbours is D sin(pi / Z)) and what fits. Three in ten are angular contact bearings, up to 40 degrees.
    """
    count = dice.whole(*BALLS)
    largest = min(DIAMETER_RATIO[1], FILL * math.sin(math.pi / count))
    ratio = dice.uniform(max(DIAMETER_RATIO[0], largest / 2), largest)
    pitch_mm = dice.log_uniform(15, 400)
    angle = dice.uniform(5, 40) if dice.chance(0.3) else 0.0
    return BearingGeometry(pitch_mm, ratio * pitch_mm, count, angle), dice.chance(0.3)


def true_angle_deg(dice: Dice, geometry: BearingGeometry) -> float:
    """The contact angle under load: an axial load gives a radial bearing up to 15 degrees, and shifts others by 5."""
    if geometry.contact_angle_deg:
        return max(0.0, geometry.contact_angle_deg + dice.uniform(-5, 5))
    return dice.uniform(0, 15) if dice.chance(0.5) else 0.0
