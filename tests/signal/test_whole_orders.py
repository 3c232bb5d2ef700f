"""Evidence without what lies at whole orders: what is left out, and what stays."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.fault_evidence import fault_evidence
from fdx.signal.whole_orders import without_whole_orders
from tests.signal.evidence_bench import NEAR_WHOLE, RPM, SHAFT_HZ
from tests.signal.machine_bench import Bench

RATE_HZ = 8192.0


def swelling(order: float) -> np.ndarray:
    """Noise that swells at an order and its harmonics: float64 [T]."""
    x = np.random.default_rng(0).standard_normal(int(9 * RATE_HZ))
    t = np.arange(len(x)) / RATE_HZ
    return x * (1 + sum(a * np.cos(2 * np.pi * k * order * SHAFT_HZ * t) for k, a in ((1, 0.4), (2, 0.2), (3, 0.1))))


@pytest.mark.parametrize(('order', 'index'), [(5.0, 0), (3.0, 1)])
def test_lines_at_whole_orders_do_not_count(order, index):
    evidence = fault_evidence(swelling(order), RATE_HZ, RPM, NEAR_WHOLE, fixed_speed=True)
    rest = without_whole_orders(evidence)
    assert evidence.z_scores()[index] > 8 and rest.z_scores()[index] < 4
    gone = np.isnan(rest.spectra.excess) & ~np.isnan(evidence.spectra.excess)
    orders = np.flatnonzero(gone.any(axis=0)) * evidence.spectra.df_hz / SHAFT_HZ
    assert gone.any() and np.abs(orders - np.rint(orders)).max() < 0.15 and orders.min() > 0.5
    assert rest.speed == evidence.speed and rest.turns == evidence.turns


@pytest.mark.parametrize('index', [0, 1])
def test_a_fault_beside_a_whole_order_stays(index):
    machine = Bench(np.random.default_rng(1), SHAFT_HZ, RATE_HZ, 9.0)
    machine.impacts((NEAR_WHOLE.bpfi, NEAR_WHOLE.bpfo)[index], 4.0)
    rest = without_whole_orders(fault_evidence(machine.x, RATE_HZ, RPM, NEAR_WHOLE))
    assert rest.z_scores()[index] > 6
