"""The SOON builder: 30 short files through the usual way, the real file through its parts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fdx.data.download import NetworkUnreachableError
from fdx.data.prepare import prepare_if_missing
from fdx.data.prepared import prepare_recording
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.records import decode_waveform, make_records
from fdx.data.source import open_dataset
from fdx.datasets.soon import soon_dataset_builder as soon
from fdx.datasets.soon.files import FAULT_TYPES, FILES
from fdx.datasets.soon.reader import read_file
from fdx.datasets.soon.subsets import SUBSETS
from fdx.types import DataError, Recording, SplitError


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp('soon')


@pytest.fixture(scope='module')
def no_network():
    def refuse(url, target, *, looks_right):
        del target, looks_right
        raise NetworkUnreachableError(f'no connection to {url}')

    with pytest.MonkeyPatch.context() as patch:
        resolve = soon.resolve_files
        patch.setattr(soon, 'resolve_files', lambda *args: resolve(*args, downloader=refuse))
        patch.delenv('FDX_RAW_DATA', raising=False)
        yield


@pytest.fixture(scope='module')
def everything(soon_files, data_dir, no_network):
    prepare_if_missing('soon/all', str(data_dir), str(soon_files.parent))
    return open_dataset('soon/all', data_dir)


@pytest.fixture(scope='module')
def paper(soon_files, data_dir, no_network):
    prepare_if_missing('soon/conditions-triaxial_mel_paper', str(data_dir), str(soon_files))
    return open_dataset('soon/conditions-triaxial_mel_paper', data_dir)


def test_configs_are_subsets_and_front_ends_for_three_axes(data_dir):
    names = [config.name for config in soon.Builder.BUILDER_CONFIGS]
    fronts = ('triaxial_mel', 'triaxial_mel_peak', 'triaxial_mel_none', 'triaxial_mel_paper')
    fronts += tuple(f'{base}_mel{s}' for base in ('band', 'snippet') for s in ('', '_train', '_none'))
    assert names == [f'{subset}-{front}' for subset in ('all', 'conditions', 'm1_alone') for front in fronts]
    for front, length in (('triaxial_mel', 959), ('triaxial_mel_peak', 959), ('triaxial_mel_paper', 1000)):
        builder = soon.Builder(config=f'm1_alone-{front}', data_dir=data_dir)
        spec = builder.record_spec()
        assert (builder.common_rate_hz(), builder.channels(), spec.channels) == (512.0, 3, 3)
        assert (spec.windowing.window_length, spec.windowing.hop_length) == (length, (length + 1) // 2)
        assert spec.windowing.guard_length == 307
        assert builder.class_names() == SUBSETS['m1_alone'].classes
        assert '10.2478/amset-2022-0012' in builder.info.citation
        assert '10.5281/zenodo.6473455' in builder.info.citation


def test_the_default_config_holds_30_recordings_of_three_axes(everything):
    assert everything.name == 'soon/all-triaxial_mel:2.0.0'
    assert everything.class_names() == [file.scenario for file in FILES.values()]
    assert everything.class_names('fault_type') == list(FAULT_TYPES)
    assert (everything.channels, everything.metadata['channels']) == (3, 3)
    assert everything.input_shape == everything.front_end.output_shape(3) == (128, 24, 3)
    table = everything.table
    assert table['peak'].shape == (len(table), 3)
    assert set(table['sample_rate_hz']) == {512.0}
    assert set(table['block']) == {0, 1, 2, 3, 4}
    for number, file in FILES.items():
        rows = table['recording'] == file.recording
        assert set(table['label'][rows]) == {number - 1}
        assert set(table['fault_type'][rows]) == {FAULT_TYPES.index(file.fault_type)}
        assert set(table['domain'][rows]) == {file.domain}
        assert set(table['load'][rows]) == {file.load_nm}
        assert set(table['bearing'][rows]) == {'m1'}
        assert np.isnan(table['speed_rpm'][rows]).all()
        # 13.4 s hold one window a block, 22 s two and one between them.
        assert np.bincount(table['block'][rows]).tolist() == ([1] * 5 if number > 4 else [3] * 5)
    image = everything.read([0], 'spectrogram')[0]
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    # Each file's tone is where it was written: 25 Hz in 01, 170 Hz in 30 (whose clock is that of 01).
    for row, hz in ((0, 25.0), (int(np.flatnonzero(table['label'] == 29)[0]), 170.0)):
        record = everything.record(row, ('waveform', 'waveform_scale'))
        x = decode_waveform(record['waveform'], record['waveform_scale'])
        assert x.shape == (959, 3)
        power = np.abs(np.fft.rfft((x[:, 0] - x[:, 0].mean()) * np.hanning(959), 1 << 15))
        assert power.argmax() * 512 / (1 << 15) == pytest.approx(hz, abs=0.1)
        # Gravity of 16,200 counts is gone.
        assert abs(x[:, 2].mean()) < 1


def test_protocols(everything, paper):
    table = everything.table
    for fold in range(5):
        splits = split_rows(table, 'time_blocks', fold=fold)
        assert splits.leak.shared == 0
        assert np.bincount(table['label'][splits.test], minlength=30).min() >= 1
    assert split_rows(table, 'random_windows').leak.shared > 0
    # By the state of m1, whole recordings can be tested; by scenario they cannot: each is one recording.
    assert folds_of('by_recording', table, 'fault_type') == [0, 1, 2, 3]
    splits = split_rows(table, 'by_recording', label_key='fault_type')
    assert not set(table['recording'][splits.train]) & set(table['recording'][splits.test])
    with pytest.raises(SplitError, match='needs 2 recordings of every class'):
        split_rows(table, 'by_recording')
    # 04 alone can be held back from `conditions`, its class stays.
    without = split_rows(paper.table, 'time_blocks', exclude_recordings=('soon_04',))
    rows = paper.table['recording'][without.train]
    imbalanced = paper.class_names().index('imbalanced')
    assert set(rows[paper.table['label'][without.train] == imbalanced]) == {'soon_03'}


def test_the_study_s_images_of_conditions(paper):
    assert paper.name == 'soon/conditions-triaxial_mel_paper:2.0.0'
    assert len(paper.class_names()) == 29
    assert paper.input_shape == (128, 2, 3)
    assert paper.table.window_length == 1000
    starts = np.sort(paper.table['window_start'][paper.table['recording'] == 'soon_04'])
    assert np.diff(starts).tolist()[:2] == [500, 500]
    assert set(paper.table['label'][np.isin(paper.table['recording'], ['soon_03', 'soon_04'])]) == {2}


def test_missing_files_stop_the_build_by_name_and_leave_nothing(raw_data, tmp_path, no_network):
    with pytest.raises(DataError) as caught:
        prepare_if_missing('soon/all', str(tmp_path / 'data'), str(raw_data))
    text = str(caught.value)
    assert 'SOON all: 29 of 30 files are missing' in text
    assert "'30 - m1_mechanically" in text
    assert "'01 - m1" not in text
    assert not list(tmp_path.rglob('*.array_record*'))
    assert not (tmp_path / 'data' / 'soon').exists()


@pytest.mark.real_data
def test_records_of_the_real_file(raw_data, data_dir):
    recording = read_file(raw_data / 'soon' / FILES[1].name, FILES[1])
    for front, shape in (('triaxial_mel', (128, 24, 3)), ('triaxial_mel_paper', (128, 2, 3))):
        spec = soon.Builder(config=f'all-{front}', data_dir=data_dir).record_spec()
        examples = [example for _, example in make_records(recording, spec, (4,))]
        # The last fifth of 201.3 s in windows that overlap by half.
        windows = 201.3 / 5 * 512 / spec.windowing.window_length
        assert len(examples) == pytest.approx(2 * windows - 1, abs=3)
        assert {example['spectrogram'].shape for example in examples} == {shape}
        assert all(np.isfinite(example['spectrogram']).all() for example in examples)
        assert examples[0]['waveform'].shape == (spec.windowing.window_length, 3)
        assert examples[0]['peak'].shape == (3,)
    prepared = prepare_recording(recording, spec).recording
    hz, before = scipy.signal.welch(
        recording.samples.astype(np.float64), recording.sample_rate_hz, nperseg=4096, axis=0
    )
    hz_after, after = scipy.signal.welch(prepared.samples.astype(np.float64), 512.0, nperseg=4096, axis=0)
    for low_hz, high_hz in ((5, 40), (40, 50), (50, 120), (120, 200)):
        power = before[(hz >= low_hz) & (hz < high_hz)].mean(axis=0)
        kept = after[(hz_after >= low_hz) & (hz_after < high_hz)].mean(axis=0)
        np.testing.assert_allclose(10 * np.log10(kept / power), 0, atol=0.3)


def test_no_sample_of_a_file_reaches_two_blocks(data_dir):
    """The filter of the common band smears an impulse, and the guard is longer than what it smears."""
    spec = soon.Builder(config='all-triaxial_mel', data_dir=data_dir).record_spec()
    noise = np.random.default_rng(0).standard_normal((4000, 3)).astype(np.float32)
    recording = recording_of(noise)
    with_impulse = noise.copy()
    # Two impulses that leave the mean alone, which goes around the filter; the second one lies far behind.
    with_impulse[1000] += 1e4
    with_impulse[3000] -= 1e4
    difference = (
        prepare_recording(recording_of(with_impulse), spec).recording.samples
        - prepare_recording(recording, spec).recording.samples
    )
    reached = np.flatnonzero(np.abs(difference[:1900, 0]) > 1e-3)
    interpolation = 2 * 33 * 512 / 528
    assert 100 < np.ptp(reached) + interpolation < spec.windowing.guard_length


def recording_of(samples):
    """A recording of file 01's rate and labels with other samples."""
    file = FILES[1]
    return Recording(
        samples=samples,
        sample_rate_hz=1e6 / 1876,
        recording=file.recording,
        label=file.scenario,
        fault_type=file.fault_type,
        bearing='m1',
        domain=file.domain,
    )
