"""The CWRU builder on the real recordings: ten classes, honest splits, one band."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.signal
import tensorflow_datasets as tfds

from fdx.data.blocks import cut_windows
from fdx.data.prepared import prepare_recording
from fdx.data.protocols.splits import split_rows
from fdx.data.records import decode_waveform
from fdx.data.source import open_dataset
from fdx.datasets.cwru import cwru_dataset_builder as cwru
from fdx.datasets.cwru.files import get_file
from fdx.datasets.cwru.reader import read_file
from fdx.datasets.cwru.subsets import SUBSETS
from fdx.signal.mel import mel_edges_hz
from fdx.signal.resample import resample

NUMBERS = (97, 118, 185, 222, 105, 169, 209, 130, 197, 234)


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp('cwru')


@pytest.fixture(scope='module')
def load0(raw_data, data_dir):
    builder = cwru.Builder(config='load0_12k-vggish', data_dir=data_dir)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=raw_data))
    return open_dataset('cwru/load0_12k', data_dir)


@pytest.fixture(scope='module')
def raw(raw_data):
    """The recordings of load0_12k as they lie in the files."""
    return {n: read_file(raw_data / 'cwru' / f'{n}.mat', get_file(n), 'DE') for n in NUMBERS}


@pytest.fixture(scope='module')
def prepared(raw, data_dir):
    """The same at the common rate and in the common band."""
    spec = cwru.Builder(config='load0_12k-vggish', data_dir=data_dir).record_spec()
    return {n: prepare_recording(r, spec).recording for n, r in raw.items()}


def decibel(ratio):
    return 10 * math.log10(max(ratio, 1e-30))


def band_db(recording, low_hz, high_hz, than_hz=(4800, 5100)):
    """Mean power density of a band over that of another one."""
    rate_hz = recording.sample_rate_hz
    hz, power = scipy.signal.welch(
        recording.samples[:, 0].astype(np.float64), rate_hz, 'blackmanharris', nperseg=int(rate_hz / 10)
    )
    return decibel(power[(hz >= low_hz) & (hz < high_hz)].mean() / power[(hz >= than_hz[0]) & (hz < than_hz[1])].mean())


def test_configs_are_subset_and_front_end(data_dir):
    names = [c.name for c in cwru.Builder.BUILDER_CONFIGS]
    scalings = ('', '_train', '_none')
    kinds = ('vggish', 'multi_resolution_mel', 'musicnn', 'yamnet')
    orders = ('fault_orders', 'fault_orders_shaft', 'fault_orders_stacked', 'envelope_spectrum')
    fronts = [*(f'{f}{s}' for f in kinds for s in scalings), 'musicnn_peak', *orders, 'waveform']
    fronts += [f'{base}_mel{s}' for base in ('band', 'snippet') for s in scalings]
    fronts += [f'scalogram{size}{s}' for size in ('', '_small') for s in ('', '_train')]
    assert sorted(names) == sorted(f'{s}-{f}' for s, f in itertools.product(SUBSETS, fronts))
    for subset, rate_hz, guard_s in (
        ('load0_12k', 12000, 0.05),
        ('drive_end_48k', 48000, 0.05),
        ('faults_12k', 12000, 0.1),
        ('fan_end_12k', 12000, 0.05),
    ):
        for front_end in (*kinds, *orders):
            builder = cwru.Builder(config=f'{subset}-{front_end}', data_dir=data_dir)
            windowing = builder.record_spec().windowing
            assert (builder.common_rate_hz(), builder.channels()) == (rate_hz, 1)
            assert windowing.window_length == pytest.approx(0.975 * rate_hz, abs=2)
            assert (windowing.hop_length, windowing.guard_length) == (0.1 * rate_hz, guard_s * rate_hz)


@pytest.mark.real_data
def test_ten_classes_and_500_records_at_12_khz(load0):
    assert load0.name == 'cwru/load0_12k-vggish:2.0.0'
    faults = ('ball', 'inner_race', 'outer_race')
    assert load0.class_names() == ['normal', *(f'{f}_{s}' for f in faults for s in ('007', '014', '021'))]
    assert load0.class_names('fault_type') == ['normal', *faults]
    table = load0.table
    assert len(table) == 500
    # 97.mat lasts 5 s: one window a block; the others last 10 s.
    assert np.bincount(table['label']).tolist() == [5] + [55] * 9
    assert set(table['sample_rate_hz']) == {12000.0}
    assert set(table['recording']) == {f'cwru_{n:03d}_de' for n in NUMBERS}
    assert set(table['block']) == {0, 1, 2, 3, 4}
    assert len(set(zip(table['recording'].tolist(), table['window_start'].tolist()))) == 500
    of_class = {n: set(table['recording'][table['label'] == i]) for i, n in enumerate(load0.class_names())}
    assert of_class['normal'] == {'cwru_097_de'}
    assert of_class['outer_race_021'] == {'cwru_234_de'}
    assert set(table['domain']) == {'load0'}
    assert set(table['speed_rpm'].round()) <= set(range(1772, 1800))


@pytest.mark.real_data
def test_three_resolutions_leave_the_short_healthy_recording_its_blocks(raw_data, data_dir, prepared):
    spec = cwru.Builder(config='load0_12k-multi_resolution_mel', data_dir=data_dir).record_spec()
    starts, blocks = cut_windows(len(prepared[97].samples), spec.windowing)
    assert blocks.tolist() == [0, 1, 2, 3, 4]
    image = spec.front_end(prepared[97].samples[starts[1] :][: spec.windowing.window_length], 12000.0)
    assert image.shape == (128, 96, 3)
    # Above the common band, which ends at 5.4 kHz, nothing is left in any resolution.
    above = spec.front_end.centre_frequencies_hz() > 5500
    assert above.sum() == 4
    assert (image[above].mean(axis=(0, 1)) < image[:100].mean(axis=(0, 1)) - 3).all()


@pytest.mark.real_data
def test_splits_are_fold_0_and_every_fold_is_free_of_leaks(load0):
    ends = load0._ends.tolist()
    assert ends == [300, 400, 500]
    splits = split_rows(load0.table, 'time_blocks')
    assert splits.train.tolist() == list(range(300))
    assert set(splits.validation) <= set(range(300, 400))
    assert set(splits.test) <= set(range(400, 500))
    for fold in range(5):
        splits = split_rows(load0.table, 'time_blocks', fold=fold)
        assert splits.leak.shared == 0
        # Thinned to windows that do not overlap: one for the healthy recording's block, two for those of 2 s.
        counts = np.bincount(load0.table['label'][splits.test], minlength=10).tolist()
        assert counts == [1] + [counts[1]] * 9
        assert counts[1] in (1, 2)
    assert split_rows(load0.table, 'random_windows').leak.shared > 0.9


@pytest.mark.real_data
def test_no_class_has_energy_above_6_khz(load0):
    lower_edges = mel_edges_hz(64, 125.0, 7500.0)[:-2]
    assert [(lower_edges >= edge_hz).sum() for edge_hz in (6000.0, 5400.0)] == [4, 7]
    for label, name in enumerate(load0.class_names()):
        rows = np.flatnonzero(load0.table['label'] == label)[::11]
        mel = np.exp(load0.read(rows, 'spectrogram').astype(np.float64)) - 0.01
        power = (mel**2).sum(axis=(0, 1, 3))
        for edge_hz in (6000.0, 5400.0):
            above = lower_edges >= edge_hz
            assert decibel(power[above].sum() / power.sum()) < -50, (name, edge_hz)
        record = load0.record(int(rows[0]), ('waveform', 'waveform_scale'))
        chunk = decode_waveform(record['waveform'], record['waveform_scale'])[:, 0]
        hz, density = scipy.signal.welch(resample(chunk, 12000, 16000), 16000, 'blackmanharris', nperseg=1600)
        assert decibel(density[hz > 6000].sum() / density.sum()) < -60, name


@pytest.mark.real_data
def test_the_files_at_12_khz_fall_below_their_nyquist_and_the_healthy_file_does_not(raw):
    """The trap itself: a low-pass at 6 kHz would leave the healthy class its band between 5.5 and 6 kHz."""
    assert raw[97].sample_rate_hz == 48000.0
    assert band_db(raw[97], 5700, 6000) > -10
    for number in NUMBERS[1:]:
        assert raw[number].sample_rate_hz == 12000.0
        assert band_db(raw[number], 5700, 6000) < -25, number


@pytest.mark.real_data
def test_no_class_can_be_told_by_its_roll_off(prepared):
    for number, recording in prepared.items():
        assert recording.sample_rate_hz == 12000.0
        # Above 5.4 kHz, where the recorder's filter shows, every class has lost all that it had.
        assert band_db(recording, 5420, 5700) < -45, number
        assert band_db(recording, 5700, 6000) < -60, number
    slope = {n: band_db(r, 5250, 5400, than_hz=(5000, 5130)) for n, r in prepared.items()}
    faults = [slope[n] for n in NUMBERS[1:]]
    assert min(faults) - 3 < slope[97] < max(faults) + 3


@pytest.mark.real_data
def test_the_healthy_recording_keeps_its_band_below_5_khz(raw, prepared):
    for low_hz, high_hz in ((100, 500), (1000, 2000), (3000, 4000), (4500, 4700)):
        before = band_db(raw[97], low_hz, high_hz)
        assert band_db(prepared[97], low_hz, high_hz) == pytest.approx(before, abs=0.3)
    assert prepared[97].samples.shape == (60985, 1)
