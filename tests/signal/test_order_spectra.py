"""Envelope spectra over their background: lines where noise swells, and the laws of probability everywhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special

from fdx.signal.order_spectra import MAX_SEGMENTS, OrderSpectra, order_spectra, segments
from tests.signal.evidence_bench import SHAFT_HZ, swelling


@pytest.mark.parametrize('rate_hz', [8000.0, 5120.0])
@pytest.mark.parametrize('order', [3.585, 7.2])
def test_a_swell_stands_out_at_its_order_and_nowhere_else(order, rate_hz):
    spectra = order_spectra(swelling([order], 0.5, 5.0, rate_hz), rate_hz, SHAFT_HZ, 12 * SHAFT_HZ)
    mean = np.nanmean(spectra.excess, axis=0)
    hz = np.arange(len(mean)) * spectra.df_hz
    line = np.abs(hz - order * SHAFT_HZ) <= 2 / spectra.segment_s
    assert hz[mean.argmax()] == pytest.approx(order * SHAFT_HZ, abs=1 / spectra.segment_s)
    assert mean[line].max() > 1 and mean[~line][4:].max() < 0.6 * mean[line].max()
    np.testing.assert_array_equal(spectra.nearest(np.array([order * SHAFT_HZ]))[:, 0], _at(spectra, order * SHAFT_HZ))


def _at(spectra: OrderSpectra, hz: float) -> np.ndarray:
    bins = np.arange(spectra.excess.shape[1]) * spectra.df_hz
    return spectra.excess[:, np.abs(bins - hz).argmin()]


def test_neither_level_nor_offset_matter():
    x = swelling([3.585], 0.3, 3.0)
    expected = order_spectra(x, 8000.0, SHAFT_HZ, 400.0)
    for changed in (1e-4 * x, 3000.0 * x, x + 50.0):
        found = order_spectra(changed, 8000.0, SHAFT_HZ, 400.0)
        assert found.df_hz == expected.df_hz and found.segments == expected.segments
        np.testing.assert_allclose(found.excess, expected.excess, atol=0.02)


def test_magnitudes_of_white_noise_are_those_of_rayleigh():
    """Of one segment: the power is exponential, its median ln 2 and its 90 % quantile ln 10 times the mean."""
    x = np.random.default_rng(1).standard_normal(20480)
    spectra = order_spectra(x, 4000.0, SHAFT_HZ, 600.0)
    assert (spectra.segments, spectra.segment_s) == (1, 5.12)
    values = spectra.excess[0, 10:]
    for quantile in (0.5, 0.9, 0.99):
        expected = 0.5 * math.log(math.log(1 / (1 - quantile)) / math.log(2))
        assert np.quantile(values, quantile) == pytest.approx(expected, abs=0.06)


def test_the_mean_of_segments_scatters_as_a_gamma_law():
    """Hann's tapers that overlap by half correlate by 1 / 6, powers by its square (Welch, 1967)."""
    x = np.random.default_rng(2).standard_normal(5 * 10240)
    spectra = order_spectra(x, 2000.0, SHAFT_HZ, 400.0)
    assert spectra.segments == 9
    independent = 9 / (1 + 2 * (8 / 9) / 36)
    expected = 0.5 * math.sqrt(scipy.special.polygamma(1, independent))
    assert spectra.excess[0, 10:].std() == pytest.approx(expected, rel=0.12)


def test_bands_reach_as_far_as_they_are_wide():
    spectra = order_spectra(np.random.default_rng(3).standard_normal(8192), 2000.0, SHAFT_HZ, 1100.0)
    # 1, 2, 3, 4, 6 and 8 bands share nine tenths of 1000 Hz.
    widths = [900 / n for n in (1, 2, 3, 4, 6, 8) for _ in range(n)]
    reach = np.isfinite(spectra.excess).sum(axis=1) * spectra.df_hz
    assert spectra.excess.shape[0] == len(widths) and spectra.excess.dtype == np.float32
    np.testing.assert_allclose(reach, widths, atol=2.0)
    assert np.isnan(spectra.nearest(np.array([0.0, 1e6]))).all()


@pytest.mark.parametrize(('length', 'count'), [(3000, 1), (10240, 1), (10241, 2), (30000, 5), (409600, MAX_SEGMENTS)])
def test_segments_cover_a_recording(length, count):
    parts = segments(np.arange(float(length)), 2000.0, SHAFT_HZ)
    assert len(parts) == count and len({len(part) for part in parts}) == 1
    assert parts[0][0] == 0 and parts[-1][-1] >= 0.99 * (length - 1)
    # 128 turns of 25 Hz at 2000 Hz; a short recording is one segment but for the rest of a slow length.
    assert len(parts[0]) == 10240 or 0.99 * length <= len(parts[0]) <= length
    steps = np.diff([part[0] for part in parts])
    assert count == MAX_SEGMENTS or not len(steps) or steps.max() <= 5121


def test_bins_near_multiples():
    spectra = OrderSpectra(np.zeros((1, 201), np.float32), 0.5, 2.0, 1)
    near = spectra.near_multiples(30.0, 1.0, 0.01)
    expected = [min(abs(f - 30 * k) for k in range(5)) <= 1 + 0.01 * f for f in np.arange(201) * 0.5]
    np.testing.assert_array_equal(near, expected)
