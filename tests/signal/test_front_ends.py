"""The laws that every front end obeys, as a product over names, lengths and rates."""

from __future__ import annotations

import fractions
import itertools
import json
import math

import numpy as np
import pytest

from fdx.signal.front_ends import BASES, create_front_end, front_end_from_config, front_end_names
from fdx.signal.log_mel import LogMel
from fdx.types import ConfigError, DataError

NAMES = front_end_names()
FIXED_RATE = ('vggish', 'musicnn')
RATES_HZ = (16000.0, 12000.0, 20480.0, 44100.0, 48000.0, 8000.0)
DATASET_RATES_HZ = (512.0, 533.049, 12000.0, 20480.0)


def patch_of(front_end):
    return front_end.patch_samples(front_end.rate_hz)


def front_ends(name):
    """The front end at the rates that its dataset may have."""
    return [create_front_end(name, rate_hz) for rate_hz in DATASET_RATES_HZ]


def awkward_lengths(front_end):
    window, hop = front_end.window_length, front_end.hop_length
    patch = window + (front_end.patch_frames - 1) * hop
    around = (0, 1, window - 1, window, window + 1, window + hop - 1, window + hop, patch - 1, patch, patch + 1)
    return (*around, 997, 4099, 15601)


def noise(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def channels_of(name):
    return next(c for c in (1, 3) if name in front_end_names(c))


def test_names_hold_every_scaling_and_the_default_has_no_suffix():
    assert front_end_names(1) == [
        *('vggish', 'vggish_train', 'vggish_none'),
        *('multi_resolution_mel', 'multi_resolution_mel_train', 'multi_resolution_mel_none'),
        *('musicnn', 'musicnn_peak', 'musicnn_train', 'musicnn_none'),
    ]
    several = ['triaxial_mel', 'triaxial_mel_peak', 'triaxial_mel_none', 'triaxial_mel_paper']
    assert front_end_names(2) == front_end_names(3) == several
    assert front_end_names(1) + several == NAMES
    made = {n: create_front_end(n, 533.0) for n in NAMES}
    assert [f.name for f in made.values()] == NAMES
    assert {n: f.scaling for n, f in made.items()} == {
        'vggish': 'peak',
        'vggish_train': 'train',
        'vggish_none': 'none',
        'multi_resolution_mel': 'peak',
        'multi_resolution_mel_train': 'train',
        'multi_resolution_mel_none': 'none',
        'musicnn': 'rms',
        'musicnn_peak': 'peak',
        'musicnn_train': 'train',
        'musicnn_none': 'none',
        'triaxial_mel': 'train',
        'triaxial_mel_peak': 'peak',
        'triaxial_mel_none': 'none',
        'triaxial_mel_paper': 'train',
    }
    for name in ('', 'vggish_peak', 'vggish_median', 'mel', 'vggish_none_train', 'triaxial_mel_train'):
        with pytest.raises(ConfigError, match=f'unknown front end {name!r}.*vggish_train.*triaxial_mel_paper'):
            create_front_end(name, 533.0)


@pytest.mark.parametrize('name', [n for n in NAMES if not n.startswith(FIXED_RATE)])
def test_a_front_end_that_follows_the_rate_asks_for_it(name):
    for rate_hz in (None, 0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ConfigError, match=f'front end {name} follows .*rate_hz={rate_hz} must be'):
            create_front_end(name, rate_hz)
    assert create_front_end(name, 1000).rate_hz == 1000.0


@pytest.mark.parametrize('name', FIXED_RATE)
def test_what_follows_its_weights_has_one_rate(name):
    assert create_front_end(name) == create_front_end(name, 512.0) == create_front_end(name, 48000.0)
    assert create_front_end(name).rate_hz == 16000.0


@pytest.mark.parametrize('name', NAMES)
def test_shapes_lengths_and_durations_at_every_dataset_rate(name):
    channels = channels_of(name)
    for front_end in front_ends(name):
        shape = front_end.output_shape(channels)
        assert (
            shape
            == {
                'vggish': (96, 64, 1),
                'multi_resolution_mel': (128, 96, 3),
                'musicnn': (61, 96, 1),
                'triaxial_mel': (128, 24, 3),
                'triaxial_mel_paper': (128, 2, 3),
            }[name if name in BASES else name.rpartition('_')[0]]
        )
        assert front_end.axes == ('TF' if name.startswith(FIXED_RATE) else 'FT')
        out = front_end(noise(patch_of(front_end), channels), front_end.rate_hz)
        assert (out.shape, out.dtype) == (shape, np.float32)
        assert np.isfinite(out).all()
        with pytest.raises(DataError, match=f'front end {name}, which needs {patch_of(front_end)}$'):
            front_end(noise(patch_of(front_end) - 1, channels), front_end.rate_hz)
        centres = front_end.centre_frequencies_hz()
        assert centres.shape == (shape[front_end.axes.index('F')],)
        assert 0 < centres[0] < centres[-1] < front_end.rate_hz / 2
        assert (np.diff(centres) > 0).all()
        assert len(front_end.panels(channels)) == shape[2]
        assert front_end.unit
    hops_s = {'vgg': 0.01, 'mul': 5 / 533.049, 'mus': 0.016, 'tri': 0.06}
    wanted = hops_s[name[:3]] if 'paper' not in name else 512 / 533.049
    assert create_front_end(name, 533.049).hop_s == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize('name', [n for n in NAMES if isinstance(create_front_end(n, 533.0), LogMel)])
def test_frame_count_law_for_awkward_lengths(name):
    front_end = create_front_end(name, 2000.0)
    window, hop = front_end.window_length, front_end.hop_length
    for n, channels in itertools.product(awkward_lengths(front_end), (1, 2)):
        wanted = sum(1 for start in range(0, n, hop) if start + window <= n)
        assert front_end.num_frames(n) == wanted
        out = front_end.spectrogram(noise(n, channels))
        assert (out.shape, out.dtype) == ((wanted, front_end.n_mels, channels), np.float32), n


@pytest.mark.parametrize(('name', 'rate_hz'), itertools.product(NAMES, RATES_HZ))
def test_a_chunk_gives_one_patch_or_an_error_at_every_rate(name, rate_hz):
    front_end = create_front_end(name, 8000.0)
    channels = channels_of(name)
    target = patch_of(front_end)
    ratio = fractions.Fraction(front_end.rate_hz) / fractions.Fraction(rate_hz)
    shortest = next(n for n in range(int((target - 1) / ratio) - 2, 10**6) if math.ceil(n * ratio) >= target)
    assert front_end.patch_samples(rate_hz) == shortest
    for n in (0, 1, 997, shortest - 1):
        if n < shortest:
            with pytest.raises(DataError, match=f'chunk of {n} samples at {rate_hz:g} Hz.* needs {shortest}$'):
                front_end(noise(n, channels), rate_hz)
    for n in (shortest, shortest + 1, shortest + 1009):
        out = front_end(noise(n, channels), rate_hz)
        assert (out.shape, out.dtype) == (front_end.output_shape(channels), np.float32)
        assert np.isfinite(out).all()


@pytest.mark.parametrize('name', ['vggish', 'triaxial_mel'])
def test_frame_i_covers_window_length_samples_from_i_hops_on_and_no_others(name):
    front_end = create_front_end(name, 2000.0)
    window, hop = front_end.window_length, front_end.hop_length
    x = np.zeros((window + 9 * hop, 1), np.float32)
    silent = front_end.spectrogram(x)
    for at in (1, hop, window - 1, window + 1, 4 * hop + 7):
        x[:] = 0
        x[at] = 1000
        changed = (front_end.spectrogram(x) != silent).any(axis=(1, 2))
        # The periodic Hann window is 0 at its own first sample.
        assert changed.tolist() == [i * hop < at < i * hop + window for i in range(10)], at


def test_config_round_trip_through_json_and_unknown_kind():
    for name, rate_hz in itertools.product(NAMES, DATASET_RATES_HZ):
        front_end = create_front_end(name, rate_hz)
        stored = json.loads(json.dumps(front_end.config()))
        assert stored == front_end.config()
        assert front_end_from_config(stored) == front_end
    with pytest.raises(ConfigError, match="unknown kind of front end 'wavelet'.*log_mel"):
        front_end_from_config({**create_front_end('vggish').config(), 'kind': 'wavelet'})


def test_a_stored_config_from_before_there_were_axes_is_vggish():
    old = {k: v for k, v in create_front_end('vggish').config().items() if k not in ('axes', 'remove_static')}
    assert front_end_from_config(old) == create_front_end('vggish')


@pytest.mark.parametrize(
    ('name', 'change', 'words'),
    [
        ('vggish', {'fft_length': 256}, 'fft_length=256 must be at least window_length=400'),
        ('vggish', {'patch_frames': 0}, 'patch_frames=0 at least 1'),
        ('vggish', {'log_offset': 0.0}, 'log_offset=0.0 above 0'),
        ('vggish', {'scaling': 'median'}, "scaling 'median'; known: peak, rms, train, none"),
        ('vggish', {'n_mels': 200}, 'raise fft_length'),
        ('vggish', {'f_max_hz': 9000.0}, 'Nyquist frequency 8000'),
        ('triaxial_mel', {'axes': 'TC'}, "axes='TC'; known: TF, FT"),
        ('multi_resolution_mel', {'hop_lengths': [10, 20]}, r'hop_lengths=\(10, 20\)'),
        ('multi_resolution_mel', {'fft_lengths': [512, 512, 512]}, 'each FFT at least its window'),
        ('multi_resolution_mel', {'columns': 5}, 'window of 1200 samples does not fit into the patch of 780'),
        ('multi_resolution_mel', {'columns': 0}, 'columns=0 at least 1'),
        ('triaxial_mel_paper', {'patch_length': 0}, 'patch_length=0 must be at least 1'),
        ('triaxial_mel_paper', {'amin': 0.0}, 'amin=0.0'),
        ('triaxial_mel_paper', {'hop_length': 0}, 'hop_length=0'),
    ],
)
def test_impossible_parameters_are_refused_when_the_front_end_is_made(name, change, words):
    with pytest.raises(ConfigError, match=words):
        front_end_from_config({**create_front_end(name, 12000.0).config(), **change})
