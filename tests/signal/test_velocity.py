"""Velocity in mm/s from acceleration, and the zones of ISO 20816-3."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.severity import GROUPS, LIMITS_MM_S, MOUNTINGS, severity_of, zone_of
from fdx.signal.velocity import known_unit, velocity_rms
from fdx.types import ConfigError, DataError

RATE_HZ = 12800.0


def tone(hz: float, amplitude: float = 1.0, seconds: float = 4.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ + 0.3)


@pytest.mark.parametrize('hz', [15.3, 50.0, 400.0, 950.0])
def test_a_tone_has_the_velocity_that_physics_gives_it(hz):
    expected = 0.1 * 9806.65 / (2 * np.pi * hz) / np.sqrt(2)
    assert velocity_rms(tone(hz, 0.1), RATE_HZ, 'g') == pytest.approx([expected], rel=5e-3)


@pytest.mark.parametrize(
    ('unit', 'factor'), [('mg', 1e3), ('m/s^2', 9.80665), ('m/s2', 9.80665), ('G', 1.0), ('mm/s2', 9806.65)]
)
def test_units_of_acceleration_agree(unit, factor):
    x = tone(80.0) + tone(300.0)
    assert velocity_rms(factor * x, RATE_HZ, unit) == pytest.approx(velocity_rms(x, RATE_HZ, 'g'), rel=1e-5)


def test_a_velocity_is_not_integrated():
    assert velocity_rms(tone(80.0, 3.0), RATE_HZ, 'mm/s') == pytest.approx([3 / np.sqrt(2)], rel=5e-3)
    assert velocity_rms(tone(80.0, 3.0), RATE_HZ, 'in/s') == pytest.approx([25.4 * 3 / np.sqrt(2)], rel=5e-3)


def test_what_is_outside_the_band_does_not_count():
    x = tone(100.0, 0.05)
    t = np.arange(len(x)) / RATE_HZ
    disturbed = x + tone(3000.0, 2.0) + 0.9 + 0.2 * t + tone(1.1, 0.01)
    assert velocity_rms(disturbed, RATE_HZ, 'g') == pytest.approx(velocity_rms(x, RATE_HZ, 'g'), rel=0.02)


def test_channels_are_independent_and_noise_adds_by_power():
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal((40000, 2))
    both = velocity_rms(noise, RATE_HZ, 'g')
    f = np.arange(10.0, 1000.0, 0.01)
    density = 0.1**2 / (RATE_HZ / 2)
    expected = 9806.65 * np.sqrt(np.sum(density / (2 * np.pi * f) ** 2) * 0.01)
    assert both == pytest.approx([expected, expected], rel=0.2)


def test_what_cannot_be_told_is_refused(says):
    with pytest.raises(ConfigError) as e:
        velocity_rms(tone(50.0), RATE_HZ, 'V')
    assert says(str(e.value), "`unit`='V' ... m/s2")
    with pytest.raises(DataError) as e:
        velocity_rms(tone(50.0), 2000.0, 'g')
    assert says(str(e.value), '2000 Hz ... 2222')
    with pytest.raises(DataError) as e:
        velocity_rms(np.ones(2560), 25600.0, 'g')
    assert says(str(e.value), '0.1 s ... 0.5 s')
    assert known_unit('counts') == known_unit('') == ''


def test_zones_are_those_of_the_tables():
    assert LIMITS_MM_S[2, 'rigid'] == (1.4, 2.8, 4.5) and LIMITS_MM_S[1, 'flexible'] == (3.5, 7.1, 11.0)
    assert set(LIMITS_MM_S) == {(g, m) for g in GROUPS for m in MOUNTINGS}
    zones = [zone_of(v, LIMITS_MM_S[2, 'rigid']) for v in (0.1, 1.4, 1.41, 2.8, 4.4, 4.6)]
    assert zones == ['A', 'A', 'B', 'B', 'C', 'D']


def test_a_machine_is_judged_by_its_size_and_mounting():
    x = tone(25.0, 0.1 / 9806.65 * (2 * np.pi * 25.0) * np.sqrt(2) * 30)
    found = severity_of(x, RATE_HZ, 'g', 2, 'rigid', 1500.0)[0]
    assert (found.zone, found.band_hz) == ('C', (10.0, 1000.0))
    assert found.velocity_mm_s == pytest.approx(3.0, rel=0.01)
    assert severity_of(x, RATE_HZ, 'g', 1, 'flexible')[0].zone == 'A'
    assert 'zone C' in found.words()


def test_a_slow_machine_is_judged_from_2_hz_on():
    x = tone(5.0, 0.01)
    slow, usual = (severity_of(x, RATE_HZ, 'g', 2, 'rigid', rpm)[0] for rpm in (300.0, 1500.0))
    assert slow.band_hz[0] == 2.0
    assert slow.velocity_mm_s == pytest.approx(0.01 * 9806.65 / (2 * np.pi * 5) / np.sqrt(2), rel=0.03)
    assert usual.velocity_mm_s < 0.1 * slow.velocity_mm_s


@pytest.mark.parametrize(
    ('unit', 'group', 'mounting', 'words'),
    [
        ('', 2, 'rigid', '`unit`'),
        ('V', 2, 'rigid', '`unit`'),
        ('g', 3, 'rigid', '`machine_group`'),
        ('g', 2, 'soft', '`mounting`'),
    ],
)
def test_there_is_never_a_zone_without_its_facts(unit, group, mounting, words):
    with pytest.raises(ConfigError, match=words):
        severity_of(tone(25.0), RATE_HZ, unit, group, mounting)
