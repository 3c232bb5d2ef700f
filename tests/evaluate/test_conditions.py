"""Right diagnoses at each condition, from tables that are written down."""

from __future__ import annotations

import numpy as np

from fdx.data.table import Table
from fdx.evaluate.conditions import by_condition


def counted(domains, speeds, loads, right):
    """`by_condition` of recordings r0, r1, ... of two windows each."""
    names = [f'r{i}' for i in range(len(right))]
    columns = {'recording': names, 'domain': domains, 'speed_rpm': speeds, 'load': loads, 'label': right}
    table = Table({k: np.repeat(np.array(v), 2) for k, v in columns.items()}, 100)
    verdicts = [{'recording': n, 'label': 'a', 'predicted_mean': 'a' if ok else 'b'} for n, ok in zip(names, right)]
    return by_condition(table, verdicts)


def test_right_at_each_value():
    found = counted(['all'] * 4, [600.2, 600.4, 1200.0, 1200.0], [1.0] * 4, [True, False, True, True])
    speeds = [{'value': '600 rpm', 'right': 1, 'of': 2}, {'value': '1,200 rpm', 'right': 2, 'of': 2}]
    assert found == [{'condition': 'speed', 'values': speeds}]


def test_a_condition_that_parts_the_recordings_as_another_is_told_once():
    found = counted(['z', 'z', 'a'], [600.0, 600.0, 900.0], [0.0, 1.5, 1.5], [True, True, False])
    assert [f['condition'] for f in found] == ['domain', 'load']
    assert found[0]['values'] == [{'value': 'a', 'right': 0, 'of': 1}, {'value': 'z', 'right': 2, 'of': 2}]
    assert [v['value'] for v in found[1]['values']] == ['0', '1.5']


def test_domains_stand_in_the_order_of_their_numbers():
    names = ['1200 rpm', '600 rpm', '3000 rpm']
    found = counted(names, [1200.0, 600.0, 3000.0], [0.0] * 3, [True] * 3)
    assert [v['value'] for v in found[0]['values']] == ['600 rpm', '1200 rpm', '3000 rpm']
    assert len(found) == 1


def test_unknown_conditions_are_left_out():
    nan = float('nan')
    assert counted(['d', 'd'], [nan, 600.0], [nan, nan], [True, True]) == []
