"""The classes of two domains: which both have, how they are numbered, and those that the user gives."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest

from fdx.data.source import open_dataset
from fdx.types import ConfigError, DataError

SIX = ('tiny_rig/six_s', 'other_rig/six_s')


def rows_of(examples, key):
    return set(np.unique(examples.dataset.table[key][examples.rows]).tolist())


@pytest.mark.parametrize('turned', [False, True])
def test_shared_classes_have_the_numbers_of_the_sources_order(pair, caplog, turned):
    names = ('other_rig/six_s', 'tiny_rig/six_s:load1') if turned else ('tiny_rig/six_s:load1', 'other_rig/six_s')
    with caplog.at_level(logging.WARNING):
        two = pair(*names)
    assert two.classes == (('inner_race', 'normal') if turned else ('normal', 'inner_race'))
    only = {'source': ('cage',), 'target': ('ball',)} if turned else {'source': ('ball',), 'target': ('cage',)}
    assert two.dropped == only
    texts = [r.getMessage() for r in caplog.records if r.name == 'fdx.data.protocols.class_sets']
    assert texts == [f'classes that only the {side} has are left out: {names[0]}' for side, names in only.items()]
    for name in ('source_train', 'source_validation', 'target_train', 'target_test'):
        examples = getattr(two, name)
        own = examples.dataset.class_names()
        told = [own[i] for i in examples.dataset.table['label'][examples.rows]]
        assert [two.classes[i] for i in examples.labels()] == told, name
        assert set(told) == set(two.classes)
        assert [int(examples[i]['labels']) for i in (0, len(examples) - 1)] == examples.labels()[[0, -1]].tolist()
        assert examples.labels().dtype == np.int32


def test_a_coarser_label_is_shared_by_all(pair):
    two = pair('tiny_rig/six_s:load1', 'other_rig/six_s', label_key='fault_type')
    assert two.classes == ('normal', 'fault')
    assert two.dropped == {'source': (), 'target': ()}
    assert rows_of(two.source_train, 'label') == {0, 1, 2}


def test_a_class_without_windows_is_no_class(says, pair):
    """OtherRig's config `cages` names four classes and has windows of two, of which TinyRig has one."""
    with pytest.raises(DataError) as caught:
        pair('tiny_rig/six_s:load1', 'other_rig/cages')
    parts = 'normal of label; ... source ... normal, ball, inner_race ... target cage, normal ... label_key=fault_type'
    assert says(str(caught.value), parts)
    assert pair('tiny_rig/six_s:load1', 'other_rig/cages', label_key='fault_type').classes == ('normal', 'fault')


def test_the_gain_is_that_of_the_sources_shared_classes(pair, pair_dir):
    """Scaling `train`: the loud cage, which the target lacks, has no part."""
    two = pair('other_rig/gain', 'tiny_rig/gain:load1', protocols=('time_blocks', 'random_windows'))
    assert two.dropped['source'] == ('cage',)
    data = open_dataset('other_rig/gain', pair_dir)
    peak = data.table['peak']
    shared = peak[two.source_train.rows]
    assert two.gain == pytest.approx(1 / shared.max(), rel=1e-6)
    assert peak.max() > 4 * shared.max()
    for examples in (two.source_train, two.source_validation, two.target_train, two.target_test):
        assert examples.gain == two.gain


def test_given_classes_read_no_label_of_the_target(pair, monkeypatch):
    given = ('normal', 'inner_race')
    domains = pair(*SIX, classes=given)
    assert domains.classes == given
    assert domains.dropped['target'] == () and set(domains.dropped['source']).isdisjoint(given)
    # Training sees every window of the target's training part, the cage's among them; none of those is scored.
    names = domains.target.class_names()
    seen = {names[i] for i in domains.target.table['label'][domains.target_train.rows]}
    scored = {names[i] for i in domains.target.table['label'][domains.target_test.rows]}
    assert seen == {'normal', 'inner_race', 'cage'} and scored == set(given)
    assert set(domains.target_test.labels().tolist()) == {0, 1}
    # Other labels of the target, the same windows: nothing was read.
    table = domains.target.table
    turned = {k: np.roll(table[k], len(table) // 3) if k == 'label' else v for k, v in table.columns.items()}
    other = dataclasses.replace(table, columns=turned)
    opened = open_dataset

    def relabelled(name, data_dir):
        found = opened(name, data_dir)
        if name.startswith('other_rig'):
            found.table = other
        return found

    monkeypatch.setattr('fdx.data.protocols.two_domains.open_dataset', relabelled)
    again = pair(*SIX, classes=given)
    assert again.target_train.rows.tolist() == domains.target_train.rows.tolist()
    # Without the flag the labels decide.
    assert pair(*SIX).target_train.rows.tolist() != domains.target_train.rows.tolist()


def test_given_classes_are_the_sources_and_known_to_the_target(pair):
    with pytest.raises(ConfigError, match='`classes` .*warped, .*source .*label: normal, ball, inner_race'):
        pair(*SIX, classes=('normal', 'warped'))
    with pytest.raises(ConfigError, match='`classes` .*outer_race, none, .*source .*label: normal'):
        pair(*SIX, classes=('normal', 'outer_race', 'none'))
