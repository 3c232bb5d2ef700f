"""A stated speed is corrected where the recording says another one, and kept where it says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.order_spectra import order_spectra
from fdx.signal.speed_check import CheckedSpeed, check_speed, own_harmonics
from tests.signal.evidence_bench import NEAR_WHOLE, RPM, SHAFT_HZ, SKF_6205
from tests.signal.machine_bench import Bench

RATE_HZ = 8192.0


def struck(seed: int, order: float = 0.99 * SKF_6205.bpfo) -> np.ndarray:
    """A shaft of SHAFT_HZ with eight harmonics and an outer race that is struck, with 1 % of slip: float64 [T]."""
    machine = Bench(np.random.default_rng(seed), SHAFT_HZ, RATE_HZ, 5.0)
    machine.orders(range(1, 9), (10, 20))
    machine.impacts(order, 4.0)
    return machine.x


def checked(x: np.ndarray, stated_rpm: float, geometry=SKF_6205) -> CheckedSpeed:
    spectra = order_spectra(x, RATE_HZ, stated_rpm / 60, 40 * stated_rpm / 60)
    return check_speed(x, RATE_HZ, stated_rpm, geometry, spectra)


@pytest.mark.parametrize('off', [-0.04, 0.04, 0.07])
@pytest.mark.parametrize('seed', [0, 1])
def test_a_name_plate_that_is_off_is_corrected(seed, off):
    found = checked(struck(seed), (1 + off) * RPM)
    assert found.corrected and found.speed_rpm == pytest.approx(RPM, rel=0.005)
    assert found.score > found.stated_score + 0.5 and found.stated_rpm == (1 + off) * RPM
    (words,) = found.words()
    assert f'{found.speed_rpm:.1f} rpm' in words and f'{found.stated_rpm:g} rpm' in words


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_a_right_one_is_kept(seed):
    found = checked(struck(seed), RPM)
    assert not found.corrected and found.words() == ()
    assert found.speed_rpm == pytest.approx(RPM, rel=0.004)
    assert found.score == found.stated_score > found.rival_score
    assert abs(found.rival_rpm / found.speed_rpm - 1) > 0.004


@pytest.mark.parametrize(('turns', 'at_most'), [(50, 2), (200, 0)])
def test_white_noise_keeps_the_stated_speed(turns, at_most):
    """Short noise now and then has a speed that stands out: up to one of ten was found."""
    corrected = 0
    for seed in range(20):
        x = np.random.default_rng(seed).standard_normal(turns * 240)
        spectra = order_spectra(x, 6000.0, SHAFT_HZ, 1000.0)
        corrected += check_speed(x, 6000.0, RPM, SKF_6205, spectra).corrected
    assert corrected <= at_most


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_vanes_of_the_stated_speed_do_not_move_it(seed):
    """7 and 14 are the second and fourth harmonic of a BPFO of 3.585 at a speed that is 2.4 % lower."""
    x = np.random.default_rng(seed).standard_normal(int(9 * RATE_HZ))
    t = np.arange(len(x)) / RATE_HZ
    x = x * (1 + 0.4 * np.cos(2 * np.pi * 7 * SHAFT_HZ * t) + 0.2 * np.cos(2 * np.pi * 14 * SHAFT_HZ * t))
    spectra = order_spectra(x, RATE_HZ, SHAFT_HZ, 40 * SHAFT_HZ)
    plain, strict = (
        check_speed(x, RATE_HZ, RPM, SKF_6205, spectra, trusts_whole_orders=trusts) for trusts in (False, True)
    )
    assert plain.rival_score > strict.rival_score and not strict.corrected
    assert strict.stated_score == plain.stated_score


@pytest.mark.parametrize('off', [-0.04, 0.04])
def test_a_fault_still_corrects_a_name_plate_where_whole_orders_are_trusted(off):
    x = struck(0)
    stated = (1 + off) * RPM
    spectra = order_spectra(x, RATE_HZ, stated / 60, 40 * stated / 60)
    found = check_speed(x, RATE_HZ, stated, SKF_6205, spectra, trusts_whole_orders=True)
    assert found.corrected and found.speed_rpm == pytest.approx(RPM, rel=0.005)


def test_harmonics_of_the_shaft_lie_apart_from_the_bearings_lines():
    for geometry in (SKF_6205, NEAR_WHOLE):
        own = own_harmonics(geometry)
        ball, cage = 2 * geometry.bsf, geometry.ftf
        lines = [geometry.bpfi * k + s for k in (1, 2, 3) for s in (-2, -1, 0, 1, 2)]
        lines += [geometry.bpfo * k for k in (1, 2, 3, 4)]
        lines += [ball * k + s * cage for k in (1, 2, 3) for s in (-1, 0, 1)]
        # 1 x and 2 x always take part; of the others, those that are apart, up to twelve, and eight in all.
        apart = [h for h in range(3, 13) if min(abs(line / h - 1) for line in lines) > 0.025]
        assert list(own) == [1, 2, *apart][:8]
    # BPFO 3.05 and BPFI 4.95 would be harmonics of another speed.
    assert not {3, 5} & set(own_harmonics(NEAR_WHOLE))
