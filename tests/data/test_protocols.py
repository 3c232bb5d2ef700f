"""The protocols on tables without recordings: what they keep apart, whole, balanced and equal by seed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fdx.data.blocks import Windowing
from fdx.data.protocols.conditions import CONDITIONS
from fdx.data.protocols.splits import PROTOCOLS, folds_of, split_rows, without_overlap
from fdx.data.table import Table
from fdx.types import SplitError
from tests.data.split_rows_of import OVERLAPPING, SPLITS, groups, rows_of


@pytest.fixture(scope='module')
def table(table_of):
    """3 classes x 4 domains x 2 bearings: 24 recordings of 120 samples, overlapping windows."""
    return table_of(
        [
            {
                'samples': 120,
                'recording': f'r{label}{domain}{bearing}',
                'label': label,
                'fault_type': min(label, 1),
                'domain': f'd{domain}',
                'bearing': f'b{label}{domain % 2}{bearing}',
            }
            for label, domain, bearing in itertools.product(range(3), range(4), range(2))
        ],
        OVERLAPPING,
    )


@pytest.fixture(scope='module')
def study(table_of):
    """The study's 2160 chunks, 720 a class: 120 recordings of 30 s."""
    recordings = [
        {'samples': 614400, 'recording': f'r{i}', 'label': i % 3, 'domain': f'load{i % 4}', 'bearing': f'b{i % 3}'}
        for i in range(120)
    ]
    return table_of(recordings, Windowing(32768, 32768, 2048))


def brute_force_overlap(table, a, b):
    near = np.abs(table['window_start'][a][:, None] - table['window_start'][b]) < table.window_length
    return (near & (table['recording'][a][:, None] == table['recording'][b])).any()


# Those of recordings; the others are for tables of readings (test_stratified.py, test_row_protocols.py),
# or need speeds and loads (test_condition_protocols.py).
OF_RECORDINGS = [p for p in PROTOCOLS if p not in (*CONDITIONS, 'stratified', 'row_blocks', 'by_group', 'given_split')]


@pytest.mark.parametrize('protocol', [p for p in OF_RECORDINGS if p != 'random_windows'])
def test_no_fold_of_a_protocol_shares_samples_and_folds_test_everything_once(table, protocol):
    folds = folds_of(protocol, table)
    tested = []
    for fold in folds:
        splits = split_rows(table, protocol, fold=fold, seed=1)
        assert (splits.protocol, splits.fold, splits.leaks) == (protocol, fold, False)
        assert (splits.leak.shared, splits.leak.example) == (0, '')
        parts = rows_of(splits)
        for a, b in itertools.combinations(SPLITS, 2):
            assert not brute_force_overlap(table, parts[a], parts[b])
        for name, rows in parts.items():
            assert rows.dtype == np.int64
            assert (np.diff(rows) > 0).all(), name
        for name in ('validation', 'test'):
            recordings, starts = table['recording'][parts[name]], table['window_start'][parts[name]]
            for r in set(recordings):
                assert (np.diff(np.sort(starts[recordings == r])) >= 10).all()
        # Training windows may overlap, and do: neighbours of a block start 4 samples apart.
        assert (np.diff(table['window_start'][splits.train]) == 4).any()
        tested.append({(table['recording'][r], table['block'][r]) for r in splits.test})
    everything = set(zip(table['recording'], table['block']))
    assert set().union(*tested) == everything
    # domain_pairs tests each of the four domains from the three others.
    assert sum(map(len, tested)) == len(everything) * (3 if protocol == 'domain_pairs' else 1)


def test_within_domain_is_time_blocks_of_each_domain_alone(table):
    assert folds_of('within_domain', table) == list(range(20))
    for fold in range(20):
        splits = split_rows(table, 'within_domain', fold=fold)
        whole = split_rows(table, 'time_blocks', fold=fold % 5)
        for name, rows in rows_of(splits).items():
            mine = getattr(whole, name)
            assert rows.tolist() == mine[table['domain'][mine] == f'd{fold // 5}'].tolist()


def test_domain_pairs_goes_from_every_domain_to_every_other(table):
    pairs = [(a, b) for a in ('d0', 'd1', 'd2', 'd3') for b in ('d0', 'd1', 'd2', 'd3') if a != b]
    assert folds_of('domain_pairs', table) == list(range(12))
    for fold, (source, target) in enumerate(pairs):
        splits = split_rows(table, 'domain_pairs', fold=fold)
        assert groups(table, splits.train, 'domain') == groups(table, splits.validation, 'domain') == {source}
        assert groups(table, splits.test, 'domain') == {target}
        assert groups(table, splits.train, 'block') == {0, 1, 2, 3}
        assert groups(table, splits.validation, 'block') == {4}
        for rows in rows_of(splits).values():
            assert len(groups(table, rows, 'recording')) == 6


def test_time_blocks_puts_three_blocks_of_every_recording_into_train(table):
    for fold in range(5):
        splits = split_rows(table, 'time_blocks', fold=fold)
        wanted = {'train': {fold, (fold + 1) % 5, (fold + 2) % 5}, 'validation': {(fold + 3) % 5}}
        wanted['test'] = {(fold + 4) % 5}
        for name, rows in rows_of(splits).items():
            assert groups(table, rows, 'block') == wanted[name]
            assert groups(table, rows, 'recording') == set(table['recording'])
        assert splits.leak.same_recording == 1.0
        assert splits.train.tolist() == [i for i, b in enumerate(table['block']) if b in wanted['train']]
    other_seed = split_rows(table, 'time_blocks', fold=4, seed=9)
    assert other_seed.train.tolist() == splits.train.tolist()


