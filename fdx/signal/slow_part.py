"""What is slower than the machine: the sensor's offset, gravity, temperature drift, a swaying cable.

The slow part says nothing about a fault and can be larger than the vibration: gravity is 1 g, a healthy motor's
vibration 0.07 g. It is removed from every window before any scaling or transform, in datasets and in prediction.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

# It is below the slowest shaft that fdx diagnoses (127 rpm, 2.1 Hz), and less than a tenth of a usual motor's rate
# (1500 rpm).
SLOW_HZ = 2.0
# Samples times polynomials: a whole recording of minutes would take minutes.
LARGEST_BASIS = 40_000_000
ORDER = 4


# The recurrence loses orthogonality where the degree is much larger than the root of the length.
STEEPEST = 8
# A basis of no more values than this (8 MB) is kept for the next window; a larger one is made once more instead.
KEPT_BASIS = 1 << 20


def _polynomials(length: int, degree: int) -> Iterator[np.ndarray]:
    """Orthonormal polynomials of degrees 0 to `degree` over a window: float64 [length] each.

    They are Gram's, the discrete Chebyshev polynomials, by their recurrence (Abramowitz and Stegun, 22.17). To factor a
    matrix of powers or of other polynomials takes ten times as long, 1.5 s for ten seconds at 25.6 kHz.
    """
    t = np.linspace(-1, 1, length)
    if degree**2 > STEEPEST * length:
        yield from np.linalg.qr(np.polynomial.chebyshev.chebvander(t, degree))[0].T
        return
    before, last, step_before = np.zeros(length), np.full(length, 1 / np.sqrt(length)), 0.0
    yield last
    for j in range(1, degree + 1):
        step = j / (length - 1) * np.sqrt((length**2 - j**2) / (4 * j**2 - 1))
        before, last, step_before = last, (t * last - step_before * before) / step, step
        yield last


@functools.lru_cache(maxsize=8)
def _slow_basis(length: int, degree: int) -> np.ndarray:
    """The polynomials as a matrix, float64 [length, M]."""
    basis = np.array(list(_polynomials(length, degree))).T
    basis.setflags(write=False)
    return basis


def without_slow_part(x: np.ndarray, sample_rate_hz: float, slow_hz: float = SLOW_HZ) -> np.ndarray:
    """A window without its offset, its drift and everything slower than `slow_hz`.

    The least-squares polynomial with two degrees more than the window has half periods of `slow_hz` is subtracted.
    This is a zero-phase high-pass that needs no samples beyond the window, so that no block of a recording depends on
    another, and it removes an offset and a steady drift exactly: the result for x + offset + drift is the result for x.
    Functional imaging uses the same high-pass by regression with cosines (Friston et al., NeuroImage 2(1):45-53, 1995).
    Polynomials fit better here, because cosines are flat at the ends of the window and a slow swing seldom is.

    Their cost grows with the square of the length. Beyond LARGEST_BASIS, which no window reaches but a recording of a
    minute may, the straight line is subtracted and a Butterworth high-pass runs forwards and backwards instead.

    Args:
      x: real [T, C], finite.
      sample_rate_hz: its rate.
      slow_hz: the frequency above which vibration passes, in Hz.

    Returns:
      float32 [T, C].
    """
    degree = 2 + int(2 * len(x) / sample_rate_hz * slow_hz)
    x = np.asarray(x, np.float64)
    if len(x) * (degree + 1) > LARGEST_BASIS:
        return _filtered(x, sample_rate_hz, slow_hz)
    # The offset goes first. It may be a million times the vibration, and a matrix product rounds with its largest term.
    x = x - x.mean(axis=0)
    degree = min(degree, len(x) - 1)
    if len(x) * (degree + 1) <= KEPT_BASIS:
        basis = _slow_basis(len(x), degree)
        return (x - basis @ (basis.T @ x)).astype(np.float32)
    for polynomial in _polynomials(len(x), degree):
        x -= polynomial[:, None] * (polynomial @ x)
    return x.astype(np.float32)


def _filtered(x: np.ndarray, sample_rate_hz: float, slow_hz: float) -> np.ndarray:
    """Float64 [T, C] without its straight line and what is slower than `slow_hz`: float32 [T, C]."""
    sections = scipy.signal.butter(ORDER, slow_hz, 'highpass', fs=sample_rate_hz, output='sos')
    return scipy.signal.sosfiltfilt(sections, scipy.signal.detrend(x, axis=0), axis=0).astype(np.float32)
