"""The laws that every front end obeys, as a product over names, lengths and rates."""

from __future__ import annotations

import fractions
import itertools
import math

import numpy as np
import pytest

from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import BASES, create_front_end, front_end_names, reads_orders
from fdx.signal.log_mel import LogMel
from fdx.signal.patch import Condition
from fdx.types import ConfigError, DataError

NAMES = front_end_names()
FIXED_RATE = ('vggish', 'musicnn', 'yamnet')
# They read a whole chunk at the rate it has; no part of them is a first patch or a resampled one.
WHOLE_CHUNK = ('fault_orders', 'fault_orders_shaft', 'fault_orders_stacked', 'envelope_spectrum')
# Nothing of these is resampled, and their rows have no frequency.
AT_ANY_RATE = (*WHOLE_CHUNK, 'waveform')
# Slow enough that order 17 of the shaft fits under 0.9 of 256 Hz, and 10.7 turns in 0.975 s.
CONDITION = Condition(660.0, BEARINGS['skf_6205'])
RATES_HZ = (16000.0, 12000.0, 20480.0, 44100.0, 48000.0, 4000.0)
# Scaling plays no part in lengths and rates: one rate will do for all but the default one of each base.
CHUNKS = [(name, rate_hz) for name in NAMES for rate_hz in RATES_HZ if name in BASES or rate_hz == 44100.0]
DATASET_RATES_HZ = (512.0, 533.049, 12000.0, 20480.0)


def patch_of(front_end):
    return front_end.patch_samples(front_end.rate_hz)


def front_ends(name):
    """The front end at the rates that its dataset may have."""
    return [
        create_front_end(name, rate_hz) for rate_hz in (DATASET_RATES_HZ if name in BASES else DATASET_RATES_HZ[1:3])
    ]


def awkward_lengths(front_end):
    window, hop = front_end.window_length, front_end.hop_length
    patch = window + (front_end.patch_frames - 1) * hop
    around = (0, 1, window - 1, window, window + 1, window + hop - 1, window + hop, patch - 1, patch, patch + 1)
    return (*around, 997, 4099, 15601)


def noise(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def too_short(name, samples, rate_hz, needed):
    """The message for a chunk below one patch, as a pattern."""
    if name in AT_ANY_RATE:
        window = '0.975 s' if name in WHOLE_CHUNK else str(needed)
        return f'front end {name}: {samples} samples are fewer than the {window} of a window$'
    return f'chunk of {samples} samples at {rate_hz:g} Hz.* of front end {name}, which needs {needed}$'


def channels_of(name):
    return next(c for c in (1, 3) if name in front_end_names(c))


def test_names_hold_every_scaling_and_the_default_has_no_suffix():
    of_any_channels = [f'{base}{s}' for base in ('band_mel', 'snippet_mel') for s in ('', '_train', '_none')]
    assert front_end_names(1) == [
        *('vggish', 'vggish_train', 'vggish_none'),
        *('multi_resolution_mel', 'multi_resolution_mel_train', 'multi_resolution_mel_none'),
        *('musicnn', 'musicnn_peak', 'musicnn_train', 'musicnn_none'),
        *('yamnet', 'yamnet_train', 'yamnet_none'),
        *('scalogram', 'scalogram_train', 'scalogram_small', 'scalogram_small_train'),
        *AT_ANY_RATE,
        *of_any_channels,
    ]
    several = ['triaxial_mel', 'triaxial_mel_peak', 'triaxial_mel_none', 'triaxial_mel_paper']
    assert front_end_names(2) == front_end_names(3) == [*several, *of_any_channels]
    assert [n for n in front_end_names(1) if n not in of_any_channels] + several + of_any_channels == NAMES
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
        'yamnet': 'peak',
        'yamnet_train': 'train',
        'yamnet_none': 'none',
        'scalogram': 'peak',
        'scalogram_train': 'train',
        'scalogram_small': 'peak',
        'scalogram_small_train': 'train',
        **dict.fromkeys(WHOLE_CHUNK, 'none'),
        'waveform': 'standard',
        'band_mel': 'peak',
        'band_mel_train': 'train',
        'band_mel_none': 'none',
        'snippet_mel': 'peak',
        'snippet_mel_train': 'train',
        'snippet_mel_none': 'none',
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
                'yamnet': (96, 64, 1),
                'scalogram': (224, 224, 3),
                'scalogram_small': (64, 64, 3),
                'fault_orders': (24, 6, 3),
                'fault_orders_shaft': (24, 6, 5),
                'fault_orders_stacked': (96, 64, 1),
                'envelope_spectrum': (1024, 1, 1),
                'waveform': (1024, 1, 1),
                'band_mel': (16, 64, 1),
                'snippet_mel': (16, 64, 1),
                'triaxial_mel': (128, 24, 3),
                'triaxial_mel_paper': (128, 2, 3),
            }[name if name in BASES else name.rpartition('_')[0]]
        )
        assert front_end.axes == (
            'TF' if name.startswith((*FIXED_RATE, 'envelope', 'waveform', 'band', 'snippet')) else 'FT'
        )
        out = front_end(noise(patch_of(front_end), channels), front_end.rate_hz, CONDITION)
        assert (out.shape, out.dtype) == (shape, np.float32)
        assert np.isfinite(out).all()
        short = patch_of(front_end) - 1
        with pytest.raises(DataError, match=too_short(name, short, front_end.rate_hz, short + 1)):
            front_end(noise(short, channels), front_end.rate_hz, CONDITION)
        centres = front_end.centre_frequencies_hz()
        assert centres.shape == (shape[front_end.axes.index('F')],)
        assert centres[0] > 0 and (np.diff(centres) > 0).all()
        if name not in AT_ANY_RATE:
            assert centres[0] < centres[-1] < front_end.rate_hz / 2
        assert len(front_end.panels(channels)) == shape[2]
        assert front_end.unit and len(front_end.plot_labels) == 2 and front_end.plot_labels[0]
    hops_s = {'vgg': 0.01, 'mul': 5 / 533.049, 'mus': 0.016, 'tri': 0.06, 'ban': 7 / 533.049, 'sni': 2 / 533.049}
    hops_s |= {
        'yam': 0.01,
        'sca': 2 / 533.049,
        'fau': 1.0,
        'env': 17 / 1024,
        'wav': 1 / 533.049,
    }  # columns, shaft orders, samples
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


