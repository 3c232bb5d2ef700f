"""What is drawn: reproducible, within the stated ranges, and the same machine whatever its state."""

from __future__ import annotations

import collections
import dataclasses
import json
import math

import numpy as np
import pytest

from fdx.simulate import CONFOUNDERS, NOISE_ONLY, STATES, draw_machine
from fdx.simulate.draw import VISIBLE_DB
from fdx.types import ConfigError

MACHINES = 700


@pytest.fixture(scope='module')
def machines():
    return [draw_machine(3, index) for index in range(MACHINES)]


def test_seed_and_index_decide_everything(machines):
    again = [draw_machine(3, index) for index in (17, 4, 17)]
    assert again == [machines[17], machines[4], machines[17]]
    assert draw_machine(4, 17) != machines[17]


def test_the_same_machine_in_every_state_and_with_any_confounder():
    bare = [draw_machine(1, 5, state, ()) for state in STATES]
    common = ('geometry', 'motion', 'structure', 'sensor', 'floor', 'sample_rate_hz', 'duration_s', 'name_plate_rpm')
    for machine in (*bare[1:], draw_machine(1, 5, 'normal', ('belt', 'rub'))):
        assert all(getattr(machine, name) == getattr(bare[0], name) for name in common)
    alone, both = draw_machine(1, 5, 'ball', ('belt',)), draw_machine(1, 5, 'ball', ('rub', 'belt'))
    assert both.confounders == ('rub', 'belt')
    assert alone.parts[0] == both.parts[1] and alone.faults == both.faults


def test_states_come_as_often_as_stated(machines):
    share = collections.Counter(m.state for m in machines)
    expected = {'normal': 0.40, 'inner_race': 0.17, 'outer_race': 0.17, 'ball': 0.17, 'combined': 0.09}
    for state, p in expected.items():
        assert abs(share[state] / MACHINES - p) < 4 * math.sqrt(p * (1 - p) / MACHINES)


def test_defects_belong_to_the_state(machines):
    for m in machines:
        names = [part.name for part in m.faults]
        if m.state == 'normal':
            assert names == [] and m.snr_db is None
        elif m.state == 'combined':
            assert len(set(names)) == 2 and set(names) < {'inner_race', 'outer_race', 'ball'}
        else:
            assert names == [m.state]
        assert m.snr_db is None or -15 <= m.snr_db <= 25


def test_bearings_can_be_built(machines):
    for m in machines:
        g = m.geometry
        assert 6 <= g.num_balls <= 22
        assert 0.12 <= g.ball_diameter_mm / g.pitch_diameter_mm <= 0.32
        # Centres of neighbours lie this far apart.
        assert g.ball_diameter_mm <= 0.98 * g.pitch_diameter_mm * math.sin(math.pi / g.num_balls) * (1 + 1e-9)
        assert 0 <= g.contact_angle_deg <= 40 and 0 <= m.contact_angle_deg <= 45
        assert 0 < m.cage_slip <= 0.02 and 0 < m.spin_slip <= 0.02
    assert abs(np.mean([m.geometry.contact_angle_deg == 0 for m in machines]) - 0.7) < 0.07


def test_speeds_rates_and_durations(machines):
    off = np.array([abs(m.name_plate_rpm / m.speed_rpm - 1) for m in machines])
    assert off.max() <= 0.08 and 0.54 < np.mean(off <= 0.003) < 0.7 and np.mean(off > 0.04) > 0.1
    for m in machines:
        assert 300 <= m.speed_rpm <= 6000
        assert m.duration_s * m.speed_rpm / 60 >= 25 - 1e-2 and 1.5 - 1e-3 <= m.duration_s <= 12 + 1e-3
        assert 7000 <= m.sample_rate_hz <= 60000
        assert 0 <= sum(m.motion.amplitudes) <= 0.01 and abs(m.motion.ramp) <= 0.03
    speeds = np.log([m.speed_rpm for m in machines])
    assert np.ptp(speeds) > 0.95 * math.log(20)
    assert {8000.0, 10000.0, 12000.0, 16000.0, 20000.0, 25600.0, 48000.0, 51200.0} < {
        m.sample_rate_hz for m in machines
    }


