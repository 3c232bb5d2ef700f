"""Partial and open sets: which classes are learned, what other windows count as, and sets that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.protocols.class_sets import UNKNOWN, ClassSets
from fdx.types import ConfigError, DataError

# tiny_rig has normal, ball and inner_race; other_rig has normal, inner_race and cage.
SIX = ('tiny_rig/six_s', 'other_rig/six_s')


def told(examples) -> list[str]:
    names = examples.dataset.class_names()
    return [names[i] for i in examples.dataset.table['label'][examples.rows]]


def test_open_sets_keep_every_window_of_the_target(pair):
    two = pair(*SIX, class_sets=ClassSets('open'))
    assert two.classes == ('normal', 'ball', 'inner_race', UNKNOWN) and two.unknown == 3
    assert two.dropped == {'source': (), 'target': ()}
    for name in ('target_train', 'target_test'):
        examples = getattr(two, name)
        assert set(told(examples)) == {'normal', 'inner_race', 'cage'}
        expected = [two.classes.index('unknown' if c == 'cage' else c) for c in told(examples)]
        assert examples.labels().tolist() == expected and examples.labels().dtype == np.int32
        assert int(examples[0]['labels']) == expected[0]
    assert set(told(two.source_train)) == {'normal', 'ball', 'inner_race'}
    assert two.source_train.labels().max() == 2


def test_classes_that_are_left_out_of_the_source_become_unknown(pair):
    two = pair(*SIX, class_sets=ClassSets('open', exclude_source=('inner_race',), exclude_target=('cage',)))
    assert two.classes == ('normal', 'ball', UNKNOWN)
    assert two.dropped == {'source': ('inner_race',), 'target': ('cage',)}
    for examples in (two.source_train, two.source_validation):
        assert set(told(examples)) == {'normal', 'ball'}
    assert set(told(two.target_test)) == {'normal', 'inner_race'}
    assert two.target_test.labels().tolist() == [0 if c == 'normal' else 2 for c in told(two.target_test)]


def test_partial_sets_learn_all_classes_of_the_source(pair):
    two = pair(*SIX, class_sets=ClassSets('partial', exclude_target=('cage',)))
    assert two.classes == ('normal', 'ball', 'inner_race') and two.unknown is None
    assert set(two.source_train.labels().tolist()) == {0, 1, 2}
    assert two.target_test.labels().tolist() == [two.classes.index(c) for c in told(two.target_test)]
    # Labels of the target did not split it: shared sets, which read them, see other windows.
    shared = pair(*SIX, class_sets=ClassSets(exclude_source=('ball',)))
    assert shared.classes == ('normal', 'inner_race') and shared.dropped['source'] == ('ball',)


def test_sets_that_do_not_fit_name_the_remedy(pair):
    with pytest.raises(ConfigError, match='target has cage, .*`sets`=open .*`exclude_target_classes`=cage'):
        pair(*SIX, class_sets=ClassSets('partial'))
    with pytest.raises(ConfigError, match='`exclude_source_classes` names cage, .*source .*normal, ball, inner_race'):
        pair(*SIX, class_sets=ClassSets('open', exclude_source=('cage',)))
    with pytest.raises(ConfigError, match='`exclude_target_classes` names ball, .*target .*inner_race, cage, normal'):
        pair(*SIX, class_sets=ClassSets('open', exclude_target=('ball',)))
    with pytest.raises(DataError, match='at least two classes .* the source has normal'):
        pair(*SIX, class_sets=ClassSets('open', exclude_source=('ball', 'inner_race')))
    with pytest.raises(ConfigError, match='`classes` names cage, which the source lacks'):
        pair(*SIX, class_sets=ClassSets('open'), classes=('normal', 'cage'))


def test_given_classes_are_the_known_ones(pair):
    two = pair(*SIX, class_sets=ClassSets('open'), classes=('inner_race', 'normal'))
    assert two.classes == ('inner_race', 'normal', UNKNOWN) and two.dropped['source'] == ('ball',)
    assert two.target_test.labels().tolist() == [
        {'inner_race': 0, 'normal': 1, 'cage': 2}[c] for c in told(two.target_test)
    ]
