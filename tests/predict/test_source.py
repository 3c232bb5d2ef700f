"""What a user hands over: samples in memory are diagnosed as the same samples in a file are."""

import numpy as np
import pytest

import fdx
from fdx.predict.source import read_source
from fdx.types import ConfigError, DataError
from tests.predict.bench import RATE_HZ, noise, struck


def test_an_array_is_diagnosed_like_a_file(tmp_path):
    samples = struck(5.415, seed=1).samples
    np.save(tmp_path / 'pump.npy', samples[:, 0])
    told = {'sample_rate_hz': RATE_HZ, 'bearing': 'skf_6205', 'speed_rpm': 1500}
    of_array, of_file = fdx.zero_shot(samples, **told), fdx.zero_shot(tmp_path / 'pump.npy', **told)
    assert of_array.label == of_file.label == 'inner_race'
    assert of_array.probabilities == of_file.probabilities
    assert fdx.zero_shot(samples[:, 0], **told).probabilities == of_file.probabilities
    stereo = np.column_stack((noise().samples, samples))
    assert fdx.zero_shot(stereo, channel=1, **told).probabilities == of_file.probabilities


@pytest.mark.parametrize(
    ('samples', 'options', 'error', 'words'),
    [
        (np.ones(9), {}, ConfigError, 'pass `sample_rate_hz`'),
        (np.ones(9), {'sample_rate_hz': 9, 'variable': 'de'}, ConfigError, '`variable`: says how a file is read'),
        (np.ones((9, 2)), {'sample_rate_hz': 9, 'channel': 2}, ConfigError, '`channel`=2: .* channels 0 to 1'),
        (np.ones((9, 2)), {'sample_rate_hz': 9, 'channel': 'x'}, ConfigError, '`channel`=x'),
        (np.ones((9, 2, 2)), {'sample_rate_hz': 9}, DataError, r'float64 \[9, 2, 2\]'),
        (np.array(['a']), {'sample_rate_hz': 9}, DataError, 'real numbers'),
        (np.ones(9, complex), {'sample_rate_hz': 9}, DataError, 'real numbers'),
        ([1.0, 2.0], {'sample_rate_hz': 9}, ConfigError, 'an array of samples can be diagnosed, not list'),
    ],
)
def test_arrays_that_are_refused(samples, options, error, words):
    with pytest.raises(error, match=words):
        read_source(samples, **options)


@pytest.mark.parametrize('dtype', [np.float64, np.int16, np.uint8])
def test_arrays_keep_their_values_and_channels(dtype):
    samples = np.arange(12).reshape(6, 2).astype(dtype)
    found = read_source(samples, sample_rate_hz=100, channel=[1, 0])
    assert found.samples.tolist() == samples[:, ::-1].tolist()
    assert (found.sample_rate_hz, found.recording) == (100.0, 'array')


def test_a_tachometer_by_name_needs_a_file():
    with pytest.raises(ConfigError, match='beside a Recording or an array, give its samples'):
        fdx.zero_shot(noise().samples, sample_rate_hz=RATE_HZ, bearing='skf_6205', speed_rpm=1500, tachometer='tacho')
