"""Recordings of three axes, from the builder to the batch: a gain and a peak for each axis."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.pipeline import RecordExamples, eval_batches
from fdx.data.protocols.splits import split_rows
from fdx.data.records import decode_waveform
from fdx.data.source import Dataset, open_dataset
from fdx.signal.front_ends import create_front_end
from fdx.signal.scaling import fit_gain
from fdx.types import ConfigError, DataError, Recording

RATE_HZ = 500.0
CLASSES = ('healthy', 'imbalanced')
LEVELS = (1.0, 300.0, 20.0)
GRAVITY = (-100.0, 50.0, 16000.0)


def triaxial_recording(label: str, number: int) -> Recording:
    rng = np.random.default_rng([CLASSES.index(label), number])
    samples = rng.standard_normal((6500, 3)) * LEVELS * (number + 1) + GRAVITY
    return Recording(
        samples=samples.astype(np.float32),
        sample_rate_hz=RATE_HZ,
        recording=f'{label}_{number}',
        label=label,
        fault_type=label,
        bearing='m1',
        domain='load0',
        source=f'{label}_{number}.csv',
    )


class Triaxial(VibrationBuilder, skip_registration=True):
    """Four recordings of 13 s."""

    name = 'triaxial'
    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [
        VibrationConfig(name='all-triaxial_mel', front_end='triaxial_mel', hop_s=1.0, description='Amplitude kept.'),
        VibrationConfig(name='all-triaxial_mel_paper', front_end='triaxial_mel_paper', description='As the study.'),
        VibrationConfig(name='wrong', front_end='multi_resolution_mel', description='A front end of one channel.'),
    ]

    def class_names(self):
        return CLASSES

    def fault_types(self):
        return CLASSES

    def common_rate_hz(self):
        return RATE_HZ

    def channels(self):
        return 3

    def recordings(self, dl_manager):
        del dl_manager
        return [triaxial_recording(label, n) for label in CLASSES for n in range(2)]


@pytest.fixture(scope='module')
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp('triaxial')
    for config in ('all-triaxial_mel', 'all-triaxial_mel_paper'):
        Triaxial(config=config, data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(scope='module')
def dataset(data_dir):
    return open_dataset('triaxial/all', data_dir)


def test_shapes_and_metadata(dataset, data_dir):
    assert dataset.name == 'triaxial/all-triaxial_mel:1.0.0'
    assert dataset.front_end == create_front_end('triaxial_mel', RATE_HZ)
    assert (dataset.channels, dataset.metadata['channels']) == (3, 3)
    assert dataset.input_shape == (128, 24, 3)
    record = dataset.record(0, ('spectrogram', 'waveform', 'waveform_scale', 'peak'))
    length = dataset.table.window_length
    assert record['spectrogram'].shape == (128, 24, 3)
    assert (record['waveform'].shape, record['waveform'].dtype) == ((length, 3), np.int16)
    assert (record['peak'].shape, record['peak'].dtype) == ((3,), np.float32)
    chunk = decode_waveform(record['waveform'], record['waveform_scale'])
    prepared = triaxial_recording('healthy', 0).samples[:length]
    # Gravity and the sensor's offset are gone, the vibration is as strong as before.
    assert np.abs(prepared.mean(axis=0)).max() > 10000
    assert np.abs(chunk.mean(axis=0)).max() < 12
    np.testing.assert_allclose(chunk.std(axis=0), prepared.std(axis=0), rtol=0.1)
    np.testing.assert_allclose(dataset.record(0, ('rms',))['rms'], chunk.std(axis=0), rtol=1e-3)
    paper = open_dataset('triaxial/all-triaxial_mel_paper', data_dir)
    assert paper.input_shape == paper.record(0, ('spectrogram',))['spectrogram'].shape == (128, 2, 3)
    assert paper.table.window_length == 1000


def test_peaks_are_those_of_each_axis_without_gravity(dataset):
    peaks = dataset.table['peak']
    assert peaks.shape == (len(dataset), 3)
    for number in (0, 1):
        mine = peaks[dataset.table['recording'] == f'healthy_{number}']
        # The largest of about a thousand normal values lies at 3 to 5 standard deviations.
        assert (mine / (np.array(LEVELS) * (number + 1)) > 2.5).all()
        assert (mine / (np.array(LEVELS) * (number + 1)) < 5.5).all()


def test_the_gain_of_the_training_rows_reaches_the_batch_axis_by_axis(dataset):
    rows = split_rows(dataset.table, 'time_blocks').train
    gain = fit_gain(dataset.front_end.scaling, dataset.table['peak'][rows])
    np.testing.assert_allclose(gain, 1 / dataset.table['peak'][rows].max(axis=0))
    batch = next(eval_batches(RecordExamples(dataset, rows, 'label', gain), 4))
    assert batch['inputs'].shape == (4, 128, 24, 3)
    stored = dataset.read(rows[:4], 'spectrogram').astype(np.float64)
    wanted = np.log((np.exp(stored) - 0.01) * gain + 0.01)
    np.testing.assert_allclose(batch['inputs'], wanted, atol=1e-5)
    # Axes whose levels lie 300 fold apart look alike afterwards.
    assert np.ptp(stored.mean(axis=(0, 1, 2))) > 4
    assert np.ptp(batch['inputs'].mean(axis=(0, 1, 2))) < 0.5


def test_a_gain_from_json_is_a_tuple_again(dataset):
    rows = np.arange(3)
    for gain in ((0.5, 1.0, 2.0), 0.5):
        stored = json.loads(json.dumps(gain))
        examples = RecordExamples(dataset, rows, 'label', stored)
        assert examples.gain == gain
        assert hash(examples.gain) == hash(gain)


def test_paper_images_do_not_depend_on_the_gain(data_dir):
    paper = open_dataset('triaxial/all-triaxial_mel_paper', data_dir)
    gain = fit_gain(paper.front_end.scaling, paper.table['peak'])
    assert gain[2] == pytest.approx(1 / 16150, rel=0.005), 'the study divides by magnitudes with gravity'
    item = RecordExamples(paper, np.arange(2), 'label', gain)[1]
    np.testing.assert_array_equal(item['inputs'], paper.record(1, ('spectrogram',))['spectrogram'])


def test_a_recording_with_another_number_of_channels_stops_the_build(tmp_path, monkeypatch):
    one = dataclasses.replace(triaxial_recording('healthy', 0), samples=triaxial_recording('healthy', 0).samples[:, :1])
    monkeypatch.setattr(Triaxial, 'recordings', lambda self, dl_manager: [one])
    with pytest.raises(DataError, match=r'^healthy_0\.csv: 1 channels.* 3 .*choose'):
        Triaxial(config='all-triaxial_mel', data_dir=tmp_path).download_and_prepare()
    assert not list(tmp_path.rglob('dataset_info.json'))


def test_a_front_end_of_one_channel_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match='multi_resolution_mel .* one channel.* 3: choose triaxial_mel'):
        Triaxial(config='wrong', data_dir=tmp_path)


def test_datasets_prepared_before_there_were_channels_have_one(tiny_dir, monkeypatch):
    builder = tfds.builder_from_directory(next((tiny_dir / 'tiny_rig' / 'gain').glob('1.0.0')))
    assert builder.info.metadata['channels'] == 1
    monkeypatch.delitem(builder.info.metadata, 'channels')
    old = Dataset(builder)
    assert 'channels' not in old.metadata
    assert (old.channels, old.input_shape) == (1, (96, 64, 1))
    assert old.table['peak'].shape == (len(old),)
