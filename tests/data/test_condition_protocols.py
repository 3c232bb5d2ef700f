"""Protocols that leave out whole speeds or whole loads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.table import Table
from fdx.types import SplitError

# Seven speeds, of which two are one condition that was measured twice, and three loads.
SPEEDS, LOADS = (100.0, 200.0, 300.0, 400.0, 401.0, 500.0, 600.0), (0.0, 5.0, 10.0)


def make_table(speeds=SPEEDS, loads=LOADS, dtype=np.float32) -> Table:
    """One window per class, speed and load."""
    rows = list(itertools.product(range(2), speeds, loads))
    label, speed, load = (np.array(column) for column in zip(*rows))
    names = np.array([f'r{c}-{s:g}-{p:g}' for c, s, p in rows])
    columns = {'label': label, 'fault_type': label, 'recording': names, 'window_start': np.zeros(len(rows), np.int64)}
    columns |= {'speed_rpm': speed.astype(dtype), 'load': load.astype(dtype), 'bearing': names, 'domain': names}
    return Table({**columns, 'block': np.zeros(len(rows), np.int32)}, 10)


def values(table: Table, protocol: str, column: str) -> list[dict[str, list[float]]]:
    """The values of a column in each split of every fold."""
    found = []
    for fold in folds_of(protocol, table):
        splits = split_rows(table, protocol, fold=fold)
        parts = {name: getattr(splits, name) for name in ('train', 'validation', 'test')}
        found.append({name: np.unique(table[column][rows]).tolist() for name, rows in parts.items()})
    return found


def test_speeds_are_left_out_in_ranges():
    found = values(make_table(), 'by_speed', 'speed_rpm')
    assert [fold['test'] for fold in found] == [[100, 200], [300], [400, 401], [500], [600]]
    assert [fold['validation'] for fold in found] == [[300], [400, 401], [500], [600], [100, 200]]
    assert all(sorted(sum(fold.values(), [])) == list(SPEEDS) for fold in found)


def test_all_loads_of_a_speed_go_together_and_the_other_way_round():
    table = make_table()
    assert [fold['test'] for fold in values(table, 'by_load', 'load')] == [[0], [5], [10]]
    for protocol, other, every in (('by_speed', 'load', LOADS), ('by_load', 'speed_rpm', SPEEDS)):
        for fold in values(table, protocol, other):
            assert fold == dict.fromkeys(('train', 'validation', 'test'), list(every))


def test_the_number_of_a_fold_does_not_depend_on_the_seed():
    table = make_table()
    one, other = (split_rows(table, 'by_speed', fold=2, seed=seed).test.tolist() for seed in (0, 7))
    assert one == other and not split_rows(table, 'by_load').leaks


def test_unknown_speeds_and_too_few_loads_are_refused_by_name():
    table = make_table()
    unknown = np.where(table['recording'] == 'r1-300-5', np.nan, table['speed_rpm']).astype(np.float32)
    with pytest.raises(SplitError, match=r'the speed of r1-300-5 is unknown; state `speed_rpm`'):
        split_rows(Table({**table.columns, 'speed_rpm': unknown}, 10), 'by_speed')
    with pytest.raises(SplitError, match=r'by_load needs 3 loads, the dataset has 0, 5: use by_domain'):
        split_rows(make_table(loads=(0.0, 5.0)), 'by_load')
    with pytest.raises(SplitError, match=r'by_speed needs 3 speeds, the dataset has 1796 rpm'):
        split_rows(make_table(speeds=(1796.0, 1797.0)), 'by_speed')
    with pytest.raises(SplitError, match='fold 3: protocol by_load has folds 0 to 2'):
        split_rows(table, 'by_load', fold=3)
