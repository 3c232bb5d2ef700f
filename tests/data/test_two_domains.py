"""Two domains: names, and which windows are learned from and scored."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.blocks import fold_blocks
from fdx.data.protocols.domain_names import DomainName, other_recordings
from fdx.types import ConfigError, DataError, SplitError


@pytest.mark.parametrize(
    ('text', 'dataset', 'domains'),
    [
        ('cwru/faults', 'cwru/faults', ()),
        ('cwru/faults:load0', 'cwru/faults', ('load0',)),
        ('cwru/faults:load0+load3', 'cwru/faults', ('load0', 'load3')),
        ('cwru/faults:1.2.0', 'cwru/faults:1.2.0', ()),
        ('cwru/faults:1.2.0:load0', 'cwru/faults:1.2.0', ('load0',)),
        ('cwru/faults:1.2', 'cwru/faults', ('1.2',)),
    ],
)
def test_names(text, dataset, domains):
    assert DomainName.parse(text, 'source') == DomainName(dataset, domains)


@pytest.mark.parametrize('text', ['', 'cwru', 'cwru:load0', 'a/b:', 'a/b:x+', 'a/b:x:y', 'a/b:1.0.0:', 'a/b:1.0.0:x:y'])
def test_what_is_no_name(text):
    with pytest.raises(ConfigError, match='builder/config:domain') as caught:
        DomainName.parse(text, 'target')
    assert f'target`={text}: ' in str(caught.value)


def test_recordings_of_other_domains(tiny):
    assert other_recordings(tiny, (), 'source') == ()
    assert other_recordings(tiny, ('load0', 'load2'), 'source') == ('ball_1', 'inner_race_1', 'normal_1')
    with pytest.raises(ConfigError, match='`target`: .*six_s-vggish.* domain x, y; .* load0, '):
        other_recordings(tiny, ('x', 'load0', 'y'), 'target')


def rows_of(examples, key):
    return set(np.unique(examples.dataset.table[key][examples.rows]).tolist())


@pytest.mark.parametrize('fold', [0, 2])
def test_the_sources_test_part_is_learned_and_the_targets_is_scored(pair, fold):
    two = pair('tiny_rig/six_s:load0', 'tiny_rig/six_s:load1+load2', folds=(fold, fold))
    blocks = fold_blocks(fold)
    learned = {*blocks['train'], *blocks['test']}
    assert rows_of(two.source_train, 'block') == learned
    assert rows_of(two.source_validation, 'block') == set(blocks['validation'])
    assert rows_of(two.target_train, 'block') == set(blocks['train'])
    assert rows_of(two.target_test, 'block') == set(blocks['test'])
    for side, domains in (('source_train', {'load0'}), ('source_validation', {'load0'})):
        assert rows_of(getattr(two, side), 'domain') == domains
    for side in ('target_train', 'target_test'):
        assert rows_of(getattr(two, side), 'domain') == {'load1', 'load2'}
    np.testing.assert_array_equal(two.source_train.rows, np.sort(np.concatenate([two.splits.train, two.splits.test])))
    assert not np.intersect1d(two.target_train.rows, two.target_test.rows).size
    assert two.dropped == {'source': (), 'target': ()}
    assert two.gain == 1.0


def test_scoring_all_of_the_target(pair):
    """Windows that do not overlap, of all blocks; what training would see stays the training part."""
    two = pair('tiny_rig/six_s:load0', 'tiny_rig/six_s:load1', score_all_target=True)
    plain = pair('tiny_rig/six_s:load0', 'tiny_rig/six_s:load1')
    assert rows_of(two.target_test, 'block') == {0, 1, 2, 3, 4}
    np.testing.assert_array_equal(two.target_train.rows, plain.target_train.rows)
    assert len(two.target_test) > 2 * len(plain.target_test)
    table, rows = two.target.table, two.target_test.rows
    for recording in np.unique(table['recording'][rows]):
        starts = np.sort(table['window_start'][rows][table['recording'][rows] == recording])
        assert (np.diff(starts) >= table.window_length).all()


@pytest.mark.parametrize(
    ('source', 'target', 'domains'),
    [
        ('tiny_rig/six_s', 'tiny_rig/six_s', 'load0, load1, load2'),
        ('tiny_rig/six_s:load0+load1', 'tiny_rig/six_s:load1+load2', 'load1'),
        ('tiny_rig/six_s:load1', 'tiny_rig/six_s', 'load1'),
        ('tiny_rig/six_s', 'tiny_rig/six_s-vggish:1.0.0:load2', 'load2'),
        # The other config has the same recordings.
        ('tiny_rig/six_s:load2', 'tiny_rig/short:load2', 'load2'),
    ],
)
def test_a_recording_is_not_source_and_target(pair, source, target, domains):
    with pytest.raises(ConfigError, match=f'^{domains} of tiny_rig/six_s-vggish:1.0.0 .*source and target: .*other'):
        pair(source, target)


def test_unknown_domains_and_unlike_inputs(pair):
    with pytest.raises(ConfigError, match='source.*tiny_rig/six_s.* domain load9; .* load0, '):
        pair('tiny_rig/six_s:load9', 'other_rig/six_s')
    with pytest.raises(ConfigError, match='target.*other_rig/six_s.* domain load1; .* bench$'):
        pair('tiny_rig/six_s', 'other_rig/six_s:load1')
    with pytest.raises(
        DataError, match=r'other_rig.* vggish .*\(96, 64, 1\), tiny_rig/gain:1.0.0 vggish_train .*front end'
    ):
        pair('other_rig/six_s', 'tiny_rig/gain')
    with pytest.raises(DataError, match="'tiny_rig/none' is not prepared"):
        pair('tiny_rig/none', 'other_rig/six_s')


def test_each_side_has_its_protocol_and_fold(pair):
    two = pair('tiny_rig/six_s', 'other_rig/six_s', protocols=('by_recording', 'time_blocks'), folds=(1, 2))
    assert (two.splits.protocol, two.splits.fold) == ('by_recording', 1)
    assert rows_of(two.target_train, 'block') == set(fold_blocks(2)['train'])
    assert not rows_of(two.source_train, 'recording') & rows_of(two.source_validation, 'recording')
    with pytest.raises(
        SplitError, match=r'by_recording .*2 recordings .* 1 \(other_inner_race\).*time_blocks.*`label_key`'
    ):
        pair('tiny_rig/six_s', 'other_rig/six_s', protocols=('time_blocks', 'by_recording'))


def test_few_labels_of_the_source_alone(pair):
    two = pair('tiny_rig/six_s:load0+load2', 'tiny_rig/six_s:load1', labels_per_class=4)
    assert np.bincount(two.source_train.labels()).tolist() == [4, 4, 4]
    # Drawn in turn from the recordings of a class.
    assert rows_of(two.source_train, 'domain') == {'load0', 'load2'}
    plain = pair('tiny_rig/six_s:load0+load2', 'tiny_rig/six_s:load1')
    assert set(two.source_train.rows) < set(plain.source_train.rows)
    for name in ('source_validation', 'target_train', 'target_test'):
        np.testing.assert_array_equal(getattr(two, name).rows, getattr(plain, name).rows)


def test_recordings_are_left_out_on_their_side(pair):
    two = pair(
        'tiny_rig/six_s', 'other_rig/six_s', exclude_recordings=('ball_1', 'normal_2', 'other_cage'), label_key='label'
    )
    assert not {'ball_1', 'normal_2'} & (
        rows_of(two.source_train, 'recording') | rows_of(two.source_validation, 'recording')
    )
    assert two.dropped == {'source': ('ball',), 'target': ()}
    with pytest.raises(ConfigError, match='`exclude_recordings` .*nobody, .*source .*target .*ball_0'):
        pair('tiny_rig/six_s', 'other_rig/six_s', exclude_recordings=('nobody', 'ball_1'))
    # Recordings that are left out may be of both sides; so may one that is too short for blocks (ball_1).
    names = 'tiny_rig/six_s:load0+load1', 'tiny_rig/short:load1+load2'
    options = {'protocols': ('time_blocks', 'random_windows')}
    apart = pair(*names, exclude_recordings=('ball_1', 'inner_race_1', 'normal_1'), **options)
    assert rows_of(apart.source_train, 'domain') == {'load0'}
    assert rows_of(apart.target_train, 'domain') == {'load2'}
    with pytest.raises(ConfigError, match='^load1 of .* is source and target'):
        pair(*names, exclude_recordings=('ball_1',), **options)
