"""Raw recordings of three axes: the windows and images that the dataset's records have, or a remedy."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest

from fdx.data.blocks import Windowing
from fdx.data.prepared import RecordSpec
from fdx.data.records import make_records
from fdx.predict.diagnose import diagnose_recording
from fdx.predict.predictor import AnyPredictor
from fdx.signal.front_ends import create_front_end
from fdx.types import DataError, Recording

RATE_HZ = 512.0
WINDOW = 1000
META = {'common_rate_hz': RATE_HZ, 'window_length': WINDOW, 'guard_length': 51, 'channels': 3}


class FakePredictor(AnyPredictor, types.SimpleNamespace):
    """Stands for a loaded checkpoint: keeps the patches that it is given."""

    def patch_probabilities(self, patches):
        self.seen = patches
        return np.full((len(patches), 2), 0.5, np.float32)


def predictor(front_end='triaxial_mel', **dataset):
    made = create_front_end(front_end, RATE_HZ)
    return FakePredictor(front_end=made, class_names=['a', 'b'], meta={'dataset': {**META, **dataset}}, threshold=None)


def recording(rate_hz=533.049, channels=3):
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((7000, channels)) * 500 + 16000 * (np.arange(channels) == 2)
    return Recording(samples.astype(np.float32), rate_hz, 'pump', 'a', 'a', 'm1', 'load0', source='pump.csv')


@pytest.mark.parametrize(('front_end', 'slow_hz'), [('triaxial_mel', 2.0), ('triaxial_mel_paper', 0.0)])
def test_the_images_are_those_of_the_records(front_end, slow_hz):
    fake, raw = predictor(front_end, removed_below_hz=slow_hz), recording()
    diagnosis = diagnose_recording(fake, raw, hop_s=WINDOW / RATE_HZ)
    spec = RecordSpec(fake.front_end, RATE_HZ, Windowing(WINDOW, WINDOW, 51), channels=3, removed_below_hz=slow_hz)
    records = [record for _, record in make_records(raw, spec, (0, 1, 2, 3, 4))]
    assert records[0]['window_start'] == 0
    np.testing.assert_array_equal(fake.seen[0], records[0]['spectrogram'])
    assert fake.seen.shape == (6, *fake.front_end.output_shape(3))
    assert [row['kind'] for row in diagnosis.rows()] == ['window'] * 6 + ['recording']


@pytest.mark.parametrize(
    ('found', 'needed', 'words'),
    [
        (1, 3, '1 channel, ... takes 3; record all'),
        (4, 3, '4 channels, ... takes 3; choose 3 ... order ... `channel`=A,B,'),
        (3, 1, '3 channels, ... takes 1; ... `channel`'),
    ],
)
def test_another_number_of_channels_is_refused_with_a_remedy(says, found, needed, words):
    with pytest.raises(DataError) as caught:
        diagnose_recording(predictor(channels=needed), recording(channels=found))
    assert str(caught.value).startswith('pump.csv: ') and says(str(caught.value), words)


def test_a_checkpoint_from_before_there_were_channels_takes_one():
    fake = predictor('vggish')
    del fake.meta['dataset']['channels']
    diagnose_recording(fake, recording(channels=1))
    assert fake.seen.shape[1:] == (96, 64, 1)


def test_axes_of_a_table_are_chosen_and_ordered_by_name(tmp_path):
    raw = dataclasses.replace(recording(), sample_rate_hz=RATE_HZ)
    x = np.column_stack([raw.samples[:, 2], np.arange(7000) % 7, raw.samples[:, 0], raw.samples[:, 1]])
    path = tmp_path / 'pump.csv'
    np.savetxt(path, x, fmt='%.9g', delimiter=',', header='z,phase,x,y', comments='')
    fake = predictor()
    fake.diagnose(path, sample_rate_hz=RATE_HZ, channel='x,y,z')
    by_name = fake.seen
    diagnose_recording(fake, raw)
    np.testing.assert_allclose(by_name, fake.seen, atol=1e-4)
    fake.diagnose(path, sample_rate_hz=RATE_HZ, channel=[0, 2, 3])
    np.testing.assert_array_equal(fake.seen[..., 1], by_name[..., 0])
    with pytest.raises(DataError, match='4 channels, the model takes 3'):
        fake.diagnose(path, sample_rate_hz=RATE_HZ)


@pytest.mark.real_data
def test_the_real_file_of_soon_needs_no_flags(raw_data):
    (path,) = (raw_data / 'soon').glob('01 - *.csv')
    fake = predictor()
    diagnosis = fake.diagnose(path)
    # 201 s hold 103 windows of 1.95 s.
    assert fake.seen.shape == (103, 128, 24, 3)
    assert np.isfinite(fake.seen).all()
    fake.diagnose(path, channel='AccX,AccY,AccZ')
    assert len(fake.seen) == len(diagnosis.window_probabilities)
