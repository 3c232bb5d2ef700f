"""Fault orders against published ones, bearings by name, pairs and file, and geometries that cannot exist."""

from __future__ import annotations

import json
import math

import pytest
import scipy.io

from fdx.signal.bearings import BEARINGS, parse_bearing
from fdx.types import BearingGeometry, ConfigError, FdxError

# BPFI, BPFO, BSF, FTF in shaft orders: CWRU's table of fault frequencies (also Smith and Randall, MSSP 64-65:100-131,
# 2015, table 2) and MFPT's. The others follow from dimensions that are approximations: here by hand, from r = d / D
# cos(a) = 37 / 283 cos(10 deg) = 0.128756, 12.7 / 70 cos(40 deg) = 0.138982, 7.94 / 33.48 = 0.237157 (er_12k) and
# 3.5 / 25.6 = 0.136719 (pronostia).
PUBLISHED = {
    'skf_6205': (5.415, 3.585, 2.357, 0.3983),
    'skf_6203': (4.947, 3.053, 1.994, 0.3816),
    'nice_mfpt': (4.755, 3.245, 2.5547, 0.4056),
    'er_12k': (4.9486, 3.0514, 1.9897, 0.3814),
    'pronostia': (7.3887, 5.6113, 3.5888, 0.4316),
    'skf_22240': (10.7232, 8.2768, 3.7609, 0.4356),
    'skf_7210b': (7.9729, 6.0271, 2.7027, 0.4305),
}
PAIRS = 'pitch_diameter_mm=39.04,ball_diameter_mm=7.94,num_balls=9'


def test_every_entry_has_the_published_orders():
    assert set(PUBLISHED) == set(BEARINGS)
    for name, orders in PUBLISHED.items():
        g = BEARINGS[name]
        assert (g.bpfi, g.bpfo, g.bsf) == pytest.approx(orders[:3], abs=5e-4), name
        assert g.ftf == pytest.approx(orders[3], abs=5e-5), name


@pytest.mark.parametrize('file', ['InnerRaceFault_vload_1.mat', 'OuterRaceFault_vload_7.mat'])
def test_mfpts_files_hold_the_frequencies_of_its_entry(raw_data, file):
    path = raw_data / 'mfpt' / file
    if not path.is_file():
        pytest.skip(f'{path} is absent')
    held = {k: float(v.item()) for k, v in scipy.io.loadmat(path).items() if k in ('BPFI', 'BPFO', 'BSF', 'FTF')}
    g, shaft_hz = BEARINGS['nice_mfpt'], 25.0
    assert g.bpfi * shaft_hz == pytest.approx(held['BPFI'], rel=1e-4)
    assert g.bpfo * shaft_hz == pytest.approx(held['BPFO'], rel=1e-4)
    assert g.bsf * shaft_hz == pytest.approx(held['BSF'], rel=1e-3)
    # Its FTF is that of the cage seen from the inner ring, 0.59 orders; seen from the standing ring it is 0.41.
    assert (1 - g.ftf) * shaft_hz == pytest.approx(held['FTF'], rel=2e-3)


def test_contact_angle_moves_the_orders_together():
    tilted = BearingGeometry(39.04, 7.94, 9, contact_angle_deg=60)
    # cos(60 deg) = 1/2, so the bearing rolls as one with balls of half the diameter would, but for its spin.
    small = BearingGeometry(39.04, 3.97, 9)
    assert tilted.bpfo == pytest.approx(small.bpfo)
    assert tilted.bpfi == pytest.approx(small.bpfi)
    assert tilted.bsf == pytest.approx(small.bsf / 2)


