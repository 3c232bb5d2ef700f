"""Two domains: names, which windows are learned from and scored, and the classes that both have."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.blocks import fold_blocks
from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.protocols.two_domains import DomainName, open_two_domains, other_recordings
from fdx.data.source import open_dataset
from fdx.types import ConfigError, DataError, SplitError

OTHER = ('inner_race', 'cage', 'normal', 'outer_race')


@pytest.fixture(scope='module')
def pair_dir(tiny_dir, recording_of):
    """tiny_dir with another rig: of its four classes three have recordings, two of them are TinyRig's, turned round."""

    class OtherRig(VibrationBuilder, skip_registration=True):
        name = 'other_rig'
        VERSION = tfds.core.Version('1.0.0')
        BUILDER_CONFIGS = [
            VibrationConfig(name='six_s-vggish', front_end='vggish', hop_s=0.1, with_waveform=False),
            VibrationConfig(name='gain', front_end='vggish_train', hop_s=0.1, with_waveform=False),
            VibrationConfig(name='cages-vggish', subset='cages', front_end='vggish', hop_s=0.1, with_waveform=False),
        ]

        def class_names(self):
            return OTHER

        def fault_types(self):
            return ('normal', 'fault')

        def common_rate_hz(self):
            return 8000.0

        def recordings(self, dl_manager):
            del dl_manager
            shown = ('cage', 'normal') if self.builder_config.subset == 'cages' else ('normal', 'inner_race', 'cage')
            found = []
            for i, label in enumerate(('normal', 'inner_race', 'cage')):
                if label not in shown:
                    continue
                one = recording_of('normal', 20 + i, 6.0)
                fault_type = 'normal' if label == 'normal' else 'fault'
                names = {'recording': f'other_{label}', 'label': label, 'fault_type': fault_type, 'domain': 'bench'}
                # The cage's recording is the loudest by far: it would show in a gain.
                samples = one.samples / np.abs(one.samples).max() * (800 if label == 'cage' else 1)
                found.append(dataclasses.replace(one, samples=samples, **names))
            return found

    for config in OtherRig.BUILDER_CONFIGS:
        OtherRig(config=config.name, data_dir=tiny_dir).download_and_prepare()
    return tiny_dir


@pytest.fixture
def pair(pair_dir):
    """Function source, target -> TwoDomains."""

    def make(source, target, **changes):
        options = {
            'label_key': 'label',
            'protocols': ('time_blocks', 'time_blocks'),
            'folds': (0, 0),
            'seed': 3,
            **changes,
        }
        names = DomainName.parse(source, 'source'), DomainName.parse(target, 'target')
        return open_two_domains(*names, str(pair_dir), **options)

    return make


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
    with pytest.raises(ConfigError, match='write it as builder/config or builder/config:domain') as caught:
        DomainName.parse(text, 'target')
    assert f'target`={text}: ' in str(caught.value)


def test_recordings_of_other_domains(tiny):
    assert other_recordings(tiny, (), 'source') == ()
    assert other_recordings(tiny, ('load0', 'load2'), 'source') == ('ball_1', 'inner_race_1', 'normal_1')
    with pytest.raises(ConfigError, match='target.* has no domain x, y; it has load0, '):
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


@pytest.mark.parametrize('turned', [False, True])
def test_shared_classes_have_the_numbers_of_the_sources_order(pair, caplog, turned):
    names = ('other_rig/six_s', 'tiny_rig/six_s:load1') if turned else ('tiny_rig/six_s:load1', 'other_rig/six_s')
    with caplog.at_level(logging.WARNING):
        two = pair(*names)
    assert two.classes == (('inner_race', 'normal') if turned else ('normal', 'inner_race'))
    only = {'source': ('cage',), 'target': ('ball',)} if turned else {'source': ('ball',), 'target': ('cage',)}
    assert two.dropped == only
    texts = [r.getMessage() for r in caplog.records if r.name == 'fdx.data.protocols.two_domains']
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


def test_a_class_without_windows_is_no_class(pair):
    """OtherRig's config `cages` names four classes and has windows of two, of which TinyRig has one."""
    with pytest.raises(DataError) as caught:
        pair('tiny_rig/six_s:load1', 'other_rig/cages')
    assert str(caught.value) == (
        'source and target share the classes normal of label; at least two are needed: the source has normal, ball, '
        'inner_race, the target cage, normal; try `label_key=fault_type`'
    )
    assert pair('tiny_rig/six_s:load1', 'other_rig/cages', label_key='fault_type').classes == ('normal', 'fault')


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
    with pytest.raises(
        ConfigError, match=f'^{domains} of tiny_rig/six_s-vggish:1.0.0 is source and target: name other'
    ):
        pair(source, target)


def test_unknown_domains_and_unlike_inputs(pair):
    with pytest.raises(ConfigError, match='source.*tiny_rig/six_s.* no domain load9; it has load0, '):
        pair('tiny_rig/six_s:load9', 'other_rig/six_s')
    with pytest.raises(ConfigError, match='target.*other_rig/six_s.* no domain load1; it has bench$'):
        pair('tiny_rig/six_s', 'other_rig/six_s:load1')
    with pytest.raises(
        DataError, match=r'has vggish images \(96, 64, 1\), tiny_rig/gain:1.0.0 vggish_train .*choose co'
    ):
        pair('other_rig/six_s', 'tiny_rig/gain')
    with pytest.raises(DataError, match="'tiny_rig/none' is not prepared"):
        pair('tiny_rig/none', 'other_rig/six_s')


def test_each_side_has_its_protocol_and_fold(pair):
    two = pair('tiny_rig/six_s', 'other_rig/six_s', protocols=('by_recording', 'time_blocks'), folds=(1, 2))
    assert (two.splits.protocol, two.splits.fold) == ('by_recording', 1)
    assert rows_of(two.target_train, 'block') == set(fold_blocks(2)['train'])
    assert not rows_of(two.source_train, 'recording') & rows_of(two.source_validation, 'recording')
    with pytest.raises(SplitError, match='by_recording needs 3 recordings of every class'):
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
    with pytest.raises(ConfigError, match='names nobody, which neither source nor target holds'):
        pair('tiny_rig/six_s', 'other_rig/six_s', exclude_recordings=('nobody', 'ball_1'))
    # Recordings that are left out may be of both sides; so may one that is too short for blocks (ball_1).
    names = 'tiny_rig/six_s:load0+load1', 'tiny_rig/short:load1+load2'
    options = {'protocols': ('time_blocks', 'random_windows')}
    apart = pair(*names, exclude_recordings=('ball_1', 'inner_race_1', 'normal_1'), **options)
    assert rows_of(apart.source_train, 'domain') == {'load0'}
    assert rows_of(apart.target_train, 'domain') == {'load2'}
    with pytest.raises(ConfigError, match='^load1 of .* is source and target'):
        pair(*names, exclude_recordings=('ball_1',), **options)


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


SIX = ('tiny_rig/six_s', 'other_rig/six_s')


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
    with pytest.raises(ConfigError, match='classes.* names warped, which the source lacks; its classes of label: '):
        pair(*SIX, classes=('normal', 'warped'))
    with pytest.raises(ConfigError, match='classes.* names outer_race, none, which the source lacks'):
        pair(*SIX, classes=('normal', 'outer_race', 'none'))