@pytest.mark.parametrize(('name', 'rate_hz'), CHUNKS)
def test_a_chunk_gives_one_patch_or_an_error_at_every_rate(name, rate_hz):
    front_end = create_front_end(name, 4000.0)
    channels = channels_of(name)
    if name in AT_ANY_RATE:
        shortest = round(0.975 * rate_hz) if name in WHOLE_CHUNK else 1024
    else:
        target = patch_of(front_end)
        ratio = fractions.Fraction(front_end.rate_hz) / fractions.Fraction(rate_hz)
        shortest = next(n for n in range(int((target - 1) / ratio) - 2, 10**6) if math.ceil(n * ratio) >= target)
    assert front_end.patch_samples(rate_hz) == shortest
    for n in (0, 1, 997, shortest - 1):
        if n < shortest:
            with pytest.raises(DataError, match=too_short(name, n, rate_hz, shortest)):
                front_end(noise(n, channels), rate_hz, CONDITION)
    for n in (shortest, shortest + 1, shortest + 1009):
        out = front_end(noise(n, channels), rate_hz, CONDITION)
        assert (out.shape, out.dtype) == (front_end.output_shape(channels), np.float32)
        assert np.isfinite(out).all()


@pytest.mark.parametrize('name', NAMES)
def test_what_lies_behind_a_patch_counts_where_whole_chunks_are_read_and_nowhere_else(name):
    front_end = create_front_end(name, 2000.0)
    used = front_end.patch_samples(2000.0) + 800  # the anti-alias filter reaches a little beyond
    x = noise(used + 2000, channels_of(name))
    x[0] = 50  # the peak; the tail is turned round, so that it keeps its share in the static part
    tail = x.copy()
    tail[used:] = tail[used:][::-1]
    same = np.array_equal(front_end(x, 2000.0, CONDITION), front_end(tail, 2000.0, CONDITION))
    assert same == (name not in WHOLE_CHUNK)


@pytest.mark.parametrize('name', NAMES)
def test_the_condition_counts_where_orders_are_read_and_nowhere_else(name):
    assert reads_orders(name) == (name in WHOLE_CHUNK)
    front_end = create_front_end(name, 2000.0)
    x = noise(front_end.patch_samples(2000.0), channels_of(name))
    out = front_end(x, 2000.0, CONDITION)
    if reads_orders(name):
        assert not np.array_equal(out, front_end(x, 2000.0, Condition(700.0, BEARINGS['skf_6205'])))
        with pytest.raises(DataError, match=f'front end {name} needs the'):
            front_end(x, 2000.0)
    else:
        np.testing.assert_array_equal(out, front_end(x, 2000.0))


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
