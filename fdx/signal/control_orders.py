"""Orders at which no part of a bearing leaves lines: what chance, and everything else in a recording, looks like there.

White noise is no fair comparison: gears, vanes and electric drives leave lines in every envelope spectrum, and a
diagnosis that expects noise calls them faults. The same search at orders that belong to no fault, in the same
recording, shows how high the statistic gets without any.
"""

from __future__ import annotations

import functools

import numpy as np

from fdx.types import BearingGeometry

FAULTS = ('inner_race', 'outer_race', 'ball')
COUNT = 80
# A control keeps this relative distance from every line of the bearing, so that the search around it, as wide as the
# slip, does not reach one.
DISTANCE = 0.03
# Relative to the lowest and highest fault order.
REACH = (0.55, 1.6)


def fault_orders_of(geometry: BearingGeometry) -> tuple[float, float, float]:
    """Orders of FAULTS: BPFI, BPFO and twice BSF."""
    return geometry.bpfi, geometry.bpfo, 2 * geometry.bsf


def bearing_lines(geometry: BearingGeometry) -> np.ndarray:
    """Orders of the strongest lines that faults of a bearing leave, with their sidebands: float64 [N]."""
    inner, outer, ball = fault_orders_of(geometry)
    lines = [k * outer for k in (0.5, 1, 2, 3)]
    lines += [k * inner + s for k in (0.5, 1, 2, 3) for s in (-1, 0, 1)]
    lines += [k * ball + s * geometry.ftf for k in (0.5, 1, 2, 3) for s in (-1, 0, 1)]
    return np.array(lines)


@functools.lru_cache(maxsize=256)
def control_orders(geometry: BearingGeometry, count: int = COUNT) -> np.ndarray:
    """Orders that belong to no fault, evenly spread in their logarithm: float64 [count], the same for every call.

    Whole orders of the shaft are among them where chance puts them, as they lie beside the faults' orders by chance.
    Where the lines of the bearing leave no room, those farthest from them are taken.
    """
    orders = fault_orders_of(geometry)
    low, high = REACH[0] * min(orders), REACH[1] * max(orders)
    candidates = np.exp(np.linspace(np.log(low), np.log(high), 40 * count))
    lines = bearing_lines(geometry)
    lines = lines[lines > 0]
    distance = np.abs(np.log(candidates[:, None] / lines)).min(axis=1)
    free = candidates[distance > DISTANCE]
    if len(free) < 2 * count:
        free = candidates[np.argsort(-distance, kind='stable')[: 2 * count]]
        free = np.sort(free)
    return free[np.linspace(0, len(free) - 1, count).round().astype(int)]


@functools.lru_cache(maxsize=256)
def twin_orders(geometry: BearingGeometry, order: float) -> np.ndarray:
    """Orders as far from a multiple of the shaft's as a fault's order is, but of no fault: float64 [N], N >= 0.

    A fault order that lies beside a whole number (BPFO 3.05 of eight balls) sees what leaks from the shaft's lines. Its
    twins lie beside other whole numbers, on either side, and see the same.
    """
    orders = fault_orders_of(geometry)
    apart = abs(order - round(order))
    whole = np.arange(1, int(REACH[1] * max(orders)) + 2)
    twins = np.unique(np.concatenate([whole - apart, whole + apart]))
    twins = twins[(twins >= REACH[0] * min(orders)) & (twins <= REACH[1] * max(orders))]
    lines = bearing_lines(geometry)
    lines = lines[lines > 0]
    return twins[np.abs(np.log(twins[:, None] / lines)).min(axis=1) > DISTANCE / 2]
