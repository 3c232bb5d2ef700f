"""Squared-envelope spectra of bands: against plain NumPy, on a modulated tone, and what pre-whitening leaves."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fdx.signal import envelope

RATE_HZ, SECONDS = 12000.0, 0.975
T = 11700
# Of the used band, 5 lies from 2700 to 4050 Hz.
BANDS = envelope.band_edges((4,))


def signal(seed=0):
    """Noise of all frequencies with impacts in it, mean 0.3, float32 [T]."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(T) + 0.3
    x[::211] += 20
    return x.astype(np.float32)


def modulated(carrier_hz, modulation_hz, depth=0.8):
    """A tone whose amplitude swings, float64 [T]."""
    t = np.arange(T) / RATE_HZ
    return (1 + depth * np.cos(2 * np.pi * modulation_hz * t)) * np.cos(2 * np.pi * carrier_hz * t)


def full_rate_oracle(x, first, end):
    """Magnitudes of the spectrum of the squared Hilbert envelope of bins [first, end), at the full rate: [T + 1].

    The band is cut out of the plain FFT, the analytic signal comes from SciPy's Hilbert transform and keeps all T
    samples.
    """
    spectrum = np.fft.rfft(x)
    keep = np.zeros_like(spectrum)
    keep[first:end] = spectrum[first:end]
    squared = np.abs(scipy.signal.hilbert(np.fft.irfft(keep, len(x)))) ** 2
    squared = (squared - squared.mean()) * np.hanning(len(x) + 1)[:-1]
    return np.abs(np.fft.rfft(squared, 2 * len(x)))


def test_bands_share_the_used_band_the_widest_first():
    edges = envelope.band_edges()
    assert edges.shape == (24, 2)
    assert edges[0].tolist() == [0, 1]
    widths = edges[:, 1] - edges[:, 0]
    np.testing.assert_allclose(widths, np.repeat(1 / np.array([1, 2, 3, 4, 6, 8]), [1, 2, 3, 4, 6, 8]))
    starts = np.cumsum([0, 1, 2, 3, 4, 6])
    assert (edges[starts, 0] == 0).all()
    assert (edges[np.array([*starts[1:], 24]) - 1, 1] == 1).all()
    np.testing.assert_array_equal(envelope.band_edges((3,)), [[0, 1 / 3], [1 / 3, 2 / 3], [2 / 3, 1]])


