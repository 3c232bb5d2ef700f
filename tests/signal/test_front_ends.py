"""The laws that every front end obeys, as a product over names, lengths and rates."""

from __future__ import annotations

import fractions
import itertools
import math

import numpy as np
import pytest

from fdx.signal.front_ends import create_front_end, front_end_from_config, front_end_names
from fdx.types import ConfigError, DataError

NAMES = front_end_names()
RATES_HZ = (16000.0, 12000.0, 20480.0, 44100.0, 48000.0, 8000.0)


def awkward_lengths(front_end):
    window, hop = front_end.window_length, front_end.hop_length
    patch = window + (front_end.patch_frames - 1) * hop
    around = (0, 1, window - 1, window, window + 1, window + hop - 1, window + hop, patch - 1, patch, patch + 1)
    return (*around, 997, 4099, 15601)


def noise(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def test_names_hold_every_scaling_of_vggish():
    assert {'vggish', 'vggish_train', 'vggish_none'} <= set(NAMES)
    assert [create_front_end(n).name for n in NAMES] == NAMES
    assert {n: create_front_end(n).scaling for n in ('vggish', 'vggish_train', 'vggish_none')} == {
        'vggish': 'peak',
        'vggish_train': 'train',
        'vggish_none': 'none',
    }
    for name in ('', 'vggish_peak', 'vggish_median', 'mel', 'vggish_none_train'):
        with pytest.raises(ConfigError, match=f'unknown front end {name!r}.*vggish_train'):
            create_front_end(name)


@pytest.mark.parametrize('name', NAMES)
def test_frame_count_law_for_awkward_lengths(name):
    front_end = create_front_end(name)
    window, hop = front_end.window_length, front_end.hop_length
    for n, channels in itertools.product(awkward_lengths(front_end), (1, 2)):
        wanted = sum(1 for start in range(0, n, hop) if start + window <= n)
        assert front_end.num_frames(n) == wanted
        out = front_end.spectrogram(noise(n, channels))
        assert (out.shape, out.dtype) == ((wanted, front_end.n_mels, channels), np.float32), n


@pytest.mark.parametrize(('name', 'rate_hz'), itertools.product(NAMES, RATES_HZ))
def test_a_chunk_gives_one_patch_or_an_error_at_every_rate(name, rate_hz):
    front_end = create_front_end(name)
    target = front_end.window_length + (front_end.patch_frames - 1) * front_end.hop_length
    ratio = fractions.Fraction(front_end.rate_hz) / fractions.Fraction(rate_hz)
    shortest = next(n for n in range(int(target / ratio) - 2, 10**6) if math.ceil(n * ratio) >= target)
    assert front_end.patch_samples(rate_hz) == shortest
    lengths = {*awkward_lengths(front_end), shortest - 1, shortest, shortest + 1, shortest + 1009}
    for n in sorted(lengths):
        if n < shortest:
            with pytest.raises(DataError, match=f'chunk of {n} samples at {rate_hz:g} Hz.* needs {shortest}$'):
                front_end(noise(n, 1), rate_hz)
        else:
            out = front_end(noise(n, 1), rate_hz)
            assert (out.shape, out.dtype) == (front_end.output_shape(), np.float32)
            assert np.isfinite(out).all()


@pytest.mark.parametrize('name', NAMES)
def test_frame_i_covers_window_length_samples_from_i_hops_on_and_no_others(name):
    front_end = create_front_end(name)
    window, hop = front_end.window_length, front_end.hop_length
    x = np.zeros((window + 9 * hop, 1), np.float32)
    silent = front_end.spectrogram(x)
    for at in (1, hop, window - 1, window + 1, 4 * hop + 7):
        x[:] = 0
        x[at] = 1
        changed = (front_end.spectrogram(x) != silent).any(axis=(1, 2))
        # The periodic Hann window is 0 at its own first sample.
        assert changed.tolist() == [i * hop < at < i * hop + window for i in range(10)], at


def test_config_round_trip_and_unknown_kind():
    for name in NAMES:
        front_end = create_front_end(name)
        assert front_end_from_config(front_end.config()) == front_end
    with pytest.raises(ConfigError, match="unknown kind of front end 'wavelet'.*log_mel"):
        front_end_from_config({**create_front_end('vggish').config(), 'kind': 'wavelet'})


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'fft_length': 256}, 'fft_length=256 must be at least window_length=400'),
        ({'patch_frames': 0}, 'patch_frames=0 at least 1'),
        ({'log_offset': 0.0}, 'log_offset=0.0 above 0'),
        ({'scaling': 'median'}, "scaling 'median'; known: peak, train, none"),
        ({'n_mels': 200}, 'raise fft_length'),
        ({'f_max_hz': 9000.0}, 'Nyquist frequency 8000'),
    ],
)
def test_impossible_parameters_are_refused_when_the_front_end_is_made(change, words):
    with pytest.raises(ConfigError, match=words):
        front_end_from_config({**create_front_end('vggish').config(), **change})
