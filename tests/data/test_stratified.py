"""Stratified splits of tables: shares of classes, whole groups, folds, the seed, and who may use the protocol."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.blocks import NO_BLOCK, Windowing
from fdx.data.protocols.splits import PROTOCOLS, folds_of, split_rows
from fdx.data.protocols.stratified import deal
from fdx.data.table import Table
from fdx.types import SplitError

SPLITS = ('train', 'validation', 'test')
FOLDS = range(5)


def random_rows(seed):
    """(labels [N], groups [N]): two to four classes of uneven size, groups of one to four rows in any order."""
    rng = np.random.default_rng(seed)
    num_groups = int(rng.integers(40, 200))
    class_of_group = rng.choice(int(rng.integers(2, 5)), num_groups)
    class_of_group[rng.random(num_groups) < 0.5] = 0
    groups = rng.permutation(np.repeat(np.arange(num_groups), rng.integers(1, 5, num_groups)))
    return class_of_group[groups], groups


def readings_table(labels, groups):
    """The table of a dataset of readings; rows of a group follow each other as windows of one sample."""
    starts = [int((groups[:i] == groups[i]).sum()) for i in range(len(groups))]
    n = len(labels)
    # The readings are those of the group, and follow nothing.
    readings = np.random.default_rng(0).standard_normal((int(np.max(groups)) + 1, 2))[groups]
    columns = {'label': labels, 'fault_type': labels, 'window_start': np.array(starts), 'peak': readings}
    columns |= {'recording': np.array([f'reading_{g}' for g in groups]), 'block': np.full(n, NO_BLOCK)}
    return Table({**columns, 'domain': np.full(n, 'table'), 'bearing': np.full(n, '')}, 1)


def groups_of_class(labels, groups, rows, label):
    return len(np.unique(groups[rows][labels[rows] == label]))


@pytest.mark.parametrize('seed', range(20))
def test_every_class_is_dealt_3_1_1_within_one_group(seed):
    labels, groups = random_rows(seed)
    for fold in FOLDS:
        parts = deal(labels, groups, fold=fold, seed=seed)
        for label in np.unique(labels):
            total = groups_of_class(labels, groups, np.arange(len(labels)), label)
            low, high = total // 5, -(-total // 5)
            found = {name: groups_of_class(labels, groups, rows, label) for name, rows in parts.items()}
            assert low <= found['validation'] <= high and low <= found['test'] <= high
            assert sum(found.values()) == total
            # The first of five parts are the larger ones, and fold 0 trains on the first three.
            assert fold or found['train'] == 3 * low + min(total % 5, 3)


@pytest.mark.parametrize('texts', [False, True])
def test_a_group_is_never_torn_and_counts_as_the_class_of_its_first_row(texts):
    labels, groups = random_rows(3)
    # A reading that was logged twice may have failed once: labels of a group disagree.
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(len(labels)) < 0.2, 1 - np.minimum(labels, 1), labels)
    names = np.array([f'g{g:04d}' for g in groups]) if texts else groups
    parts = deal(labels, names, fold=2, seed=1)
    inside = [set(names[rows]) for rows in parts.values()]
    assert sum(map(len, inside)) == len(set.union(*inside)) == len(set(names))
    first = {g: int(np.flatnonzero(names == g)[0]) for g in set(names)}
    for label in np.unique(labels):
        sizes = [sum(labels[first[g]] == label for g in part) for part in inside]
        total = sum(sizes)
        assert total // 5 <= sizes[1] <= -(-total // 5) and total // 5 <= sizes[2] <= -(-total // 5)


def test_folds_test_every_row_once_and_validate_on_the_neighbour():
    labels, groups = random_rows(7)
    folds = [deal(labels, groups, fold=f, seed=4) for f in FOLDS]
    assert np.sort(np.concatenate([parts['test'] for parts in folds])).tolist() == list(range(len(labels)))
    for fold, parts in enumerate(folds):
        assert set(parts) == set(SPLITS)
        assert parts['validation'].tolist() == folds[fold - 1]['test'].tolist()
        assert np.sort(np.concatenate(list(parts.values()))).tolist() == list(range(len(labels)))
        for rows in parts.values():
            assert rows.dtype == np.int64
            assert (np.diff(rows) > 0).all()


def test_the_seed_decides_which_rows_lie_together():
    labels, groups = random_rows(1)
    first, again, other = (deal(labels, groups, seed=s)['test'] for s in (5, 5, 6))
    assert first.tolist() == again.tolist()
    shared = len(np.intersect1d(first, other)) / len(first)
    assert shared < 0.5
    assert deal(labels, groups)['test'].tolist() == deal(labels, groups, fold=0, seed=0)['test'].tolist()


def test_the_order_of_a_class_is_shuffled():
    """Rows of a log lie in time: dealing them in turn without a shuffle would put every fifth into one part."""
    test = deal(np.zeros(500, int), np.arange(500), seed=0)['test']
    assert len(test) == 100
    assert len(set(np.diff(test).tolist())) > 5


@pytest.mark.parametrize('seed', [0, 3])
def test_the_protocol_is_the_deal_guarded(seed):
    labels, groups = random_rows(11)
    table = readings_table(labels, groups)
    assert folds_of('stratified', table) == list(FOLDS)
    for fold in FOLDS:
        splits = split_rows(table, 'stratified', fold=fold, seed=seed)
        expected = deal(labels, table['recording'], fold=fold, seed=seed)
        # Rows of one sample do not overlap: none is thinned away.
        assert {n: getattr(splits, n).tolist() for n in SPLITS} == {n: r.tolist() for n, r in expected.items()}
        assert (splits.protocol, splits.fold, splits.leaks) == ('stratified', fold, False)
        assert (splits.leak.shared, splits.leak.same_recording, splits.leak.example) == (0.0, 0.0, '')


def test_readings_that_are_left_out_are_in_no_split():
    labels, groups = random_rows(2)
    table = readings_table(labels, groups)
    out = tuple(sorted(set(table['recording']))[:7])
    splits = split_rows(table, 'stratified', exclude_recordings=out)
    rows = np.concatenate([getattr(splits, n) for n in SPLITS])
    assert not set(table['recording'][rows]) & set(out)
    assert len(rows) == (~np.isin(table['recording'], out)).sum()


def test_windows_of_recordings_are_refused(table_of):
    table = table_of([{'samples': 120, 'recording': f'r{i}', 'label': i % 2} for i in range(6)], Windowing(10, 10, 3))
    with pytest.raises(SplitError, match='stratified .* tables .*use time_blocks'):
        split_rows(table, 'stratified')


def test_time_blocks_of_a_table_are_refused_by_the_name_of_what_fits():
    table = readings_table(*random_rows(2))
    with pytest.raises(SplitError, match='table .* time blocks: .*row_blocks .*by_group .*stratified'):
        split_rows(table, 'time_blocks')
    # Recordings that are too short are still named one by one.
    short = Table({**table.columns, 'recording': np.full(len(table), 'r7')}, 10)
    with pytest.raises(SplitError, match='too short for time_blocks: r7'):
        split_rows(short, 'time_blocks')


def test_a_class_of_one_group_cannot_be_tested():
    labels = np.r_[np.zeros(50, int), 1]
    table = readings_table(labels, np.arange(51))
    with pytest.raises(SplitError, match='stratified, fold 1: class number 1 of label .*not trained.*use time_blocks'):
        split_rows(table, 'stratified', fold=1)


def test_folds_are_five():
    table = readings_table(*random_rows(0))
    with pytest.raises(SplitError, match='fold 5: .*stratified .*0 to 4'):
        split_rows(table, 'stratified', fold=5)
    assert PROTOCOLS['stratified'].leaks is False
