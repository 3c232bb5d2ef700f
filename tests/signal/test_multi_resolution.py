"""multi_resolution_mel: three log-mels against oracles in plain loops, and a gain that stays exact."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fdx.signal.front_ends import create_front_end
from fdx.signal.mel import empty_filters
from fdx.types import ConfigError, DataError

RATE_HZ = 12000.0
COLUMNS = 96


def hertz_to_mel(hz):
    return 1127.0 * math.log(1.0 + hz / 700.0)


def oracle_mel(x, window, hop, fft_length, rate_hz=RATE_HZ):
    """(mel magnitudes [128, frames], frame centres in samples) of x [T] over the whole band."""
    top = hertz_to_mel(rate_hz / 2)
    filters = np.zeros((fft_length // 2 + 1, 128))
    for k in range(1, fft_length // 2 + 1):
        place = hertz_to_mel(k * rate_hz / fft_length) / top * 129
        for m in (int(place) - 1, int(place)):
            if 0 <= m < 128:
                filters[k, m] += max(0.0, 1 - abs(place - (m + 1)))
    hann = np.array([0.5 - 0.5 * math.cos(2 * math.pi * i / window) for i in range(window)])
    starts = range(0, len(x) - window + 1, hop)
    spectra = [
        np.abs(np.fft.rfft(np.asarray(x[s : s + window], np.float64) * hann, fft_length)) @ filters for s in starts
    ]
    return np.stack(spectra, axis=1), [s + window / 2 for s in starts]


def oracle(x):
    """The image of x [11700] at 12 kHz: [128, 96, 3]."""
    wanted_at = [150 + 120 * i for i in range(COLUMNS)]
    image = np.empty((128, COLUMNS, 3))
    for r, (window, hop, fft_length) in enumerate(((300, 120, 512), (600, 300, 1024), (1200, 600, 2048))):
        mel, centres = oracle_mel(x, window, hop, fft_length)
        for column, at in enumerate(wanted_at):
            after = sum(c < at for c in centres)
            if after == 0:
                value = mel[:, 0]
            elif after == len(centres):
                value = mel[:, -1]
            else:
                share = (at - centres[after - 1]) / (centres[after] - centres[after - 1])
                value = (1 - share) * mel[:, after - 1] + share * mel[:, after]
            image[:, column, r] = np.log(value + 0.01)
    return image


def sweep():
    t = np.arange(11700) / RATE_HZ
    rng = np.random.default_rng(4)
    x = np.sin(2 * np.pi * (100 * t + 2500 * t**2)) + 0.05 * rng.standard_normal(len(t))
    x[5000] += 20
    return x.astype(np.float32)


def test_the_image_is_the_oracles_and_has_the_promised_shape():
    front_end = create_front_end('multi_resolution_mel_none', RATE_HZ)
    assert front_end.window_lengths == (300, 600, 1200)
    assert front_end.hop_lengths == (120, 300, 600)
    assert front_end.patch_samples(RATE_HZ) == 11700 == 0.975 * RATE_HZ
    assert front_end.output_shape(1) == (128, 96, 3)
    x = sweep()
    image = front_end(x[:, None], RATE_HZ)
    assert (image.shape, image.dtype) == ((128, 96, 3), np.float32)
    np.testing.assert_allclose(image, oracle(x), atol=2e-5)


def test_short_windows_tell_the_time_and_long_ones_the_frequency():
    front_end = create_front_end('multi_resolution_mel_none', RATE_HZ)
    click = np.zeros((11700, 1), np.float32)
    click[6000] = 100.0
    loud = (front_end(click, RATE_HZ) > 0).any(axis=0).sum(axis=0)
    assert loud[0] < loud[1] < loud[2]
    t = np.arange(11700) / RATE_HZ
    tone = np.sin(2 * np.pi * 1000 * t).astype(np.float32)[:, None]
    level = front_end(tone, RATE_HZ)[:, 40]
    wide = (level > level.max(axis=0) - 3).sum(axis=0)
    assert wide[0] > wide[1] > wide[2]
    centres = front_end.centre_frequencies_hz()
    assert centres[level[:, 2].argmax()] == pytest.approx(1000, rel=0.03)


@pytest.mark.parametrize('rate_hz', [533.0, 8000.0, 12000.0, 20480.0, 44100.0, 48000.0])
def test_no_patch_is_longer_than_0_975_s_and_no_filter_empty(rate_hz):
    front_end = create_front_end('multi_resolution_mel', rate_hz)
    assert front_end.patch_samples(rate_hz) <= 0.975 * rate_hz
    assert front_end.f_max_hz == rate_hz / 2
    for window, fft_length in zip(front_end.window_lengths, front_end.fft_lengths):
        assert fft_length >= window
        assert empty_filters(front_end.filters(fft_length)).size == 0
    if rate_hz >= 8000:
        assert front_end.patch_samples(rate_hz) / rate_hz == pytest.approx(0.975, rel=5e-3)
        assert [w / rate_hz for w in front_end.window_lengths] == pytest.approx([0.025, 0.05, 0.1], rel=2e-3)


@pytest.mark.parametrize('gain', [0.02, 3.7, 400.0])
def test_a_gain_on_the_image_is_a_gain_on_the_signal(gain):
    front_end = create_front_end('multi_resolution_mel_train', RATE_HZ)
    x = sweep()[:, None]
    image = front_end(x, RATE_HZ)
    np.testing.assert_allclose(front_end.with_gain(image, gain), front_end(np.float32(gain) * x, RATE_HZ), atol=5e-5)
    np.testing.assert_allclose(front_end.peaks(x), [np.abs(x).max()])


def test_peak_scaling_looks_at_the_whole_chunk_and_other_rates_are_resampled():
    peak, none = (create_front_end(f'multi_resolution_mel{s}', RATE_HZ) for s in ('', '_none'))
    x = np.append(sweep(), np.float32(50.0))[:, None]
    np.testing.assert_allclose(peak(x, RATE_HZ), none(x[:-1] / 50, RATE_HZ), atol=1e-5)
    t = np.arange(46800) / 48000.0
    fast = none(np.sin(2 * np.pi * 700 * t).astype(np.float32)[:, None], 48000.0)
    slow = none(np.sin(2 * np.pi * 700 * t[::4]).astype(np.float32)[:, None], 12000.0)
    np.testing.assert_allclose(fast[20:60, 10:86], slow[20:60, 10:86], atol=0.05)


def test_several_channels_are_refused():
    front_end = create_front_end('multi_resolution_mel', RATE_HZ)
    with pytest.raises(ConfigError, match='recordings of 3: choose triaxial_mel'):
        front_end.output_shape(3)
    with pytest.raises(DataError, match=r'one channel, .*shape \(11700, 3\): choose a channel'):
        front_end(np.ones((11700, 3), np.float32), RATE_HZ)
