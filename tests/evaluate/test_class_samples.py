"""What the report shows of each class, for every kind of front end: the channels of what the network sees."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.pipeline import RecordExamples
from fdx.data.source import open_dataset
from fdx.evaluate import data_figures
from fdx.evaluate.data_figures import class_samples
from fdx.evaluate.sample_plots import plot_samples_per_class
from fdx.signal.front_ends import create_front_end, front_end_names
from fdx.types import Recording

RATE_HZ = 512.0
LINE_HZ = {'low': 60.0, 'high': 180.0}


class Lines(VibrationBuilder, skip_registration=True):
    """Two classes, told by a line; the third axis carries gravity."""

    name = 'lines'
    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [
        VibrationConfig(name=f'{channels}-{front_end}', subset=str(channels), front_end=front_end, description='Lines.')
        for channels in (1, 3)
        for front_end in front_end_names(channels)
        if not front_end.startswith('vggish')
    ]

    def class_names(self):
        return list(LINE_HZ)

    def fault_types(self):
        return list(LINE_HZ)

    def common_rate_hz(self):
        return RATE_HZ

    def channels(self):
        return int(self.builder_config.subset)

    def recordings(self, dl_manager):
        del dl_manager
        t = np.arange(round(12 * RATE_HZ)) / RATE_HZ
        rng = np.random.default_rng(0)
        for label, hz in LINE_HZ.items():
            x = 100 * np.sin(2 * np.pi * hz * t)[:, None] + rng.standard_normal((len(t), self.channels()))
            x[:, -1] += 16000 * (self.channels() == 3)
            yield Recording(x.astype(np.float32), RATE_HZ, label, label, label, 'b', 'd', source=label)


@pytest.mark.parametrize(
    ('config', 'panels', 'size', 'unit'),
    [
        ('3-triaxial_mel', ('channel 0', 'channel 1', 'channel 2'), (24, 128, 3), 'log magnitude'),
        ('3-triaxial_mel_paper', ('channel 0', 'channel 1', 'channel 2'), (2, 128, 3), 'dB below maximum'),
        ('1-multi_resolution_mel', ('23.4 ms windows', '48.8 ms windows', '99.6 ms windows'), (96, 128, 3), None),
    ],
)
def test_every_channel_of_every_class_is_shown_in_time_and_hertz(tmp_path, config, panels, size, unit, monkeypatch):
    # A generator would be spent after the first split.
    monkeypatch.setattr(Lines, 'recordings', lambda self, dl, make=Lines.recordings: list(make(self, dl)))
    Lines(config=config, data_dir=tmp_path).download_and_prepare()
    data = open_dataset(f'lines/{config}', tmp_path)
    gain = (0.01,) * data.channels if data.channels > 1 else 0.01
    samples = class_samples(types.SimpleNamespace(examples=[RecordExamples(data, np.arange(len(data)), 'label', gain)]))
    assert [s.class_name for s in samples] == ['low', 'high']
    for sample in samples:
        assert (sample.panels, sample.spectrogram.shape) == (panels, size)
        assert sample.samples.shape == (data.table.window_length, data.channels)
        assert sample.unit == (unit or 'log magnitude')
        for _, image in sample.images():
            # Above gravity, which triaxial_mel_paper leaves in.
            loudest = 10 + image[:, 10:].mean(axis=0).argmax()
            assert sample.frequencies_hz[loudest] == pytest.approx(LINE_HZ[sample.class_name], abs=8)
        first = data.record(int(np.flatnonzero(data.table['recording'] == sample.class_name)[0]), ('spectrogram',))
        shown = data.front_end.with_gain(first['spectrogram'], gain)
        np.testing.assert_array_equal(sample.spectrogram, shown.swapaxes(0, 1))
    figure = plot_samples_per_class(samples)
    assert len([axes for axes in figure.axes if axes.images]) == 6


def test_the_equal_channels_of_a_scalogram_are_drawn_once():
    front_end = create_front_end('scalogram_small', 12000.0)
    image = np.random.default_rng(0).random((64, 64, 1), dtype=np.float32).repeat(3, axis=2)
    record = {'spectrogram': image, 'sample_rate_hz': 12000.0}
    data = types.SimpleNamespace(front_end=front_end, channels=1, record=lambda row, fields: record)
    [(heading, drawn)] = data_figures._window(data, 0, 1.0, 'normal').images()
    assert heading == ''
    np.testing.assert_array_equal(drawn, image[..., 0].T)