@pytest.mark.parametrize('name', BEARINGS)
def test_every_ball_passes_one_race_or_the_other(name):
    geometry = BEARINGS[name]
    assert geometry.bpfo + geometry.bpfi == pytest.approx(geometry.num_balls)
    assert geometry.bpfo < geometry.bpfi
    # The rolling elements of one row must fit on the pitch circle.
    assert geometry.num_balls * geometry.ball_diameter_mm < math.pi * geometry.pitch_diameter_mm
    assert geometry.numbers() == (
        *(geometry.pitch_diameter_mm, geometry.ball_diameter_mm, geometry.num_balls),
        geometry.contact_angle_deg,
    )


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((0.0, 7.94, 9), 'pitch_diameter_mm is 0.0'),
        ((39.04, -1.0, 9), 'ball_diameter_mm is -1.0'),
        ((39.04, 7.94, 0), 'num_balls is 0'),
        ((39.04, 7.94, 8.5), 'num_balls is 8.5'),
        ((float('nan'), 7.94, 9), 'pitch_diameter_mm is nan'),
        ((39.04, 39.04, 9), 'ball_diameter_mm 39.04 .*below pitch_diameter_mm 39.04'),
        ((39.04, 7.94, 9, 90.0), 'contact_angle_deg is 90.0'),
        ((39.04, 7.94, 9, -5.0), 'contact_angle_deg is -5.0'),
    ],
)
def test_impossible_geometry_is_an_error_with_the_value(arguments, message):
    with pytest.raises(ConfigError, match=message):
        BearingGeometry(*arguments)


def test_a_bearing_is_parsed_from_its_name_its_numbers_or_a_file(tmp_path):
    for name, geometry in BEARINGS.items():
        assert parse_bearing(name) is geometry
    assert parse_bearing(PAIRS) == BearingGeometry(39.04, 7.94, 9, 0.0)
    tilted = BearingGeometry(39.04, 7.94, 9, 15.0)
    # Any order, spaces allowed.
    assert parse_bearing('contact_angle_deg = 15, num_balls=9, ball_diameter_mm=7.94,pitch_diameter_mm=39.04') == tilted
    fields = {'pitch_diameter_mm': 39.04, 'ball_diameter_mm': 7.94, 'num_balls': 9}
    path = tmp_path / 'plant.json'
    path.write_text(json.dumps({'pump_3': {**fields, 'contact_angle_deg': 15}, 'fan': fields}), encoding='utf-8')
    assert parse_bearing(f'{path}:pump_3') == tilted
    assert parse_bearing(f'{path}:fan') == BearingGeometry(39.04, 7.94, 9)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('skf_9999', "'skf_9999' .*skf_6205, skf_6203.*pitch_diameter_mm=NUMBER"),
        ('', "bearing '' is unknown"),
        ('plant.json', "'plant.json' is unknown.*FILE.json:ENTRY"),
        ('pitch_diameter_mm=39.04', 'missing: ball_diameter_mm, num_balls; .*pitch_diameter_mm'),
        (f'{PAIRS},balls=9', 'unknown: balls; .*pitch_diameter_mm'),
        (f'{PAIRS},contact_angle_deg=steep', "'contact_angle_deg=steep' .*NAME=NUMBER"),
        (f'{PAIRS},', "'' is not NAME=NUMBER"),
        ('pitch_diameter_mm=39.04,ball_diameter_mm=40,num_balls=9', 'ball_diameter_mm 40.0 must be below'),
        (f'{PAIRS},contact_angle_deg=nan', 'contact_angle_deg is nan'),
    ],
)
def test_a_text_that_names_no_bearing_is_an_error_that_helps(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_bearing(text)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (None, 'plant.json cannot be read: .*No such file'),
        ('{', 'plant.json cannot be read'),
        (b'\xff\xfe{', 'plant.json cannot be read'),
        ('[1, 2]', "plant.json .*'pump' .*holds list"),
        ('{"fan": {}, "mill": {}}', "plant.json .*'pump' .*holds fan, mill"),
        ('{"pump": 3}', "has no entry 'pump' of the form"),
        ('{"pump": {"num_balls": 9}}', 'pump.*: missing: pitch_diameter_mm, ball_diameter_mm'),
        ('{"pump": {"pitch_diameter_mm": 39, "ball_diameter_mm": "8", "num_balls": 9}}', "ball_diameter_mm is '8'"),
        ('{"pump": {"pitch_diameter_mm": 39, "ball_diameter_mm": 8, "num_balls": true}}', 'num_balls is True'),
        ('{"pump": {"pitch_diameter_mm": 39, "ball_diameter_mm": 8, "num_balls": 9.5}}', 'num_balls is 9.5'),
    ],
)
def test_a_file_without_such_a_bearing_is_an_error_that_names_it(tmp_path, content, words):
    path = tmp_path / 'plant.json'
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FdxError, match=words) as caught:
        parse_bearing(f'{path}:pump')
    assert isinstance(caught.value, ConfigError)
