"""Evidence without what lies at whole orders and at the mains: what is left out, and what stays."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.fault_evidence import fault_evidence
from fdx.signal.other_lines import lines_seen, without_other_lines
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
    rest = without_other_lines(evidence)
    assert evidence.z_scores()[index] > 8 and rest.z_scores()[index] < 4
    gone = np.isnan(rest.spectra.excess) & ~np.isnan(evidence.spectra.excess)
    hz = np.flatnonzero(gone.any(axis=0)) * evidence.spectra.df_hz
    away = [np.abs(hz - f * np.rint(hz / f)) for f in (SHAFT_HZ, 50.0, 60.0)]
    assert len(hz) and np.min(away, axis=0).max() < 0.15 * SHAFT_HZ and hz.min() > SHAFT_HZ / 2
    assert rest.speed == evidence.speed and rest.turns == evidence.turns


def test_the_shorter_a_recording_the_fewer_lines_are_seen():
    """BPFI 4.95 is 0.05 orders beside a whole one: that takes forty turns to resolve."""
    seen = []
    for turns in (15, 40, 200):
        x = np.random.default_rng(0).standard_normal(round(turns / SHAFT_HZ * RATE_HZ))
        evidence = fault_evidence(x, RATE_HZ, RPM, NEAR_WHOLE, fixed_speed=True)
        seen.append(lines_seen(evidence, without_other_lines(evidence), 'inner_race'))
    assert seen == sorted(seen) and seen[0] <= 3 and seen[-1] >= 5


@pytest.mark.parametrize('index', [0, 1])
def test_a_fault_beside_a_whole_order_stays(index):
    machine = Bench(np.random.default_rng(1), SHAFT_HZ, RATE_HZ, 9.0)
    machine.impacts((NEAR_WHOLE.bpfi, NEAR_WHOLE.bpfo)[index], 4.0)
    rest = without_other_lines(fault_evidence(machine.x, RATE_HZ, RPM, NEAR_WHOLE))
    assert rest.z_scores()[index] > 6