@pytest.mark.parametrize('band', range(4))
def test_a_band_is_that_of_a_hilbert_transform_at_the_full_rate(band):
    x = signal()
    last = int(0.9 * (T // 2))
    first, end = max(1, round(band / 4 * last)), round((band + 1) / 4 * last)
    wanted = full_rate_oracle(x, first, end)
    spectra = envelope.envelope_spectra(np.fft.rfft(x), T, RATE_HZ, BANDS[band : band + 1])
    assert spectra.log.shape == (1, 2 * (end - first))
    assert spectra.df_hz == pytest.approx(RATE_HZ / T / 2)
    # Both sample one squared envelope, so the same bins are equal but for the factor of the two rates: the bins of a
    # band are taken out of a one-sided spectrum (half the analytic signal, a quarter squared) of T samples.
    lower = slice(0, int(1.8 * (end - first)))
    found, wanted = np.exp(spectra.log[0])[lower], wanted[lower]
    ratio = np.median(found / wanted)
    assert ratio == pytest.approx((T / (2 * (end - first))) ** 2 / 4 / T, rel=1e-6)
    # The window's leakage folds back: at the very top, which is left out, by a thousandth, elsewhere by 1e-5 at most.
    np.testing.assert_allclose(found, ratio * wanted, rtol=1e-6, atol=2e-5 * np.median(found))


@pytest.mark.parametrize('modulation_hz', [37.0, 81.3, 240.0])
def test_a_modulated_tone_has_its_line_at_the_modulation_in_its_own_band_alone(modulation_hz):
    x = modulated(3300.0, modulation_hz) + 0.05 * signal(1)
    spectra = envelope.envelope_spectra(np.fft.rfft(x), T, RATE_HZ, BANDS)
    found_hz = spectra.df_hz * np.nanargmax(spectra.log[2, 10:], keepdims=False) + 10 * spectra.df_hz
    assert found_hz == pytest.approx(modulation_hz, abs=spectra.df_hz / 2)
    above = spectra.at(np.array([modulation_hz]))[:, 0] - spectra.background(20.0, 600.0)
    assert above[2] > 6
    assert np.abs(above[[0, 1, 3]]).max() < 3


def test_narrow_bands_do_not_reach_high_frequencies():
    x = signal()
    spectra = envelope.envelope_spectra(np.fft.rfft(x), T, RATE_HZ, envelope.band_edges())
    widths_hz = 5400 * (envelope.band_edges() @ (-1, 1))
    for frequency_hz in (100.0, 670.0, 680.0, 1000.0, 2000.0, 5390.0, 5410.0):
        reached = np.isfinite(spectra.at(np.array([frequency_hz])))[:, 0]
        np.testing.assert_array_equal(reached, frequency_hz < widths_hz - 2, err_msg=str(frequency_hz))
    assert np.isnan(spectra.at(np.array([-1.0, 1e5]))).all()


def test_values_between_bins_are_interpolated_logarithms_and_background_is_their_median():
    magnitudes = np.exp(np.array([[0.0, 1.0, 4.0, 2.0, 9.0], [1.0, 2.0, 3.0, np.nan, np.nan]]))
    spectra = envelope.EnvelopeSpectra(magnitudes, 0.5)
    found = spectra.at(np.array([0.0, 0.25, 0.75, 1.5, 1.9, 2.0]))
    np.testing.assert_allclose(found[0], [0, 0.5, 2.5, 2.0, 7.6, np.nan], atol=1e-12)
    np.testing.assert_allclose(found[1], [1, 1.5, 2.5, np.nan, np.nan, np.nan], atol=1e-12)
    # Bins 1 to 3; the mean of 0 Hz has no part in a background.
    np.testing.assert_allclose(spectra.background(0.0, 1.5), [2.0, np.nan])
    np.testing.assert_allclose(spectra.background(0.3, 1.1), [2.5, 2.5])
    for low_hz, high_hz in ((1.0, 2.5), (1.1, 1.2)):
        assert np.isnan(spectra.background(low_hz, high_hz)).all()


def test_a_silent_signal_has_finite_logarithms():
    spectra = envelope.envelope_spectra(np.zeros(T // 2 + 1, complex), T, RATE_HZ, BANDS)
    assert np.isfinite(spectra.log[:, :100]).all()


def test_prewhitening_keeps_phases_and_nothing_else():
    x = signal()
    flat, plain = envelope.prewhitened_spectrum(x), np.fft.rfft(x.astype(np.float64))
    last = int(0.9 * (T // 2))
    np.testing.assert_allclose(np.abs(flat[1:last]), 1, rtol=1e-12)
    np.testing.assert_allclose(np.angle(flat[1:last] / plain[1:last]), 0, atol=1e-9)
    assert flat[0] == 0
    assert (flat[last:] == 0).all()


@pytest.mark.parametrize('samples', [2, 3, 10, 997])
def test_prewhitening_takes_any_length_and_silence(samples):
    assert envelope.prewhitened_spectrum(np.random.default_rng(0).standard_normal(samples)).shape == (samples // 2 + 1,)
    assert (envelope.prewhitened_spectrum(np.zeros(samples)) == 0).all()


def test_gain_offset_and_a_filter_without_delay_change_nothing_behind_prewhitening():
    x = signal().astype(np.float64)
    wanted = envelope.prewhitened_spectrum(x)
    np.testing.assert_allclose(envelope.prewhitened_spectrum(-400 * x + 3), -wanted, atol=1e-9)
    # A circular filter without zeros on the unit circle and of zero phase: 0.3 to 1.7, both ways of any resonance.
    response = 1 + 0.7 * np.cos(np.linspace(0, 5, T // 2 + 1))
    coloured = np.fft.irfft(np.fft.rfft(x) * response, T)
    np.testing.assert_allclose(envelope.prewhitened_spectrum(coloured), wanted, atol=1e-9)
    # A resonance has a phase, too; magnitudes stay 1 and what changes is the phase of the resonance alone.
    resonance = 1 / (1 - np.linspace(0, 2, T // 2 + 1) ** 2 + 0.1j)
    ringing = envelope.prewhitened_spectrum(np.fft.irfft(np.fft.rfft(x) * resonance, T))
    np.testing.assert_allclose(ringing, wanted * resonance / np.abs(resonance), atol=1e-9)


@pytest.mark.parametrize('length', [1, 2, 3, 50, 12_000, 99_999])
@pytest.mark.parametrize('share', [0.1, 0.25, 0.5])
def test_the_taper_is_that_of_scipy(length, share):
    np.testing.assert_array_equal(envelope._tukey(length, share), scipy.signal.windows.tukey(length, share))
