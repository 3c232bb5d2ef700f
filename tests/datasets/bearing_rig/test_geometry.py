"""Fault orders against published ones, and geometries that cannot exist."""

from __future__ import annotations

import pytest

from datasets.bearing_rig.geometry import BearingGeometry
from datasets.bearing_rig.machines import MACHINES
from fdx.types import ConfigError

SKF_6205 = BearingGeometry(pitch_diameter_mm=39.04, ball_diameter_mm=7.94, num_balls=9)


def test_orders_of_the_6205_are_the_published_ones():
    assert SKF_6205.bpfo == pytest.approx(3.585, abs=5e-4)
    assert SKF_6205.bpfi == pytest.approx(5.415, abs=5e-4)
    assert SKF_6205.ftf == pytest.approx(0.3983, abs=5e-5)
    assert SKF_6205.bsf == pytest.approx(2.357, abs=5e-4)


def test_contact_angle_moves_the_orders_together():
    tilted = BearingGeometry(39.04, 7.94, 9, contact_angle_deg=60)
    # cos(60 deg) = 1/2, so the bearing rolls as one with balls of half the diameter would, but for its spin.
    small = BearingGeometry(39.04, 3.97, 9)
    assert tilted.bpfo == pytest.approx(small.bpfo)
    assert tilted.bpfi == pytest.approx(small.bpfi)
    assert tilted.bsf == pytest.approx(small.bsf / 2)


@pytest.mark.parametrize('name', MACHINES)
def test_every_ball_passes_one_race_or_the_other(name):
    geometry = MACHINES[name].geometry
    assert geometry.bpfo + geometry.bpfi == pytest.approx(geometry.num_balls)
    assert geometry.bpfo < geometry.bpfi
    # The rolling elements of one row must fit on the pitch circle.
    assert geometry.num_balls * geometry.ball_diameter_mm < 3.1416 * geometry.pitch_diameter_mm


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((0.0, 7.94, 9), 'pitch_diameter_mm is 0.0'),
        ((39.04, -1.0, 9), 'ball_diameter_mm is -1.0'),
        ((39.04, 7.94, 0), 'num_balls is 0'),
        ((39.04, 7.94, 8.5), 'num_balls is 8.5'),
        ((float('nan'), 7.94, 9), 'pitch_diameter_mm is nan'),
        ((39.04, 39.04, 9), 'ball_diameter_mm 39.04 must be below pitch_diameter_mm 39.04'),
        ((39.04, 7.94, 9, 90.0), 'contact_angle_deg is 90.0'),
        ((39.04, 7.94, 9, -5.0), 'contact_angle_deg is -5.0'),
    ],
)
def test_impossible_geometry_is_an_error_with_the_value(arguments, message):
    with pytest.raises(ConfigError, match=message):
        BearingGeometry(*arguments)
