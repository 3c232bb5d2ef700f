"""An offset and a drift leave no trace; vibration stays."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal import slow_part
from fdx.signal.slow_part import SLOW_HZ, without_slow_part

WINDOWS = [(0.975, 12000.0), (1.86, 512.0), (4.8, 12000.0), (0.0853, 12000.0)]


def noise(seconds, rate_hz, channels=2):
    return np.random.default_rng(0).standard_normal((round(seconds * rate_hz), channels)).astype(np.float32)


@pytest.mark.parametrize(('seconds', 'rate_hz'), WINDOWS)
def test_the_result_of_x_plus_offset_and_drift_is_that_of_x(seconds, rate_hz):
    x = noise(seconds, rate_hz)
    out = without_slow_part(x, rate_hz)
    assert (out.dtype, out.shape) == (np.float32, x.shape)
    t = np.linspace(0, 1, len(x))[:, None]
    for slow in (1.0, 2.5, -1e4, 5 * t, 3 - 40 * t, 5 * t**2, np.array([[9.81, -16384.0]])):
        error = np.abs(without_slow_part(x + slow, rate_hz) - out).max()
        # Of a large offset only the rounding of float32 inputs is left.
        assert error < 1e-5 + 4e-7 * np.abs(slow).max(), slow


@pytest.mark.parametrize(('seconds', 'rate_hz'), WINDOWS[:3])
def test_slow_swings_go_and_vibration_stays(seconds, rate_hz):
    t = np.arange(round(seconds * rate_hz)) / rate_hz

    def passed(hz):
        x = np.stack([np.sin(2 * np.pi * hz * t + phase) for phase in (0.0, 1.0, 2.0)], axis=1)
        return without_slow_part(x, rate_hz).std() * np.sqrt(2)

    assert passed(SLOW_HZ / 4) < 1e-3
    assert passed(SLOW_HZ / 2) < 0.03
    for hz, share in ((10.0, 0.98), (29.0, 0.995), (200.0, 0.999)):
        assert share < passed(hz) < 1.001


def test_it_is_linear_and_does_nothing_twice():
    x = noise(0.975, 12000.0)
    once = without_slow_part(x, 12000.0)
    np.testing.assert_allclose(without_slow_part(once, 12000.0), once, atol=1e-5)
    np.testing.assert_allclose(without_slow_part(-8 * x, 12000.0), -8 * once, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(once.mean(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize(('length', 'degree'), [(3, 2), (952, 9), (12_000, 6), (6000, 200), (400, 56), (40, 39)])
def test_the_basis_spans_the_polynomials(length, degree):
    """Orthonormal, and the same space as that of a factored matrix of Chebyshev's polynomials."""
    basis = slow_part._slow_basis(length, degree)
    np.testing.assert_allclose(basis.T @ basis, np.eye(degree + 1), atol=1e-12)
    x = noise(length / 12_000, 12_000.0, channels=1)
    other = np.linalg.qr(np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, length), degree))[0]
    np.testing.assert_allclose(basis @ (basis.T @ x), other @ (other.T @ x), atol=1e-11)


def test_a_long_recording_is_filtered_without_a_matrix(monkeypatch):
    x = noise(4.8, 12_000.0)
    kept = without_slow_part(x, 12_000.0)
    monkeypatch.setattr(slow_part, 'KEPT_BASIS', 0)
    np.testing.assert_allclose(without_slow_part(x, 12_000.0), kept, atol=1e-7)


def test_windows_of_few_samples_are_no_error():
    for length in (1, 2, 3):
        out = without_slow_part(np.arange(length, dtype=np.float32)[:, None] + 7, 12000.0)
        np.testing.assert_allclose(out, 0, atol=1e-5)


def test_a_recording_of_minutes_costs_no_more_than_its_length():
    """Two minutes at 25.6 kHz would need a basis of 12 GB."""
    rate, seconds = 25_600.0, 120
    t = np.arange(int(rate * seconds)) / rate
    vibration = np.sin(2 * np.pi * 50 * t) + 0.5 * np.sin(2 * np.pi * 3000 * t)
    slow = 9.81 + 0.02 * t + 3 * np.sin(2 * np.pi * 0.05 * t)
    found = without_slow_part((vibration + slow)[:, None], rate)[:, 0]
    inner = slice(int(10 * rate), -int(10 * rate))
    assert np.abs(found[inner] - vibration[inner]).max() < 5e-3
    shifted = without_slow_part((vibration + slow + 500 - 2 * t)[:, None], rate)[:, 0]
    np.testing.assert_allclose(shifted, found, atol=1e-4)


def test_both_forms_agree_where_they_meet(monkeypatch):
    x = np.random.default_rng(0).standard_normal((int(4000 * 8), 1)) + np.linspace(0, 5, 32_000)[:, None]
    by_polynomials = without_slow_part(x, 4000.0)
    monkeypatch.setattr(slow_part, 'LARGEST_BASIS', 1000)
    by_filter = without_slow_part(x, 4000.0)
    inner = slice(4000, -4000)
    assert np.abs(by_filter[inner] - by_polynomials[inner]).std() < 0.05
