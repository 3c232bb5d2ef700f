"""The named tasks: how many recordings, which classes in which order, at which loads and rates."""

import collections

import pytest

from fdx.datasets.cwru.subsets import SUBSETS

NINE_FAULTS = (
    'ball_007',
    'ball_014',
    'ball_021',
    'inner_race_007',
    'inner_race_014',
    'inner_race_021',
    'outer_race_007',
    'outer_race_014',
    'outer_race_021',
)
LOADS = ('load0', 'load1', 'load2', 'load3')


def _numbers(name):
    return {file.number for file in SUBSETS[name].files}


@pytest.mark.parametrize(
    ('name', 'recordings', 'classes', 'domains', 'rate_hz', 'channel'),
    [
        ('load0_12k', 10, ('normal', *NINE_FAULTS), ('load0',), 12000, 'DE'),
        ('faults_12k', 36, NINE_FAULTS, LOADS, 12000, 'DE'),
        ('drive_end_12k', 40, ('normal', *NINE_FAULTS), LOADS, 12000, 'DE'),
        ('drive_end_48k', 40, ('normal', *NINE_FAULTS), LOADS, 48000, 'DE'),
    ],
)
def test_drive_end_subsets(name, recordings, classes, domains, rate_hz, channel):
    subset = SUBSETS[name]
    assert subset.name == name
    assert len(subset.files) == len(_numbers(name)) == recordings
    assert subset.classes == classes
    assert subset.domains == domains
    assert subset.lowest_rate_hz == rate_hz
    assert subset.channel == channel
    per_class = collections.Counter(file.label for file in subset.files)
    assert set(per_class.values()) == {len(domains)}


def test_there_are_five_subsets_with_descriptions():
    assert tuple(SUBSETS) == ('load0_12k', 'faults_12k', 'drive_end_12k', 'drive_end_48k', 'fan_end_12k')
    assert all(subset.description.endswith('.') for subset in SUBSETS.values())


def test_load0_12k_has_the_ten_files_of_the_literature():
    assert _numbers('load0_12k') == {97, 105, 118, 130, 169, 185, 197, 209, 222, 234}


def test_faults_12k_has_no_healthy_file_and_one_rate():
    assert {file.rate_hz for file in SUBSETS['faults_12k'].files} == {12000}
    assert {file.position for file in SUBSETS['faults_12k'].files} == {'', '@6'}
    assert _numbers('drive_end_12k') - _numbers('faults_12k') == {97, 98, 99, 100}


def test_drive_end_48k_is_taken_at_48_khz_throughout():
    assert {file.rate_hz for file in SUBSETS['drive_end_48k'].files} == {48000}
    assert {174, 109, 213, 238} < _numbers('drive_end_48k')


def test_fan_end_12k_tells_positions_apart():
    subset = SUBSETS['fan_end_12k']
    assert len(subset.files) == len(_numbers('fan_end_12k')) == 49
    assert subset.channel == 'FE'
    assert subset.classes == (
        'normal',
        *NINE_FAULTS[:6],
        'outer_race_007@3',
        'outer_race_007@6',
        'outer_race_007@12',
        'outer_race_014@3',
        'outer_race_014@6',
        'outer_race_021@3',
        'outer_race_021@6',
    )
    assert [file.load_hp for file in subset.files if file.label == 'outer_race_021@3'] == [1, 2, 3]
    assert [file.number for file in subset.files if file.label == 'outer_race_014@3'] == [310, 309, 311, 312]


@pytest.mark.parametrize('name', list(SUBSETS))
def test_every_file_has_the_subsets_channel_and_files_are_sorted_by_class_then_load(name):
    subset = SUBSETS[name]
    assert all(subset.channel in file.channels for file in subset.files)
    keys = [(subset.classes.index(file.label), file.load_hp) for file in subset.files]
    assert keys == sorted(keys)
