"""Front ends from their configs: JSON and back, old configs, and parameters that cannot be."""

from __future__ import annotations

import itertools
import json

import pytest

from fdx.signal.front_ends import create_front_end, front_end_from_config, front_end_names
from fdx.types import ConfigError

NAMES = front_end_names()
DATASET_RATES_HZ = (512.0, 533.049, 12000.0, 20480.0)


def test_config_round_trip_through_json_and_unknown_kind():
    for name, rate_hz in itertools.product(NAMES, DATASET_RATES_HZ):
        front_end = create_front_end(name, rate_hz)
        stored = json.loads(json.dumps(front_end.config()))
        assert stored == front_end.config()
        assert front_end_from_config(stored) == front_end
    with pytest.raises(ConfigError, match="'wavelet'.*log_mel"):
        front_end_from_config({**create_front_end('vggish').config(), 'kind': 'wavelet'})


def test_a_stored_config_from_before_there_were_axes_is_vggish():
    old = {k: v for k, v in create_front_end('vggish').config().items() if k not in ('axes', 'remove_static')}
    assert front_end_from_config(old) == create_front_end('vggish')


@pytest.mark.parametrize(
    ('name', 'change', 'words'),
    [
        ('vggish', {'fft_length': 256}, 'fft_length=256 .*window_length=400'),
        ('vggish', {'patch_frames': 0}, 'patch_frames=0 at least 1'),
        ('vggish', {'log_offset': 0.0}, 'log_offset=0.0 above 0'),
        ('vggish', {'scaling': 'median'}, "scaling 'median'; .*peak, rms, standard, train, none"),
        ('vggish', {'n_mels': 200}, 'raise fft_length'),
        ('vggish', {'f_max_hz': 9000.0}, 'Nyquist frequency 8000'),
        ('triaxial_mel', {'axes': 'TC'}, "axes='TC'; known: TF, FT"),
        ('multi_resolution_mel', {'hop_lengths': [10, 20]}, r'hop_lengths=\(10, 20\)'),
        ('multi_resolution_mel', {'fft_lengths': [512, 512, 512]}, 'each FFT at least its window'),
        ('multi_resolution_mel', {'columns': 5}, 'window of 1200 samples .*patch of 780'),
        ('multi_resolution_mel', {'columns': 0}, 'columns=0 at least 1'),
        ('scalogram', {'columns': 0}, "'columns': 0"),
        ('scalogram', {'f_max_hz': 6001.0}, 'f_max_hz=6001, which must be at most 6000'),
        ('scalogram', {'f_min_hz': 6000.0}, 'f_min_hz=6000 must be above 0 and below'),
        ('scalogram', {'floor': 0.0}, r'floor=0\.0 must be above 0'),
        ('triaxial_mel_paper', {'patch_length': 0}, 'patch_length=0 must be at least 1'),
        ('triaxial_mel_paper', {'amin': 0.0}, 'amin=0.0'),
        ('triaxial_mel_paper', {'hop_length': 0}, 'hop_length=0'),
    ],
)
def test_impossible_parameters_are_refused_when_the_front_end_is_made(name, change, words):
    with pytest.raises(ConfigError, match=words):
        front_end_from_config({**create_front_end(name, 12000.0).config(), **change})
