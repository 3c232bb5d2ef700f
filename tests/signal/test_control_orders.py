"""Control orders and twins: apart from every line of the bearing, computed here from Harris and Kotzalas's formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fdx.signal.control_orders import (
    COUNT,
    DISTANCE,
    REACH,
    bearing_lines,
    control_orders,
    fault_orders_of,
    twin_orders,
)
from fdx.types import BearingGeometry
from tests.signal.evidence_bench import SKF_6205


def geometries(count: int) -> list[BearingGeometry]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        angle = float(rng.choice([0.0, rng.uniform(5, 40)]))
        found.append(BearingGeometry(50.0, 50.0 * float(rng.uniform(0.12, 0.3)), int(rng.integers(6, 20)), angle))
    return found


def lines_of(geometry: BearingGeometry) -> tuple[dict[str, float], np.ndarray]:
    """Orders of the faults by the textbook, and their lines up to the third harmonic with sidebands."""
    ratio = geometry.ball_diameter_mm / geometry.pitch_diameter_mm * math.cos(math.radians(geometry.contact_angle_deg))
    balls, cage = geometry.num_balls, (1 - ratio) / 2
    orders = {
        'inner_race': balls / 2 * (1 + ratio),
        'outer_race': balls / 2 * (1 - ratio),
        # D / d (1 - r^2), twice the spin.
        'ball': geometry.pitch_diameter_mm / geometry.ball_diameter_mm * (1 - ratio**2),
    }
    side = {'inner_race': 1.0, 'outer_race': 0.0, 'ball': cage}
    lines = [k * order + s * side[name] for name, order in orders.items() for k in (0.5, 1, 2, 3) for s in (-1, 0, 1)]
    return orders, np.array([line for line in lines if line > 0])


def away(orders: np.ndarray, lines: np.ndarray) -> float:
    """Smallest relative distance."""
    return float(np.abs(np.log(np.asarray(orders)[:, None] / lines)).min())


def test_orders_of_a_known_bearing():
    # CWRU's own table of the SKF 6205: 5.4152, 3.5848, and 4.7135 for twice the spin.
    np.testing.assert_allclose(fault_orders_of(SKF_6205), (5.4152, 3.5848, 4.7135), atol=1e-4)


@pytest.mark.parametrize('geometry', geometries(30), ids=str)
def test_controls_keep_apart_from_all_lines_of_the_bearing(geometry):
    orders, lines = lines_of(geometry)
    np.testing.assert_allclose(fault_orders_of(geometry), list(orders.values()), rtol=1e-9)
    controls = control_orders(geometry)
    assert controls.shape == (COUNT,) and np.all(np.diff(controls) > 0)
    assert away(controls, lines) > DISTANCE
    assert controls[0] > 0.999 * REACH[0] * min(orders.values())
    assert controls[-1] < 1.001 * REACH[1] * max(orders.values())
    # They reach below the lowest and above the highest fault.
    assert controls[0] < min(orders.values()) and controls[-1] > max(orders.values())


def test_controls_are_the_same_for_every_call():
    again = BearingGeometry(39.04, 7.94, 9)
    first = control_orders(SKF_6205).copy()
    control_orders.cache_clear()
    np.testing.assert_array_equal(control_orders(again), first)
    assert len(control_orders(again, 12)) == 12


@pytest.mark.parametrize('geometry', geometries(8), ids=str)
def test_twins_lie_as_far_from_whole_orders_as_the_fault(geometry):
    _, lines = lines_of(geometry)
    found = 0
    for order in fault_orders_of(geometry):
        twins = twin_orders(geometry, order)
        np.testing.assert_allclose(np.abs(twins - np.round(twins)), abs(order - round(order)), atol=1e-9)
        assert not len(twins) or away(twins, lines) > DISTANCE / 2
        assert not np.isclose(twins, order).any()
        found += len(twins)
    assert found > 0


def test_twins_lie_on_both_sides_of_whole_orders():
    twins = twin_orders(SKF_6205, 3.05)
    assert {round(float(t % 1), 9) for t in twins} == {0.05, 0.95}


def test_lines_hold_harmonics_halves_and_sidebands():
    _, lines = lines_of(SKF_6205)
    own = bearing_lines(SKF_6205)
    np.testing.assert_allclose(np.unique(np.round(own[own > 0], 9)), np.unique(np.round(lines, 9)))
