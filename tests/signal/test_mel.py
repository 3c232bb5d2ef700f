"""Mel filters: the scale, the triangles, and the refusal of silent ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fdx.signal import mel
from fdx.types import ConfigError

VGGISH = (64, 512, 16000.0, 125.0, 7500.0)


def test_scale_has_its_published_values_and_an_inverse():
    assert mel.hz_to_mel(0.0) == 0.0
    assert mel.hz_to_mel(700.0) == pytest.approx(1127 * math.log(2))
    assert mel.hz_to_mel(1000.0) == pytest.approx(1000.0, abs=0.03)
    hz = np.array([0.1, 125.0, 1000.0, 7500.0, 24000.0])
    np.testing.assert_allclose(mel.mel_to_hz(mel.hz_to_mel(hz)), hz, rtol=1e-12)


def test_edges_are_equally_far_apart_in_mel_and_end_at_the_band():
    edges = mel.mel_edges_hz(64, 125.0, 7500.0)
    assert edges.shape == (66,)
    np.testing.assert_allclose(edges[[0, -1]], [125.0, 7500.0])
    np.testing.assert_allclose(np.diff(1127 * np.log(1 + edges / 700), n=2), 0, atol=1e-9)


def test_bank_is_made_of_triangles_that_are_linear_in_mel():
    bank = mel.mel_filter_bank(*VGGISH)
    assert (bank.shape, bank.dtype) == ((257, 64), np.float64)
    step = (1127 * math.log(1 + 7500 / 700) - 1127 * math.log(1 + 125 / 700)) / 65
    low = 1127 * math.log(1 + 125 / 700)
    for m in (0, 1, 31, 63):
        for k in range(257):
            distance = abs(1127 * math.log(1 + k * 31.25 / 700) - (low + (m + 1) * step)) / step
            assert bank[k, m] == pytest.approx(max(0.0, 1 - distance), abs=1e-9), (k, m)
    # Between the peaks of the first and the last filter neighbours add up to 1.
    hz = np.arange(257) * 31.25
    edges = mel.mel_edges_hz(64, 125.0, 7500.0)
    np.testing.assert_allclose(bank[(hz >= edges[1]) & (hz <= edges[-2])].sum(axis=1), 1, rtol=1e-9)
    assert not bank[(hz <= 125) | (hz >= 7500)].any()


def test_the_bin_at_0_hz_belongs_to_no_filter_even_where_the_band_reaches_it():
    bank = mel.mel_filter_bank(8, 512, 16000.0, 0.0, 8000.0)
    assert not bank[0].any()
    assert bank[1, 0] > 0
    with pytest.raises(ValueError, match='read-only'):
        bank[0, 0] = 1


def test_a_filter_without_a_bin_is_an_error_that_names_it_and_the_fixes():
    with pytest.raises(ConfigError) as error:
        mel.mel_filter_bank(128, 512, 16000.0, 20.0, 7500.0)
    text = str(error.value)
    # Filter 1 reaches from 33.7 Hz to 61.9 Hz, between the bins at 31.25 Hz and 62.5 Hz.
    for word in ('1 of 128 mel filters hold no FFT bin', 'first filter 1 (33.7-61.9 Hz', 'bins are 31.2 Hz apart'):
        assert word in text
    for fix in ('raise fft_length (now 512)', 'lower n_mels', 'raise f_min_hz (now 20)'):
        assert fix in text
    # Each fix that it names is one.
    for args in (
        (128, 8192, 16000.0, 20.0, 7500.0),
        (16, 512, 16000.0, 20.0, 7500.0),
        (128, 512, 16000.0, 3000.0, 7500.0),
    ):
        assert mel.mel_filter_bank(*args).sum(axis=0).min() > 0


@pytest.mark.parametrize('band', [(-1.0, 7500.0), (125.0, 8001.0), (500.0, 500.0), (600.0, 500.0)])
def test_a_band_outside_of_the_spectrum_is_refused(band):
    with pytest.raises(ConfigError, match=f'mel band {band[0]:g}-{band[1]:g} Hz at 16000 Hz.*Nyquist frequency 8000'):
        mel.mel_filter_bank(64, 512, 16000.0, *band)


def widths_ok(fft_length, n_mels, rate_hz, f_min_hz, f_max_hz):
    """Whether every filter holds a bin, by going through them."""
    edges = mel.mel_edges_hz(n_mels, f_min_hz, f_max_hz)
    bins = np.arange(1, fft_length // 2 + 1) * rate_hz / fft_length
    return all(((bins > edges[m]) & (bins < edges[m + 2])).any() for m in range(n_mels))


@pytest.mark.parametrize(
    ('window', 'n_mels', 'rate_hz', 'f_min_hz', 'f_max_hz'),
    [
        (256, 128, 533.0, 0.0, 266.5),
        (300, 128, 12000.0, 0.0, 6000.0),
        (13, 128, 533.0, 0.0, 266.5),
        (300, 20, 8e3, 50, 4e3),
    ],
)
def test_the_smallest_fft_that_leaves_no_filter_empty(window, n_mels, rate_hz, f_min_hz, f_max_hz):
    wanted = next(n for n in 2 ** np.arange(1, 20) if n >= window and widths_ok(n, n_mels, rate_hz, f_min_hz, f_max_hz))
    assert mel.smallest_fft_length(window, n_mels, rate_hz, f_min_hz, f_max_hz) == wanted


def test_filters_too_narrow_for_any_fft_and_bands_beyond_nyquist_are_refused(monkeypatch):
    monkeypatch.setattr(mel, 'MAX_FFT_LENGTH', 2048)
    with pytest.raises(ConfigError, match='2000 mel filters over 0-4000 Hz at 8000 Hz .* 2048 points: lower n_mels'):
        mel.smallest_fft_length(256, 2000, 8000.0, 0.0, 4000.0)
    with pytest.raises(ConfigError, match='Nyquist frequency 4000'):
        mel.smallest_fft_length(256, 64, 8000.0, 0.0, 4001.0)
