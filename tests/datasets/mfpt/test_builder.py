"""The MFPT builder: its configs, and the 14 real recordings with honest splits."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from fdx.data.blocks import cut_windows
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.datasets.mfpt import mfpt_dataset_builder as mfpt
from fdx.datasets.mfpt.files import FILES, SUBSETS, Subset
from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import create_front_end, front_end_names
from fdx.types import SplitError

LOW_HZ = 48828


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp('mfpt')


@pytest.fixture(scope='module')
def faults(raw_data, data_dir, prepare_mfpt):
    """All the real recordings, cut every 0.4 s: six windows of 0.975 s in 3 s."""
    configs, name = mfpt.Builder.builder_configs, 'faults-fault_orders'
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(configs, name, dataclasses.replace(configs[name], hop_s=4 * mfpt.HOP_S))
        return prepare_mfpt(name, data_dir, raw_data)


@pytest.fixture(scope='module')
def few(raw_data, data_dir, prepare_mfpt):
    """Four of them through the default front end."""
    files = tuple(FILES[f'{fault}RaceFault_vload_{i}'] for fault in ('Inner', 'Outer') for i in (1, 7))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(mfpt.SUBSETS, 'faults', Subset('faults', 'Four files.', files))
        return prepare_mfpt('faults-vggish', data_dir, raw_data)


def test_configs_are_subset_and_front_end(data_dir):
    names = [c.name for c in mfpt.Builder.BUILDER_CONFIGS]
    fronts = front_end_names(channels=1)
    assert names == [f'{s}-{f}' for s, f in itertools.product(('faults', 'all'), fronts)]
    assert {'vggish', 'fault_orders', 'envelope_spectrum', 'waveform'} < set(fronts)
    # Of `all`, which is cut alike, one.
    for name in (*names[: len(fronts)], names[-1]):
        spec = mfpt.Builder(config=name, data_dir=data_dir).record_spec()
        assert (spec.common_rate_hz, spec.channels, spec.windowing.hop_length) == (48828.0, 1, 4883)
        patch = create_front_end(name.partition('-')[2], 48828.0).patch_samples(48828.0)
        assert spec.windowing.window_length == patch


def test_info_page(data_dir):
    builder = mfpt.Builder(config='all-vggish', data_dir=data_dir)
    assert builder.class_names() == builder.fault_types() == ('normal', 'inner_race', 'outer_race')
    assert str(builder.version) == '2.0.0'
    for words in ('CC BY-NC-SA 4.0', 'by_recording', 'too short for time blocks'):
        assert words in builder.info.description
    assert 'Bechhoefer' in builder.info.citation
    assert '2013' in builder.info.citation


@pytest.mark.real_data
def test_records_of_two_faults(faults):
    assert faults.name == 'mfpt/faults-fault_orders:2.0.0'
    assert faults.class_names() == faults.class_names('fault_type') == ['inner_race', 'outer_race']
    table = faults.table
    assert faults._ends.tolist() == [84, 84, 84]  # all in the train split
    assert table['label'].tolist() == table['fault_type'].tolist() == [0] * 42 + [1] * 42
    assert set(table['block']) == {-1}
    assert set(table['sample_rate_hz']) == {48828.0}
    assert set(table['speed_rpm']) == {1500.0}
    for file in SUBSETS['faults'].files:
        rows = table['recording'] == file.recording
        assert table['window_start'][rows].tolist() == [19531 * i for i in range(6)]
        assert set(table['domain'][rows]) == {file.domain}
        assert set(table['load'][rows]) == {file.load_lbs}
        assert set(table['bearing'][rows]) == {file.fault}


@pytest.mark.real_data
def test_records_hold_the_geometry_and_show_the_fault_in_its_channel(faults):
    geometry = faults.read(range(0, 84, 6), 'geometry')
    np.testing.assert_allclose(geometry, np.tile([31.623, 5.969, 8, 0], (14, 1)), rtol=1e-6)
    images = faults.read(range(84), 'spectrogram')
    front_end = create_front_end('fault_orders', 48828.0)
    assert images.shape == (84, *front_end.output_shape(1))
    assert np.isfinite(images).all()
    # Wrong orders (another bearing, another speed) would leave no difference between the channels.
    inner, outer = (images[..., front_end.channels.index(name)] for name in ('inner_race', 'outer_race'))
    contrast = (inner - outer).mean(axis=(1, 2))
    label = faults.table['label']
    assert contrast[label == 0].min() > 0 > contrast[label == 1].mean()


@pytest.mark.real_data
def test_default_front_end(few):
    assert few.name == 'mfpt/faults-vggish:2.0.0'
    assert few.input_shape == (96, 64, 1)
    # 3 s in windows of 0.975 s every 0.1 s: 21 per recording.
    assert np.bincount(few.table['label']).tolist() == [42, 42]
    assert few.table['window_start'].tolist() == [4883 * i for i in range(21)] * 4
    assert sorted(set(few.table['domain'])) == ['load0', 'load25', 'load300']
    np.testing.assert_array_equal(few.read([0], 'geometry')[0], np.float32(BEARINGS['nice_mfpt'].numbers()))
    images = few.read(range(0, 84, 21), 'spectrogram')
    assert np.isfinite(images).all()
    assert (images.std(axis=(1, 2, 3)) > 0.1).all()


@pytest.mark.real_data
@pytest.mark.parametrize('label_key', ['label', 'fault_type'])
def test_every_recording_is_tested_once_by_recording(faults, label_key):
    table = faults.table
    folds = folds_of('by_recording', table, label_key)
    assert folds == [0, 1, 2, 3, 4]
    tested = []
    for fold in folds:
        splits = split_rows(table, 'by_recording', fold=fold, label_key=label_key)
        parts = [set(table['recording'][rows]) for rows in (splits.train, splits.validation, splits.test)]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
        assert splits.leak.shared == 0
        assert all(set(table[label_key][rows]) == {0, 1} for rows in (splits.train, splits.validation, splits.test))
        # Thinned to windows that do not overlap: 2 of 6 per recording.
        assert len(splits.test) == 2 * len(parts[2])
        tested += sorted(parts[2])
    assert sorted(tested) == sorted(file.recording for file in SUBSETS['faults'].files)


@pytest.mark.real_data
def test_protocols_that_do_not_fit_say_so(faults):
    with pytest.raises(SplitError, match=r'too short for time_blocks: mfpt_inner_race_1, .*by_recording'):
        split_rows(faults.table, 'time_blocks')
    with pytest.raises(SplitError, match='needs 2 bearings of every class'):
        split_rows(faults.table, 'by_bearing')


def test_no_recording_of_any_config_has_blocks(data_dir):
    for front_end in ('vggish', 'waveform'):
        windowing = mfpt.Builder(config=f'all-{front_end}', data_dir=data_dir).record_spec().windowing
        for seconds in (3, 6):
            starts, blocks = cut_windows(seconds * LOW_HZ, windowing)
            assert set(blocks) == {-1}
            assert len(starts) == (seconds * LOW_HZ - windowing.window_length) // 4883 + 1
