"""The states of the bench against the file names of the real data, written out by hand."""

from __future__ import annotations

import collections

import pytest

from fdx.datasets.motor_rig.conditions import SOON_CONDITIONS, STATES, Condition, scenario_names, state_conditions
from fdx.types import ConfigError

# (imbalanced, ohm, Nm, m2) of files 01 to 30, read off shared/reference/soon_files.txt.
FILES = """
0 0 0 none|0 0 .5 none|1 0 0 none|1 0 0 none|1 0 .5 none|0 50 0 none|0 100 0 none|0 150 0 none|0 50 .5 none
0 100 .5 none
1 50 0 none|1 100 0 none|1 150 0 none|1 50 .5 none|0 0 0 imbalanced|1 0 0 normal|1 0 0 imbalanced|0 0 .5 imbalanced
1 0 .5 imbalanced|0 50 0 imbalanced|0 50 .5 imbalanced|0 100 0 imbalanced|0 100 .5 imbalanced|0 150 0 imbalanced
1 50 0 imbalanced|1 50 .5 imbalanced|1 100 0 imbalanced|1 100 .5 imbalanced|1 150 0 imbalanced|1 150 0 imbalanced
"""


def test_the_30_scenarios_are_those_of_the_real_files():
    expected = [row.split() for row in FILES.strip().replace('\n', '|').split('|')]
    assert len(expected) == len(SOON_CONDITIONS) == 30
    for number, (words, condition) in enumerate(zip(expected, SOON_CONDITIONS, strict=True), 1):
        found = (condition.imbalanced, condition.resistance_ohm, condition.load_nm, condition.background)
        assert found == (words[0] == '1', int(words[1]), float(words[2]), words[3]), number
        assert condition.rotated == (number == 30)
    assert SOON_CONDITIONS[2] == SOON_CONDITIONS[3]
    assert len(set(SOON_CONDITIONS)) == 29
    assert len({c.name for c in SOON_CONDITIONS}) == 29


def test_fault_type_is_that_of_m1_alone():
    counts = collections.Counter(c.fault_type for c in SOON_CONDITIONS)
    assert counts == {'healthy': 4, 'mechanical': 6, 'electrical': 10, 'combined': 10}
    assert SOON_CONDITIONS[14].fault_type == 'healthy'
    assert SOON_CONDITIONS[14].domain == 'load0_m2imbalanced'
    assert SOON_CONDITIONS[29].domain == 'load0_m2imbalanced_rotated'


def test_scenario_names():
    names = scenario_names()
    assert len(set(names)) == 30
    assert names[0] == '01_healthy'
    assert names[13] == '14_imbalanced_electrical50_load0.5'
    assert names[17] == '18_healthy_load0.5_m2imbalanced'
    assert names[29] == '30_imbalanced_electrical150_m2imbalanced_rotated'


def test_surroundings_do_not_tell_the_state():
    conditions = state_conditions()
    assert len(set(conditions)) == len(conditions) == 20
    surroundings = {state: [c.domain for c in conditions if c.state == state] for state in STATES}
    assert [len(set(s)) for s in surroundings.values()] == [5] * 4
    assert all(s == surroundings['healthy'] for s in surroundings.values())
    for state in ('electrical', 'both'):
        resistances = [c.resistance_ohm for c in conditions if c.state == state]
        assert set(resistances) == {50, 100, 150}
        assert all(c.resistance_ohm < 150 for c in conditions if c.load_nm)


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        ({'resistance_ohm': 75}, 'resistance_ohm is 75'),
        ({'load_nm': 1.0}, 'load_nm is 1.0'),
        ({'background': 'loud'}, "background is 'loud'"),
    ],
)
def test_impossible_states_are_errors(changed, message):
    with pytest.raises(ConfigError, match=message):
        Condition(**changed)
