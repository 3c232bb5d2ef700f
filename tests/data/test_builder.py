"""What every fdx builder gives: splits of fold 0, unique keys, one rate, and short recordings set apart."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from fdx.data.builder import VibrationBuilder
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.records import decode_waveform
from fdx.data.source import open_dataset
from fdx.signal.front_ends import create_front_end
from fdx.types import DataError, SplitError


def spans(dataset):
    """Rows of the TFDS splits."""
    ends = dataset._ends
    return dict(zip(('train', 'validation', 'test'), np.split(np.arange(len(dataset)), ends[:2])))


def test_splits_are_fold_0_of_time_blocks(tiny):
    table, parts = tiny.table, spans(tiny)
    assert [len(parts[s]) for s in ('train', 'validation', 'test')] == [54, 18, 18]
    splits = split_rows(table, 'time_blocks', fold=0)
    assert splits.train.tolist() == parts['train'].tolist()
    # Windows overlap by 90%: the scored ones are thinned to one a block.
    assert set(splits.test) <= set(parts['test'])
    assert len(splits.test) == 9
    assert splits.leak.shared == 0


def test_records_hold_what_the_recordings_say(tiny):
    table = tiny.table
    assert set(table['sample_rate_hz']) == {8000.0}
    pairs = set(zip(table['recording'].tolist(), table['window_start'].tolist()))
    assert len(pairs) == len(table)
    for name, label, fault, number in (('normal_0', 0, 0, 0), ('ball_1', 1, 1, 1), ('inner_race_2', 2, 1, 2)):
        rows = table['recording'] == name
        assert rows.sum() == 10
        assert set(table['label'][rows]) == {label}
        assert set(table['fault_type'][rows]) == {fault}
        assert set(table['domain'][rows]) == {f'load{number}'}
        assert set(table['bearing'][rows]) == {f'bearing_{name[:-2]}'}
        assert set(table['speed_rpm'][rows]) == {1000.0 + number}
        assert set(table['load'][rows]) == {float(number)}


def test_stored_spectrograms_are_those_of_the_stored_waveforms(tiny):
    front_end = create_front_end('vggish')
    for row in (0, 40, 89):
        record = tiny.record(row, ('spectrogram', 'waveform', 'waveform_scale', 'peak'))
        chunk = decode_waveform(record['waveform'], record['waveform_scale'])
        assert np.abs(chunk).max() == pytest.approx(record['peak'], rel=1e-6)
        np.testing.assert_allclose(record['spectrogram'], front_end(chunk, 8000.0), atol=0.05)


def test_train_scaling_keeps_the_amplitude_and_the_peaks_that_its_gain_is_fitted_to(tiny_gain, tiny):
    peaks = tiny_gain.table['peak']
    loud = [peaks[tiny_gain.table['recording'] == f'normal_{i}'].mean() for i in range(3)]
    assert loud[1] / loud[0] == pytest.approx(2, rel=0.15)
    assert tiny_gain.front_end.scaling == 'train'
    rows = [int(np.flatnonzero(tiny_gain.table['recording'] == f'normal_{i}')[0]) for i in (0, 1)]
    quiet, louder = tiny_gain.read(rows, 'spectrogram')
    assert (louder - quiet).mean() == pytest.approx(np.log(2), abs=0.15)
    rows = [int(np.flatnonzero(tiny.table['recording'] == f'normal_{i}')[0]) for i in (0, 1)]
    assert abs(np.subtract(*tiny.read(rows, 'spectrogram')[::-1]).mean()) < 0.3


def test_short_recordings_have_block_minus_one_and_lie_in_train(tiny_short):
    table, parts = tiny_short.table, spans(tiny_short)
    assert set(table['recording'][table['block'] == -1]) == {'ball_1'}
    assert set(np.flatnonzero(table['recording'] == 'ball_1')) <= set(parts['train'])
    assert table['window_start'][table['recording'] == 'ball_1'].tolist() == [0, 7800]
    with pytest.raises(SplitError, match=r'time_blocks: ball_1\..*by_recording.*`exclude_recordings`=ball_1$'):
        split_rows(table, 'time_blocks')
    for fold in folds_of('by_recording', table):
        splits = split_rows(table, 'by_recording', fold=fold)
        assert not set(table['recording'][splits.train]) & set(table['recording'][splits.test])
    assert folds_of('by_recording', table) == [0, 1, 2]
    assert len(split_rows(table, 'time_blocks', exclude_recordings=('ball_1',)).test) == 8


def test_a_bad_recording_stops_the_build_and_leaves_no_version_behind(builder_of, recording_of, tmp_path):
    bad = recording_of('ball', 0, 6.0)
    bad.samples[17] = np.inf
    builder = builder_of([recording_of('normal', 0, 6.0), bad])
    with pytest.raises(DataError, match=r'ball_0\.csv: channel 0.* 1 NaN.* sample 17\b.*repair'):
        builder.download_and_prepare()
    assert not list(tmp_path.rglob('dataset_info.json'))
    assert not list(tmp_path.rglob('*.array_record*'))


def test_a_short_recording_is_a_warning_that_names_it(builder_of, recording_of, caplog):
    recordings = [recording_of('normal', 0, 6.0), recording_of('ball', 1, 2.0)]
    with caplog.at_level(logging.WARNING, logger='fdx'):
        builder_of(recordings).download_and_prepare()
    texts = [r.getMessage() for r in caplog.records if r.name.startswith('fdx')]
    assert texts == ['ball_1 lasts 2.00 s: too short for blocks, block -1']


def test_two_recordings_of_one_id_are_refused(builder_of, recording_of):
    with pytest.raises(DataError, match=r'normal_0\.csv: .* id normal_0.*unique'):
        builder_of([recording_of('normal', 0, 6.0)] * 2).download_and_prepare()


def test_where_all_are_short_there_is_only_the_train_split(builder_of, recording_of, tmp_path):
    builder_of([recording_of(label, n, 2.0) for label in ('normal', 'ball') for n in range(3)]).download_and_prepare()
    dataset = open_dataset('changed/six_s', tmp_path)
    parts = spans(dataset)
    assert [len(parts[s]) for s in ('train', 'validation', 'test')] == [len(dataset), 0, 0]
    assert set(dataset.table['block']) == {-1}
    splits = split_rows(dataset.table, 'by_recording')
    assert len(set(dataset.table['recording'][splits.test])) == 2


def test_the_base_class_has_no_recordings_of_its_own(tmp_path):
    with pytest.raises(TypeError, match='abstract'):
        VibrationBuilder(data_dir=tmp_path)
