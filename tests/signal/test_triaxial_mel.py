"""triaxial_mel: the whole band of three axes, without gravity, against an oracle in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fdx.signal.front_ends import create_front_end
from fdx.signal.mel import empty_filters

RATE_HZ = 533.049


def oracle(x, rate_hz, window, hop, fft_length):
    """log(mel + 0.01) of x [T] over 0 to Nyquist: [128, frames]."""

    def to_mel(hz):
        return 1127.0 * math.log(1.0 + hz / 700.0)

    top = to_mel(rate_hz / 2)
    x = np.asarray(x, np.float64)
    x = x - x.mean()
    columns = []
    for start in range(0, len(x) - window + 1, hop):
        part = [x[start + i] * (0.5 - 0.5 * math.cos(2 * math.pi * i / window)) for i in range(window)]
        magnitude = np.abs(np.fft.fft(part, fft_length))
        column = np.zeros(128)
        for k in range(1, fft_length // 2 + 1):
            place = to_mel(k * rate_hz / fft_length) / top * 129
            for m in (int(place) - 1, int(place)):
                if 0 <= m < 128:
                    column[m] += magnitude[k] * max(0.0, 1 - abs(place - (m + 1)))
        columns.append(np.log(column + 0.01))
    return np.stack(columns, axis=1)


@pytest.fixture
def front_end():
    return create_front_end('triaxial_mel_none', RATE_HZ)


def counts(seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((992, 3)) * (900, 300, 500) + (-100, 600, 16400)).round().astype(np.float32)


def test_each_axis_is_the_oracle_of_that_axis_alone(front_end):
    assert (front_end.window_length, front_end.hop_length, front_end.fft_length) == (256, 32, 256)
    assert front_end.patch_samples(RATE_HZ) == 992
    x = counts()
    image = front_end(x, RATE_HZ)
    assert image.shape == (128, 24, 3)
    for c in range(3):
        wanted = oracle(x[:, c], RATE_HZ, 256, 32, 256)
        np.testing.assert_allclose(image[..., c], wanted, atol=2e-3, rtol=1e-4)
        np.testing.assert_array_equal(front_end(x[:, c : c + 1], RATE_HZ)[..., 0], image[..., c])


def test_peak_scaling_divides_each_axis_by_what_is_left_without_gravity():
    peak, none = (create_front_end(f'triaxial_mel_{s}', RATE_HZ) for s in ('peak', 'none'))
    x = counts()
    without = x.astype(np.float64) - x.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(peak.peaks(x), np.abs(without).max(axis=0), rtol=1e-6)
    assert peak.peaks(x)[2] < 3000
    np.testing.assert_allclose(
        peak(x, RATE_HZ), none((without / np.abs(without).max(axis=0)).astype(np.float32), RATE_HZ), atol=1e-4
    )


def test_gravity_does_not_leak_into_the_lowest_bands(front_end):
    x = counts()
    turned = x + np.float32([5000, -8000, -30000])
    np.testing.assert_allclose(front_end(turned, RATE_HZ), front_end(x, RATE_HZ), atol=2e-3)
    silent = np.tile(np.float32([0, 0, 16400]), (992, 1))
    np.testing.assert_allclose(front_end(silent, RATE_HZ), math.log(0.01), atol=1e-6)


@pytest.mark.parametrize('rate_hz', [100.0, 512.0, 533.049, 1000.0, 6400.0, 12000.0])
def test_the_whole_band_is_heard_and_no_filter_is_empty(rate_hz):
    front_end = create_front_end('triaxial_mel_none', rate_hz)
    assert empty_filters(front_end.filter_bank()).size == 0
    assert (front_end.f_min_hz, front_end.f_max_hz) == (0.0, rate_hz / 2)
    # Every frequency but the bins at 0 Hz and at the very edge of the band has a filter.
    assert (front_end.filter_bank()[1:-1].sum(axis=1) > 0).all()
    assert front_end.hop_s == pytest.approx(0.06, rel=0.02)
    assert front_end.patch_samples(rate_hz) / rate_hz == pytest.approx(1.86, rel=0.02)


def test_lines_rise_with_frequency_and_columns_with_time(front_end):
    t = np.arange(992) / RATE_HZ
    centres = front_end.centre_frequencies_hz()
    for hz in (10.0, 49.0, 98.0, 150.0, 240.0):
        image = front_end(np.sin(2 * np.pi * hz * t).astype(np.float32)[:, None], RATE_HZ)
        assert centres[image[..., 0].mean(axis=1).argmax()] == pytest.approx(hz, abs=2.5)
    late = np.zeros((992, 1), np.float32)
    late[700] = 1e4
    level = front_end(late, RATE_HZ)[..., 0].mean(axis=0)
    # What is left of the chunk's mean (10) is the same in all columns.
    assert (level > level.min() + 1).tolist() == [32 * i < 700 < 32 * i + 256 for i in range(24)]


@pytest.mark.real_data
def test_a_real_recording_fills_the_band(front_end, raw_data):
    (path,) = (raw_data / 'soon').glob('01 - *.csv')
    x = np.loadtxt(path, delimiter=',', skiprows=2000, max_rows=992)[:, 1:].astype(np.float32)
    assert x[:, 2].mean() > 10_000
    image = front_end(x, RATE_HZ)
    for c in range(3):
        np.testing.assert_allclose(image[..., c], oracle(x[:, c], RATE_HZ, 256, 32, 256), atol=2e-3)
    # Lines and noise, not gravity: no band stands out by more than the loudest line does, and none is silent.
    assert image[0].mean() < image.max() - 1
    assert image.min() > 2
