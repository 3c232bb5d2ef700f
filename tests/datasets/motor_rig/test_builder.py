"""The simulated bench as a TFDS dataset: names, sizes, shapes, splits, and the same records at every build."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.data.blocks import cut_windows
from fdx.data.prepare import prepare_if_missing
from fdx.data.protocols.splits import split_rows
from fdx.data.raw.files import read_raw_file
from fdx.data.source import open_dataset
from fdx.datasets.motor_rig import csv_file, simulator
from fdx.datasets.motor_rig import motor_rig_dataset_builder as rig
from fdx.datasets.motor_rig.conditions import SOON_CONDITIONS, Condition, scenario_names
from fdx.signal.resample import resampled_length

SHORT_S = 13.0


def prepared(config, folder):
    prepare_if_missing(f'motor_rig/{config}', str(folder), None)
    return open_dataset(f'motor_rig/{config}', folder)


@pytest.fixture(scope='module')
def builds(tmp_path_factory):
    """`small` twice, `motor_b_small` and the study's front end, with 12 recordings of 13 s in place of 20 of 22 s."""
    surroundings = ('load0_m2none', 'load0.5_m2none', 'load0_m2imbalanced')
    few = [c for c in rig.state_conditions() if c.domain in surroundings]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rig, 'state_conditions', lambda: few)
        patch.setitem(rig.SIZES, 'small', dataclasses.replace(rig.SIZES['small'], duration_s=SHORT_S))
        configs = ('small', 'small', 'motor_b_small', 'small-triaxial_mel_paper')
        return [prepared(config, tmp_path_factory.mktemp('rig')) for config in configs]


def test_config_names():
    names = [c.name for c in rig.Builder.BUILDER_CONFIGS]
    plain = ['small', 'motor_a_small', 'motor_b_small', 'medium', 'motor_a_medium', 'motor_b_medium', 'soon']
    assert [n for n in names if '-' not in n] == plain
    assert len(set(names)) == len(names)
    for suffix in ('-triaxial_mel_peak', '-triaxial_mel_none', '-triaxial_mel_paper'):
        assert {n + suffix for n in plain} <= set(names)
    subsets = {c.name: c.subset for c in rig.Builder.BUILDER_CONFIGS}
    assert (subsets['small'], subsets['motor_b_medium']) == ('motor_a/small', 'motor_b/medium')


@pytest.mark.parametrize(
    ('config', 'window', 'recordings', 'in_block'),
    [
        ('small', 959, 20, [3] * 5),
        ('medium', 959, 60, [3] * 5),
        ('small-triaxial_mel_paper', 1000, 20, [3] * 5),
        ('soon-triaxial_mel_paper', 1000, 30, [13, 13, 11, 11, 11]),
    ],
)
def test_windows_of_a_config(tmp_path, config, window, recordings, in_block):
    builder = rig.Builder(config=config, data_dir=tmp_path)
    spec, size = builder.record_spec(), builder.builder_config.subset.split('/')[1]
    seconds = rig.SOON_DURATION_S if size == 'soon' else rig.SIZES[size].duration_s
    samples = resampled_length(round(seconds * 528), 528.0, spec.common_rate_hz)
    assert (spec.windowing.window_length, spec.windowing.hop_length) == (window, (window + 1) // 2)
    assert np.bincount(cut_windows(samples, spec.windowing)[1]).tolist() == in_block
    assert len(rig.plan(size)) == recordings
    assert (spec.channels, spec.front_end.output_shape(3)[::2]) == (3, (128, 3))


def test_soon_plan_has_a_label_a_file():
    planned = rig.plan('soon')
    assert [p[0] for p in planned] == list(SOON_CONDITIONS)
    assert [p[2] for p in planned] == scenario_names()
    assert [p[1] for p in planned] == [1] * 3 + [2] + [1] * 26


def test_records(builds):
    dataset = builds[0]
    assert dataset.class_names() == ['healthy', 'imbalance', 'electrical', 'both']
    assert dataset.class_names('fault_type') == ['healthy', 'mechanical', 'electrical', 'combined']
    assert (dataset.channels, dataset.input_shape) == (3, (128, 24, 3))
    assert builds[3].input_shape == (128, 2, 3)
    assert dataset.record(0, ('waveform',))['waveform'].shape == (959, 3)
    table = dataset.table
    assert len(set(table['recording'])) == 12
    assert set(table['bearing']) == {'motor_a'}
    assert set(table['load']) == {0.0, 0.5}
    assert set(table['sample_rate_hz']) == {512.0}
    np.testing.assert_array_equal(table['label'], table['fault_type'])
    assert np.ptp(np.bincount(table['label'])) == 0
    assert table['peak'].shape == (len(dataset), 3)
    # Gravity is no vibration: the front end takes it away.
    assert np.all((table['peak'] > 500) & (table['peak'] < 14_000))
    assert np.all((table['speed_rpm'] > 1150) & (table['speed_rpm'] < 1400))


def test_protocols_fit(builds):
    table = builds[0].table
    for protocol in ('time_blocks', 'by_recording'):
        splits = split_rows(table, protocol)
        for rows in (splits.train, splits.validation, splits.test):
            assert set(table['label'][rows]) == {0, 1, 2, 3}
    test = split_rows(table, 'by_recording').test
    assert len(set(table['recording'][test])) == 4


def test_two_builds_hold_the_same_records_another_motor_others(builds):
    first, again, other = builds[:3]
    rows = np.arange(len(first))
    for field in ('spectrogram', 'waveform', 'recording', 'window_start'):
        np.testing.assert_array_equal(first.read(rows, field), again.read(rows, field), err_msg=field)
    assert set(other.table['bearing']) == {'motor_b'}
    means = [d.read(rows[:20], 'spectrogram').mean(axis=(0, 2)) for d in (first, other)]
    assert np.abs(means[0] - means[1]).max() > 1


def test_recordings_are_the_plan_in_order(tmp_path, monkeypatch):
    monkeypatch.setitem(rig.SIZES, 'medium', dataclasses.replace(rig.SIZES['medium'], duration_s=0.2))
    builder = rig.Builder(config='motor_b_medium', data_dir=tmp_path)
    first, again = builder.recordings(None), builder.recordings(None)
    assert len(first) == len({r.recording for r in first}) == 60
    assert [r.recording for r in first[:2]] == ['motor_b_healthy_take1', 'motor_b_healthy_take2']
    assert first[-1].recording == 'motor_b_imbalanced_electrical100_load0.5_m2imbalanced_take3'
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)


def test_csv_file_reads_as_the_recording(tmp_path):
    reading = simulator.simulate('motor_a', Condition(imbalanced=True), duration_s=20.0, seed=5)
    csv_file.write_csv(tmp_path / 'motor.csv', reading)
    lines = (tmp_path / 'motor.csv').read_text().splitlines()
    assert lines[0] == 'Timestamp,AccX,AccY,AccZ'
    assert lines[1] == ','.join(str(v) for v in (reading.timestamps_us[0], *reading.counts[0]))
    assert len(lines) == 1 + len(reading.counts)
    found = read_raw_file(tmp_path / 'motor.csv')
    assert found.samples.shape[1] == 3
    assert 526 < found.sample_rate_hz < 549
    np.testing.assert_allclose(found.samples.std(axis=0), reading.counts.std(axis=0), rtol=0.02)
