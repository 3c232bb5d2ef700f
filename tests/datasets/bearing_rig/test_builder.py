"""The simulated rigs as TFDS datasets: names, sizes, and the same records at every build."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from fdx.data.blocks import cut_windows
from fdx.data.protocols.splits import split_rows
from fdx.data.source import open_dataset
from fdx.datasets.bearing_rig import bearing_rig_dataset_builder as rig
from fdx.datasets.bearing_rig import simulator

RECORDINGS = 120


def windows_of(config, tmp_path):
    """(windows of each block in one recording of the config, its record spec); nothing is simulated."""
    builder = rig.Builder(config=config, data_dir=tmp_path)
    spec = builder.record_spec()
    size = builder.builder_config.subset.split('/')[1]
    samples = round(rig.SIZES[size][0] * simulator.SAMPLE_RATE_HZ)
    return np.bincount(cut_windows(samples, spec.windowing, config)[1], minlength=5).tolist(), spec


def test_machines_small_has_every_machine_as_a_domain(tmp_path, monkeypatch):
    few = functools.partial(simulator.recordings, speeds=(997.0,), load_cases=(3,))
    monkeypatch.setattr(rig, 'recordings', few)
    rig.Builder(config='machines_small', data_dir=tmp_path).download_and_prepare()
    table = open_dataset('bearing_rig/machines_small', tmp_path).table
    assert set(zip(table['domain'], table['recording'])) == {
        (f'rig_{r}', f'rig_{r}-{state}-0997rpm-load3')
        for r in 'abc'
        for state in ('normal', 'inner_race', 'outer_race')
    }
    assert len(split_rows(table, 'domain_pairs', fold=5).test) == 15


@pytest.fixture(scope='module')
def two_builds(tmp_path_factory):
    """Two builds of `small` with three recordings in place of 120, and one of another machine."""
    few = functools.partial(simulator.recordings, speeds=(997.0,), load_cases=(3,))
    opened = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rig, 'recordings', few)
        for config in ('small', 'small', 'rig_a_small'):
            folder = tmp_path_factory.mktemp('rig')
            rig.Builder(config=config, data_dir=folder).download_and_prepare()
            opened.append(open_dataset(f'bearing_rig/{config}', folder))
    return opened


def test_config_names_cover_sizes_machines_and_front_ends():
    names = [c.name for c in rig.Builder.BUILDER_CONFIGS]
    plain = [n for n in names if '-' not in n]
    sizes = ('small', 'long', 'medium')
    rigs = ('', 'rig_a_', 'rig_b_', 'rig_c_')
    assert sorted(plain) == sorted([*(r + s for r in rigs for s in sizes), 'machines_small', 'machines_long'])
    kinds = ('vggish', 'multi_resolution_mel', 'musicnn', 'yamnet')
    others = [f'{kind}{s}' for kind in kinds for s in ('', '_train', '_none') if kind + s != 'vggish']
    others += ['musicnn_peak', 'waveform']
    others += [f'scalogram{size}{s}' for size in ('', '_small') for s in ('', '_train')]
    others += [f'{base}_mel{s}' for base in ('band', 'snippet') for s in ('', '_train', '_none')]
    # Front ends that read orders need ten turns of the shaft: windows of 4.8 s where it turns at 127 rpm.
    orders = ('fault_orders', 'fault_orders_shaft', 'fault_orders_stacked', 'envelope_spectrum')
    wanted = {f'{n}-{f}' for n in plain for f in (*others, *(orders if 'long' in n else ()))}
    assert wanted | set(plain) == set(names)
    assert len(names) == 14 * 24 + 5 * 4
    subsets = {c.name: c.subset for c in rig.Builder.BUILDER_CONFIGS}
    assert (subsets['small'], subsets['rig_a_medium']) == ('rig_b/small', 'rig_a/medium')


def test_medium_has_the_2160_chunks_of_the_study_and_small_one_window_a_block(tmp_path):
    blocks, spec = windows_of('medium', tmp_path)
    assert blocks == [4, 4, 4, 3, 3]
    assert sum(blocks) * RECORDINGS == 2160
    assert spec.windowing.window_length == 1.6 * 20480
    assert spec.windowing.guard_length == 2048
    blocks, spec = windows_of('rig_c_small', tmp_path)
    assert blocks == [1] * 5
    # The fewest samples whose resampling to 16 kHz holds the 15,600 of a patch.
    assert spec.windowing.window_length == 19967
    assert -(-19967 * 25 // 32) == 15600 > -(-19966 * 25 // 32)
    assert windows_of('medium-vggish_train', tmp_path)[1].front_end.scaling == 'train'
    blocks, spec = windows_of('small-multi_resolution_mel', tmp_path)
    assert blocks == [1] * 5
    assert (spec.channels, spec.front_end.output_shape(1)) == (1, (128, 96, 3))
    # 512 samples and 95 hops of 204.
    assert spec.windowing.window_length == 19892
    assert windows_of('medium-multi_resolution_mel', tmp_path)[0] == [4, 4, 4, 3, 3]
    blocks, spec = windows_of('machines_long-fault_orders', tmp_path)
    assert blocks == [1] * 5
    window_s = spec.windowing.window_length / simulator.SAMPLE_RATE_HZ
    assert window_s == 4.8 and window_s * min(simulator.SPEEDS_RPM) / 60 >= 10
    conditions = 3 * len(simulator.SPEEDS_RPM) * len(simulator.LOAD_CASES)
    assert conditions == RECORDINGS


def test_two_builds_hold_the_same_records(two_builds):
    first, second, _ = two_builds
    assert (first.name, len(first)) == ('bearing_rig/small:2.0.0', 15)
    fields = list(first.record(0, ['label']) | dict.fromkeys(first._features))
    for row in range(15):
        a, b = first.record(row, fields), second.record(row, fields)
        for field in fields:
            np.testing.assert_array_equal(a[field], b[field], err_msg=f'row {row} {field}')


def test_another_machine_gives_other_records(two_builds):
    first, _, other = two_builds
    assert np.abs(first.read([0], 'spectrogram') - other.read([0], 'spectrogram')).max() > 0.5
    assert first.table['recording'][0] == 'rig_b-normal-0997rpm-load3'
    assert other.table['recording'][0] == 'rig_a-normal-0997rpm-load3'


def test_records_and_splits(two_builds):
    dataset = two_builds[0]
    assert dataset.class_names() == dataset.class_names('fault_type') == ['normal', 'inner_race', 'outer_race']
    table = dataset.table
    assert np.bincount(table['label']).tolist() == [5, 5, 5]
    assert set(table['sample_rate_hz']) == {20480.0}
    assert set(table['speed_rpm']) == {997.0}
    assert set(table['domain']) == {'load3'}
    splits = split_rows(table, 'time_blocks')
    assert [len(getattr(splits, s)) for s in ('train', 'validation', 'test')] == [9, 3, 3]
    assert splits.train.tolist() == list(range(9))
    assert dataset.record(0, ('waveform',))['waveform'].shape == (19967, 1)
