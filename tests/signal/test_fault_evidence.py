"""The evidence of a recording: lines of a fault count, single lines and known ones do not, and noise is no fault."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from fdx.signal.fault_evidence import HARMONICS, MAINS_HZ, POSITIONS, STEPS, TARGETS, fault_evidence
from tests.signal.evidence_bench import NEAR_WHOLE, RPM, SHAFT_HZ, SKF_6205, pink, swelling

RATE_HZ = 8000.0
OUTER = [k * SKF_6205.bpfo for k in (1, 2, 3, 4)]
INNER = [k * SKF_6205.bpfi for k in (1, 2, 3, 4)]


def evidence(x, geometry=SKF_6205, *more, rate_hz=RATE_HZ):
    return fault_evidence(x, rate_hz, RPM, geometry, *more, fixed_speed=True)


@pytest.mark.parametrize(('orders', 'place'), [(INNER, 0), (OUTER, 1)])
def test_harmonics_of_a_fault_stand_out_as_that_fault(orders, place):
    found = evidence(swelling(orders, 0.25))
    z = found.z_scores()
    assert z.argmax() == place and z[place] > 8
    assert found.z_scores(apart=True)[place] > 4
    assert abs(found.targets[place].deviation) < 0.002
    assert found.targets[place].profile.shape == (STEPS,)
    assert found.targets[place].cells.shape == (24, HARMONICS, len(POSITIONS))
    assert len(found.targets) == len(TARGETS) and found.turns == pytest.approx(100)


@pytest.mark.parametrize('slip', [-0.02, 0.01])
def test_slip_is_found(slip):
    found = evidence(swelling([(1 + slip) * order for order in OUTER], 0.25)).targets[1]
    assert found.deviation == pytest.approx(slip, abs=0.002) and found.level == found.profile.max()


def test_one_strong_line_is_no_fault():
    for order in (OUTER[0], OUTER[1]):
        assert evidence(swelling([order], 0.6)).z_scores()[1] < 4


def test_z_scores_are_robust_deviations_of_the_controls():
    found = evidence(swelling(OUTER, 0.1))
    heights = [c.profile.max() for c in found.controls]
    spread = scipy.stats.median_abs_deviation(heights, scale='normal')
    expected = [(t.profile.max() - np.median(heights)) / max(spread, 0.02) for t in found.targets[:3]]
    np.testing.assert_allclose(found.z_scores(), expected, rtol=1e-3)


def test_neither_level_nor_offset_matter():
    x = swelling(OUTER, 0.1, 2.0)
    expected = evidence(x).z_scores()
    for changed in (1e-3 * x, 700.0 * x, x + 20.0):
        np.testing.assert_allclose(evidence(changed).z_scores(), expected, atol=0.05)


def test_another_sampling_rate_shows_the_same_fault():
    deviations = []
    for rate_hz in (6400.0, 8000.0, 12800.0):
        found = evidence(swelling(OUTER, 0.25, rate_hz=rate_hz), rate_hz=rate_hz)
        assert found.z_scores().argmax() == 1 and found.z_scores()[1] > 8
        deviations.append(found.targets[1].deviation)
    assert np.ptp(deviations) <= 0.0022


def test_lines_of_known_orders_are_gone():
    x = swelling([7.0, 14.0], 0.4)
    seven = np.array([7.0, 14.0, 21.0]) * SHAFT_HZ
    plain, known = evidence(x), evidence(x, SKF_6205, (7.0,))
    assert np.nanmean(plain.spectra.nearest(seven[:2]), axis=0).min() > 1
    assert np.isnan(known.spectra.nearest(seven)).all()
    # Nothing else is: neither below half the order nor between its harmonics.
    for orders in ([0.4, 1.0, 2.0, 3.4], [3.585, 5.415, 10.5]):
        hz = np.array(orders) * SHAFT_HZ
        np.testing.assert_array_equal(known.spectra.nearest(hz), plain.spectra.nearest(hz))


def test_lines_of_the_shaft_beside_a_fault_count_apart():
    """3 x, 6 x, 9 x and 12 x lie within the slip of BPFO 3.05 and its harmonics."""
    found = evidence(swelling([3.0, 6.0, 9.0, 12.0], 0.25), NEAR_WHOLE)
    assert found.z_scores()[1] > 8 and found.z_scores(apart=True)[1] < 4
    assert found.explained[
        np.rint(np.array([SHAFT_HZ, 3 * SHAFT_HZ, *MAINS_HZ]) / found.spectra.df_hz).astype(int)
    ].all()
    assert not found.explained[round(3.05 * SHAFT_HZ / found.spectra.df_hz)]
    # Their twins beside other whole orders see the leakage as well as they do.
    assert [len(t) > 0 for t in found.twins] == [True] * 3


def test_noise_is_hardly_ever_a_fault():
    alarms = 0
    for seed in range(20):
        white = np.random.default_rng(seed).standard_normal(16000)
        for x in (white, pink(16000, 100 + seed)):
            found = fault_evidence(x, RATE_HZ, RPM, SKF_6205)
            alarms += bool(max(found.z_scores().max(), found.z_scores(apart=True).max()) >= 4)
    assert alarms <= 1


def test_a_fixed_speed_is_used_as_it_is():
    x = np.random.default_rng(0).standard_normal(16000)
    assert fault_evidence(x, RATE_HZ, 1511.0, SKF_6205, fixed_speed=True).speed.speed_rpm == 1511.0