@pytest.mark.parametrize(('protocol', 'key'), [('by_recording', 'recording'), ('by_bearing', 'bearing')])
def test_group_protocols_keep_groups_whole_and_every_class_everywhere(table, protocol, key):
    for fold, label_key in itertools.product(folds_of(protocol, table), ('label', 'fault_type')):
        splits = split_rows(table, protocol, fold=fold, seed=2, label_key=label_key)
        parts = {name: groups(table, rows, key) for name, rows in rows_of(splits).items()}
        assert set().union(*parts.values()) == set(table[key])
        assert sum(map(len, parts.values())) == len(set(table[key]))
        for rows in rows_of(splits).values():
            assert groups(table, rows, label_key) == set(table[label_key])
        if key == 'recording':
            assert splits.leak.same_recording == 0
        assert splits.train.tolist() == np.flatnonzero(np.isin(table[key], list(parts['train']))).tolist()


def test_by_domain_leaves_one_domain_out(table):
    assert folds_of('by_domain', table) == [0, 1, 2, 3]
    for fold in range(4):
        splits = split_rows(table, 'by_domain', fold=fold)
        assert groups(table, splits.test, 'domain') == {f'd{fold}'}
        assert groups(table, splits.validation, 'domain') == {f'd{(fold + 1) % 4}'}
        assert groups(table, splits.train, 'domain') == {f'd{(fold + 2) % 4}', f'd{(fold + 3) % 4}'}


def test_random_windows_of_the_study_have_its_sizes_and_are_marked_as_leaking(study):
    assert len(study) == 2160
    splits = split_rows(study, 'random_windows', seed=5)
    parts = rows_of(splits)
    assert [len(parts[s]) for s in SPLITS] == [1728, 216, 216]
    for s, n in zip(SPLITS, (576, 72, 72)):
        assert np.bincount(study['label'][parts[s]]).tolist() == [n] * 3
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(2160))
    assert splits.leaks
    assert splits.leak.shared == 0
    assert splits.leak.same_recording == 1.0
    assert folds_of('random_windows', study) == [0]


def test_random_windows_measures_what_leaks_where_windows_overlap(table):
    splits = split_rows(table, 'random_windows', seed=0)
    scored = np.concatenate([splits.validation, splits.test])
    hits = [brute_force_overlap(table, np.array([r]), splits.train) for r in scored]
    assert splits.leak.shared == pytest.approx(np.mean(hits))
    assert splits.leak.shared > 0.5
    # What leaks is scored as it is, not thinned.
    assert sum(len(r) for r in rows_of(splits).values()) == len(table)


@pytest.mark.parametrize('protocol', ['by_recording', 'by_bearing', 'random_windows'])
def test_the_seed_decides(table, protocol):
    def test_rows(seed):
        return split_rows(table, protocol, seed=seed).test.tolist()

    assert test_rows(3) == test_rows(3)
    assert len({tuple(test_rows(seed)) for seed in range(5)}) > 1


def test_without_overlap_keeps_the_earliest_window_and_then_the_next_that_is_free():
    columns = {
        'recording': np.array(['b', 'a', 'a', 'a', 'b', 'a', 'a']),
        'window_start': np.array([3, 0, 9, 10, 4, 19, 25]),
    }
    table = Table(columns, 10)
    assert without_overlap(table, np.arange(7)).tolist() == [0, 1, 3, 6]
    assert without_overlap(table, np.array([6, 4, 2])).tolist() == [2, 4, 6]
    assert without_overlap(table, np.zeros(0, np.int64)).tolist() == []


def test_excluded_recordings_are_nowhere_and_the_others_keep_their_row_numbers(table):
    out = ('r000', 'r231')
    for protocol in OF_RECORDINGS:
        splits = split_rows(table, protocol, exclude_recordings=out)
        for rows in rows_of(splits).values():
            assert not groups(table, rows, 'recording') & set(out)
    splits, whole = (split_rows(table, 'time_blocks', exclude_recordings=e) for e in (out, ()))
    assert splits.train.tolist() == [r for r in whole.train if table['recording'][r] not in out]
    with pytest.raises(SplitError, match='`exclude_recordings` .*x9, .* r000, r001'):
        split_rows(table, 'time_blocks', exclude_recordings=('x9', 'r000'))
    for protocol in PROTOCOLS:
        with pytest.raises(SplitError, match='no rows are left to split'):
            split_rows(table, protocol, exclude_recordings=tuple(set(table['recording'])))


def test_unknown_protocols_and_folds_are_refused_with_the_known_ones(table):
    with pytest.raises(SplitError, match="protocol 'shuffle'.* time_blocks, by_recording"):
        split_rows(table, 'shuffle')
    lasts = (
        ('time_blocks', 4),
        ('by_domain', 3),
        ('domain_pairs', 11),
        ('within_domain', 19),
        ('by_bearing', 3),
        ('random_windows', 0),
    )
    for protocol, last in lasts:
        for fold in (-1, last + 1):
            with pytest.raises(SplitError, match=f'fold {fold}: protocol {protocol} has folds 0 to {last}'):
                split_rows(table, protocol, fold=fold)
