"""Tables that are logs, or come in groups: nothing can be learned of coins, independent rows stay, leaks are marked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fdx.data.protocols.row_evidence import row_units
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.datasets.motor_maintenance.generator import generate
from fdx.types import SplitError
from tests.data.logs import coin_log, readings_table, taking_turns

SPLITS = ('train', 'validation', 'test')


def pooled_accuracy(table, protocol, seed=0):
    """Accuracy of the nearest neighbours over all folds: they know by heart what can be known so."""
    right = []
    for fold in folds_of(protocol, table):
        splits = split_rows(table, protocol, fold=fold, seed=seed)
        model = make_pipeline(StandardScaler(), KNeighborsClassifier(5))
        model.fit(table['peak'][splits.train], table['label'][splits.train])
        right.append(model.predict(table['peak'][splits.test]) == table['label'][splits.test])
    return float(np.mean(np.concatenate(right)))


COINS = {
    'runs': lambda seed: coin_log(seed),
    'labels that flicker': lambda seed: coin_log(seed, flicker=0.1),
    'no jumps': lambda seed: coin_log(seed, jumps=False),
    'no jumps, flicker': lambda seed: coin_log(seed, jumps=False, flicker=0.1),
    'machines in turn': taking_turns,
    'runs of three rows': lambda seed: coin_log(seed, 400, 3),
    'the file twice': lambda seed: tuple(np.concatenate([a, a]) for a in coin_log(seed, rows=50)),
}


@pytest.mark.parametrize('name', COINS)
def test_coins_are_guessed_at_half(name):
    found = [pooled_accuracy(readings_table(*COINS[name](seed)), 'row_blocks', seed) for seed in range(4)]
    # A log of 40 runs is right by chance in 50 % with a deviation of 8, four of them of 4.
    assert 0.36 < np.mean(found) < 0.62, found


@pytest.mark.parametrize('name', ['runs', 'labels that flicker', 'no jumps', 'machines in turn'])
def test_stratified_knows_them_by_heart_and_is_marked(name):
    table = readings_table(*COINS[name](0))
    assert pooled_accuracy(table, 'stratified') > 0.85
    splits = split_rows(table, 'stratified')
    assert splits.leaks and splits.dependent and splits.leak_share > 0.7
    assert 'not independent' in splits.leak_reason and 'protocol=row_blocks' in splits.leak_reason
    assert split_rows(table, 'row_blocks').leaks is False


def test_the_mark_names_the_column():
    values, labels = coin_log(0)
    values[:, [0, 1, 3]] = np.random.default_rng(0).standard_normal((len(values), 3))
    assert (
        'vibration_g resembles the row before' in split_rows(readings_table(values, labels), 'stratified').leak_reason
    )


@pytest.mark.parametrize('rows', [60, 300, 3000])
def test_independent_rows_train_as_well_and_are_not_marked(rows):
    found = {'stratified': [], 'row_blocks': []}
    for seed in range(3):
        readings = generate(rows, seed)
        table = readings_table(readings.values, readings.labels)
        for protocol, accuracies in found.items():
            splits = split_rows(table, protocol, seed=seed)
            assert (splits.leaks, splits.dependent) == (False, False)
            assert len(splits.train) == pytest.approx(0.6 * rows, abs=0.05 * rows + 3)
            accuracies.append(pooled_accuracy(table, protocol, seed))
    assert np.mean(found['row_blocks']) == pytest.approx(np.mean(found['stratified']), abs=0.06)


@pytest.mark.parametrize('protocol', ['row_blocks', 'by_group'])
def test_folds_test_every_stretch_once_and_hold_no_row_twice(protocol):
    values, labels = coin_log(3)
    table = readings_table(values, labels, np.repeat(np.arange(40), 100))
    tested = []
    for fold in folds_of(protocol, table):
        splits = split_rows(table, protocol, fold=fold, seed=2)
        parts = {name: getattr(splits, name) for name in SPLITS}
        for a, b in itertools.combinations(parts.values(), 2):
            assert not set((a // 100).tolist()) & set((b // 100).tolist())
        for rows in parts.values():
            assert set(labels[rows]) == {0, 1} and (np.diff(rows) > 0).all()
        tested.append(splits.test)
    assert len(tested) == 5
    assert np.sort(np.concatenate(tested)).tolist() == list(range(4000))


def test_rows_near_scored_ones_do_not_train_where_no_jump_lies_between():
    table = readings_table(*coin_log(2, jumps=False))
    splits = split_rows(table, 'row_blocks')
    scored = np.concatenate([splits.validation, splits.test])
    assert np.abs(splits.train[:, None] - scored).min() > 40
    assert 'training rows within' in splits.notes[0] and 'rows are in no split' in splits.notes[1]


def test_identical_readings_far_apart_lie_in_one_split():
    values, labels = coin_log(5)
    values[3000:3100] = values[200:300]
    table = readings_table(values, labels)
    for fold in range(5):
        splits = split_rows(table, 'row_blocks', fold=fold)
        readings = [set(table['recording'][getattr(splits, name)]) for name in SPLITS]
        assert not any(a & b for a, b in itertools.combinations(readings, 2))


def test_a_table_that_is_sorted_by_its_label_is_refused_with_what_to_do():
    readings = generate(2000, 0)
    order = np.argsort(readings.labels, kind='stable')
    table = readings_table(readings.values[order], readings.labels[order])
    with pytest.raises(SplitError, match='only 1 stretch .*sorted.*group_column.*stratified'):
        split_rows(table, 'row_blocks')
    # What the error advises is marked: rows of one class may be rows of one run.
    splits = split_rows(table, 'stratified')
    assert splits.leaks and 'the label comes in runs' in splits.leak_reason
    two_runs = readings_table(*(np.concatenate(a) for a in zip(*(coin_log(s, 1, 1000) for s in (1, 5)))))
    assert set(two_runs['label']) == {0, 1}
    with pytest.raises(SplitError, match='in only 1 stretch'):
        split_rows(two_runs, 'row_blocks')


def test_groups_that_cut_runs_are_marked_and_machines_in_turn_are_not():
    values, labels = coin_log(0)
    hours = split_rows(readings_table(values, labels, np.arange(4000) // 4), 'by_group')
    assert hours.leaks and 'the groups cut runs' in hours.leak_reason
    assert not split_rows(readings_table(values, labels, np.arange(4000) // 100), 'by_group').leaks
    in_turn = taking_turns(1, machines=20, rows=50, runs=4)
    assert not split_rows(readings_table(*in_turn, np.tile(np.arange(20), 200)), 'by_group').leaks


def test_groups_of_both_classes_are_dealt_evenly():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 20)
    labels = (rng.random(1000) < np.repeat(rng.choice([0.1, 0.9], 50), 20)).astype(int)
    table = readings_table(rng.standard_normal((1000, 4)), labels, groups)
    for fold in range(5):
        test = split_rows(table, 'by_group', fold=fold).test
        assert len(set(groups[test])) == pytest.approx(10, abs=1)
        assert labels[test].mean() == pytest.approx(labels.mean(), abs=0.12)


def test_what_does_not_fit_is_refused():
    table = readings_table(*coin_log(0))
    with pytest.raises(SplitError, match='group_column=NAME.* no groups: .*protocol=row_blocks'):
        split_rows(table, 'by_group')
    few = readings_table(*coin_log(0, runs=4), np.repeat([0, 0, 1, 1], 100))
    with pytest.raises(SplitError, match='by_group .*3 groups .*class number 1 .* 2: .*`group_column`'):
        split_rows(few, 'by_group')
    with pytest.raises(SplitError, match='fold 5: .*row_blocks .*0 to 4'):
        split_rows(table, 'row_blocks', fold=5)


def test_what_counts_once():
    values, labels = coin_log(0)
    table = readings_table(values, labels, np.arange(4000) // 200)
    units, name = row_units(table, 'by_group')
    assert (name, len(set(units))) == ('group of rows', 20)
    for protocol in ('row_blocks', 'stratified'):
        units, name = row_units(table, protocol)
        assert (name, units[150], len(set(units))) == ('stretch of rows', 'rows 100 to 199', 40)
    readings = generate(100, 0)
    units, name = row_units(readings_table(readings.values, readings.labels), 'row_blocks')
    assert (name, len(set(units))) == ('row', 100)


def test_the_order_of_the_file_counts_and_not_that_of_the_records():
    values, labels = coin_log(6)
    table, shuffled = readings_table(values, labels), np.random.default_rng(0).permutation(4000)
    mixed = type(table)({k: v[shuffled] for k, v in table.columns.items()}, 1, table.column_names)
    for protocol in ('row_blocks', 'stratified'):
        one, other = split_rows(table, protocol), split_rows(mixed, protocol)
        assert np.sort(shuffled[other.test]).tolist() == one.test.tolist() or protocol == 'stratified'
        assert (one.leaks, one.leak_reason) == (other.leaks, other.leak_reason)