def test_structure_sensor_and_floor(machines):
    for m in machines:
        assert 2 <= len(m.structure.modes) <= 8
        assert all(300 <= mode.frequency_hz <= 30000 for mode in m.structure.modes)
        assert all(0.005 <= mode.damping_ratio <= 0.08 for mode in m.structure.modes)
        assert 1e-4 <= m.sensor.unit_scale <= 1e3 and 8 <= m.sensor.bits <= 24
        assert all(max(mod.depths) <= 0.02 for mod in m.floor.modulations if mod.order)
    assert abs(np.mean([m.sensor.anti_alias == 0 for m in machines]) - 0.2) < 0.06
    assert 0.01 < np.mean([m.sensor.headroom < 1 for m in machines]) < 0.08
    above = [any(mode.frequency_hz > m.sample_rate_hz / 2 for mode in m.structure.modes) for m in machines]
    assert np.mean(above) > 0.3


def test_confounders_tell_nothing_about_the_state(machines):
    mean = {}
    for damaged in (False, True):
        some = [m for m in machines if (m.state != 'normal') == damaged and m.confounders != (NOISE_ONLY,)]
        mean[damaged] = np.mean([len(m.confounders) for m in some])
        assert {name for m in some for name in m.confounders} == set(CONFOUNDERS)
    assert abs(mean[True] - mean[False]) < 0.3
    # Four of any kind, and faint marks besides.
    assert max(len(m.confounders) for m in machines) == 5
    assert max(len(set(m.confounders) - {'faint_marks'}) for m in machines) == 4
    assert {m.state for m in machines if NOISE_ONLY in m.confounders} == {'normal'}


def test_faint_marks_are_as_frequent_on_sound_and_damaged_bearings_and_weaker_than_damage(machines):
    for damaged in (False, True):
        some = [m for m in machines if (m.state != 'normal') == damaged and m.confounders != (NOISE_ONLY,)]
        # FAINT_SHARE, and those that the other draw names.
        assert abs(np.mean(['faint_marks' in m.confounders for m in some]) - 0.40) < 0.08
    marks = [part for m in machines for part in m.parts if part.name == 'faint_marks']
    levels = [one.snr_db for part in marks for one in (*part.trains, *part.noises)]
    assert min(levels) >= -20 and max(levels) <= VISIBLE_DB == -3


def test_a_machine_is_json(machines):
    for m in machines[:50]:
        told = m.to_dict()
        assert json.loads(json.dumps(told)) == told
        assert set(told) == {field.name for field in dataclasses.fields(m)}
        assert told['geometry']['num_balls'] == m.geometry.num_balls
        assert [part['name'] for part in told['parts']] == list(m.confounders)


def test_another_damaged_bearing_lies_apart():
    for index in range(60):
        m = draw_machine(2, index, 'normal', ('other_bearing',))
        own = m.true_orders()
        for one in (*m.parts[0].trains, *m.parts[0].noises):
            for name in ('inner_race', 'outer_race', 'ball'):
                for h in (1, 2, 3):
                    for k in (1, 2, 3):
                        assert abs(k * one.order / (h * own[name]) - 1) > 0.03


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ((1, 1, 'broken'), 'inner_race'),
        ((1, 1, 'ball', ('wind',)), 'wind'),
        ((1, 1, 'ball', (NOISE_ONLY,)), NOISE_ONLY),
        ((1, 1, 'normal', (NOISE_ONLY, 'rub')), NOISE_ONLY),
        ((-1, 1), 'seed'),
        ((1, 1.5), 'index'),
        ((1, True), 'index'),
    ],
)
def test_refuses(arguments, words):
    with pytest.raises(ConfigError, match=words):
        draw_machine(*arguments)
