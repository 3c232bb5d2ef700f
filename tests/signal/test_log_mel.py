"""The vggish front end against an oracle in float64, written from the published definition alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.io

from fdx.signal import resample
from fdx.signal.front_ends import create_front_end


def oracle_filters():
    """64 triangles, linear on the mel scale, on 257 bins of 31.25 Hz."""

    def to_mel(hz):
        return 1127.0 * math.log(1.0 + hz / 700.0)

    low, high = to_mel(125.0), to_mel(7500.0)
    filters = np.zeros((257, 64))
    for m in range(64):
        left, centre, right = (low + (high - low) * (m + i) / 65 for i in range(3))
        for k in range(1, 257):
            here = to_mel(k * 16000.0 / 512)
            if left < here <= centre:
                filters[k, m] = (here - left) / (centre - left)
            elif centre < here < right:
                filters[k, m] = (right - here) / (right - centre)
    return filters


def oracle(x):
    """log(mel + 0.01) of x [T] at 16 kHz: [frames, 64]."""
    x = np.asarray(x, np.float64)
    hann = np.array([0.5 - 0.5 * math.cos(2 * math.pi * i / 400) for i in range(400)])
    filters = oracle_filters()
    rows, start = [], 0
    while start + 400 <= len(x):
        padded = np.zeros(512)
        padded[:400] = x[start : start + 400] * hann
        rows.append(np.log(np.abs(np.fft.rfft(padded)) @ filters + 0.01))
        start += 160
    return np.array(rows)


def relative_error(got, wanted):
    return np.abs(got - wanted).max() / np.abs(wanted).max()


def signals():
    rng = np.random.default_rng(11)
    t = np.arange(15600) / 16000
    impacts = np.zeros(15600)
    impacts[::437] = 1.0
    return {
        'noise': rng.uniform(-1, 1, 15600),
        'quiet': 1e-4 * rng.standard_normal(15600),
        'loud': 30 * rng.standard_normal(15600),
        'sweep': np.sin(2 * np.pi * (50 * t + 3900 * t**2)),
        'impacts': impacts,
        'offset': 5.0 + 0.01 * rng.standard_normal(15600),
    }


@pytest.mark.parametrize('name', signals())
def test_spectrogram_agrees_with_the_oracle(name):
    x = signals()[name].astype(np.float32)
    got = create_front_end('vggish_none').spectrogram(x[:, None])[..., 0]
    wanted = oracle(x)
    assert got.shape == wanted.shape == (96, 64)
    assert relative_error(got, wanted) < 1e-5
    # Away from the zeros of the logarithm every single value is as good.
    large = np.abs(wanted) > 0.5
    assert (np.abs(got / wanted - 1)[large] < 1e-5).all()


def test_patches_of_both_channels_are_those_of_the_channels_alone():
    x = np.stack([signals()['noise'], signals()['sweep']], axis=1).astype(np.float32)
    out = create_front_end('vggish_none')(x, 16000)
    assert out.shape == (96, 64, 2)
    assert relative_error(out[..., 0], oracle(x[:, 0])) < 1e-5
    assert relative_error(out[..., 1], oracle(x[:, 1])) < 1e-5


def test_long_signals_agree_with_the_oracle_across_the_inner_chunks_of_frames():
    x = np.random.default_rng(0).standard_normal(400 + 160 * 4200).astype(np.float32)
    got = create_front_end('vggish_none').spectrogram(x[:, None])[..., 0]
    assert len(got) == 4201
    for i in (0, 4095, 4096, 4200):
        assert relative_error(got[i : i + 1], oracle(x[160 * i : 160 * i + 400])) < 1e-5


def test_peak_front_end_on_a_chunk_is_the_oracle_of_the_scaled_chunk():
    x = 7.3 * signals()['noise'].astype(np.float32)
    x[15599 + 1 :] = 0
    longer = np.concatenate([x, np.array([20.0], np.float32)])
    peak = create_front_end('vggish')
    assert relative_error(peak(x[:, None], 16000)[..., 0], oracle(x / np.abs(x).max())) < 1e-5
    # What lies behind the patch counts for its peak.
    assert relative_error(peak(longer[:, None], 16000)[..., 0], oracle(x / 20.0)) < 1e-5


@pytest.mark.parametrize('rate_hz', [12000.0, 20480.0, 48000.0, 2000.0])
def test_a_long_chunk_gives_the_first_patch_of_the_whole_resampled_chunk(rate_hz):
    x = np.random.default_rng(2).uniform(-1, 1, (int(1.6 * rate_hz), 1)).astype(np.float32)
    got = create_front_end('vggish_none')(x, rate_hz)[..., 0]
    wanted = oracle(resample.resample(x[:, 0], rate_hz, 16000)[:15600])
    assert relative_error(got, wanted) < 1e-5


@pytest.mark.real_data
def test_real_recording_agrees_with_the_oracle(raw_data):
    for number, rate_hz in ((105, 12000.0), (97, 48000.0)):
        x = scipy.io.loadmat(raw_data / 'cwru' / f'{number}.mat')[f'X{number:03d}_DE_time'][: int(1.2 * rate_hz)]
        x = x.astype(np.float32)
        front_end = create_front_end('vggish')
        wanted = oracle(resample.resample(x / np.abs(x).max(), rate_hz, 16000)[:15600, 0])
        assert relative_error(front_end(x, rate_hz)[..., 0], wanted) < 1e-5
