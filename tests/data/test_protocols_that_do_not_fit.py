"""Recordings that a protocol cannot split, or splits in its own way: few groups, marks of a manifest, short ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.table import Table
from fdx.types import SplitError
from tests.data.split_rows_of import OVERLAPPING, groups, rows_of


def test_too_few_groups_are_refused_with_class_groups_and_what_fits(table_of):
    few = table_of(
        [
            {'samples': 120, 'recording': f'r{label}{i}', 'label': label, 'bearing': f'b{label}', 'domain': f'd{i % 2}'}
            for label, count in ((0, 4), (1, 1))
            for i in range(count)
        ],
        OVERLAPPING,
    )
    with pytest.raises(
        SplitError, match=r'by_recording .*2 recordings .*class number 1 .* 1 \(r10\).*time_blocks.*`label_key`'
    ):
        split_rows(few, 'by_recording')
    with pytest.raises(SplitError, match=r'by_bearing .*2 bearings .* 1 \(b0\).*time_blocks'):
        split_rows(few, 'by_bearing')
    with pytest.raises(SplitError, match='by_domain .*3 domains, .* d0, d1: .*time_blocks'):
        split_rows(few, 'by_domain')
    one = {k: v[few['domain'] == 'd0'] for k, v in few.columns.items()}
    with pytest.raises(SplitError, match='domain_pairs .*2 domains, .* d0 .*time_blocks'):
        split_rows(Table(one, few.window_length), 'domain_pairs')


def test_with_two_recordings_of_a_class_the_last_block_of_the_training_ones_validates(table_of):
    recordings = [
        {'samples': 120, 'recording': f'r{label}{i}', 'label': label}
        for label, count in ((0, 4), (1, 2))
        for i in range(count)
    ]
    two = table_of(recordings, OVERLAPPING)
    assert folds_of('by_recording', two) == [0, 1]
    tested = set()
    for fold in (0, 1):
        splits = split_rows(two, 'by_recording', fold=fold)
        train, validation, test = (groups(two, rows, 'recording') for rows in rows_of(splits).values())
        assert train == validation
        assert not train & test
        assert set(two['block'][splits.validation]) == {4}
        assert set(two['block'][splits.train]) == {0, 1, 2, 3}
        tested |= test
    assert tested == set(two['recording'])
    recordings[-1]['samples'] = recordings[-2]['samples'] = 30
    with pytest.raises(SplitError, match=r'too short for blocks: r1\d; .*`window_s`'):
        split_rows(table_of(recordings, OVERLAPPING), 'by_recording')


def test_given_split_follows_the_manifest(table_of):
    table = table_of(
        [{'samples': 120, 'recording': f'r{label}{i}', 'label': label} for label in (0, 1) for i in range(6)],
        OVERLAPPING,
    )

    def marked(marks):
        given = np.array([marks.get(name[2], '') for name in table['recording']])
        return Table({**table.columns, 'given_split': given}, table.window_length)

    whole = marked({'0': 'train', '1': 'train', '2': 'validation', '3': 'test'})
    parts = {name: groups(whole, rows, 'recording') for name, rows in rows_of(split_rows(whole, 'given_split')).items()}
    assert parts == {'train': {'r00', 'r01', 'r10', 'r11'}, 'validation': {'r02', 'r12'}, 'test': {'r03', 'r13'}}
    none_validates = marked({'0': 'train', '1': 'train', '3': 'test'})
    chosen = groups(none_validates, split_rows(none_validates, 'given_split').validation, 'recording')
    assert {name[:2] for name in chosen} == {'r0', 'r1'}
    assert len(chosen) == 2
    for marks, words in (({}, 'train or test'), ({'0': 'train'}, 'marked test'), ({'0': 'train', '3': 'test'}, 'r00')):
        with pytest.raises(SplitError, match=words):
            split_rows(marked(marks), 'given_split')
    with pytest.raises(SplitError, match='column `split`'):
        split_rows(table, 'given_split')


def test_a_group_that_holds_several_classes_is_refused_by_name(table_of):
    mixed = table_of(
        [
            {'samples': 120, 'recording': f'r{label}{i}', 'label': label, 'bearing': f'b{(i + label) % 3}'}
            for label, i in itertools.product(range(2), range(3))
        ],
        OVERLAPPING,
    )
    errors = 0
    for seed in range(6):
        try:
            splits = split_rows(mixed, 'by_bearing', seed=seed)
        except SplitError as error:
            errors += 1
            assert 'bearing b' in str(error)
            assert 'holds several classes of label that this fold puts into' in str(error)
            assert 'by_bearing does not fit, use time_blocks' in str(error)
        else:
            assert not groups(mixed, splits.train, 'bearing') & groups(mixed, splits.test, 'bearing')
    assert errors


def test_short_recordings_are_refused_by_time_blocks_and_taken_by_the_others(table_of):
    recordings = [{'samples': 120, 'recording': f'r{i}', 'label': i % 2, 'domain': f'd{i % 4}'} for i in range(8)]
    recordings[3]['samples'] = 30
    table = table_of(recordings, OVERLAPPING)
    with pytest.raises(SplitError, match=r'time_blocks: r3\. .*by_recording.*exclude_recordings.*r3$'):
        split_rows(table, 'time_blocks')
    with pytest.raises(SplitError, match='validation block: r3; .*exclude_recordings.*r3$'):
        split_rows(table, 'domain_pairs', fold=9)
    with pytest.raises(SplitError, match='time blocks: r3; .*exclude_recordings.*r3$'):
        split_rows(table, 'within_domain', fold=15)
    assert 'r3' not in table['recording'][split_rows(table, 'time_blocks', exclude_recordings=('r3',)).train]
    for protocol in ('by_recording', 'by_domain', 'random_windows'):
        parts = rows_of(split_rows(table, protocol))
        assert 'r3' in set().union(*(groups(table, rows, 'recording') for rows in parts.values()))
