"""A bearing's geometry from its fault orders, for tables that state the orders alone."""

from __future__ import annotations

import math

from fdx.types import BearingGeometry, ConfigError

# The orders leave the size open: a pitch diameter of this many millimetres is assumed.
PITCH_MM = 100.0
# Orders are rounded in tables, and measured ones contain slip.
TOLERANCE = 0.02


def geometry_of_orders(bpfo: float, bpfi: float, bsf: float, ftf: float) -> BearingGeometry | None:
    """The geometry that has these orders (fdx.types.BearingGeometry), for a turning inner ring.

    BPFO + BPFI is the number of rolling elements, BPFI - BPFO the ratio r = d / D cos(a) times it, and BSF separates
    diameter and contact angle. Only the ratio of the diameters follows; the pitch diameter is PITCH_MM.

    Args:
      bpfo: outer race, in turns of the shaft.
      bpfi: inner race.
      bsf: spin of a rolling element; NaN: a contact angle of 0 is assumed.
      ftf: cage, to check the others with; NaN where it is not known.

    Returns:
      The geometry; None where BPFO or BPFI is unknown, or where the orders contradict each other by more than 2 %.
    """
    if not (math.isfinite(bpfo) and math.isfinite(bpfi) and 0 < bpfo < bpfi):
        return None
    count = round(bpfo + bpfi)
    ratio = (bpfi - bpfo) / (bpfo + bpfi)
    if abs(bpfo + bpfi - count) > TOLERANCE * count or ratio >= 1:
        return None
    if math.isfinite(ftf) and abs(ftf - (1 - ratio) / 2) > TOLERANCE:
        return None
    ball, angle_deg = ratio, 0.0
    if math.isfinite(bsf):
        if bsf <= 0:
            return None
        ball = (1 - ratio**2) / (2 * bsf)
        cosine = ratio / ball
        if cosine > 1 + TOLERANCE:
            return None
        ball, angle_deg = (ratio, 0.0) if cosine >= 1 else (ball, math.degrees(math.acos(cosine)))
    try:
        return BearingGeometry(PITCH_MM, PITCH_MM * ball, count, angle_deg)
    except ConfigError:
        return None
