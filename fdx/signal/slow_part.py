"""What is slower than the machine: the sensor's offset, gravity, temperature drift, a cable that sways.

None of it says anything about a fault, and all of it can outweigh the vibration: 1 g of gravity beside 0.07 g of a
healthy motor. Every window loses it before anything is scaled or transformed, in datasets as in prediction.
"""

from __future__ import annotations

import functools

import numpy as np

# Below the slowest shaft that fdx diagnoses (127 rpm, 2.1 Hz) and a tenth of the rate of a usual motor's (1500 rpm).
SLOW_HZ = 2.0


@functools.lru_cache(maxsize=8)
def _slow_basis(length: int, degree: int) -> np.ndarray:
    """Orthonormal polynomials of degrees 0 to `degree` over a window: float64 [length, M]."""
    t = np.linspace(-1, 1, length)
    # Chebyshev's are nearly orthogonal already: powers of t would be hardly told apart from degree 10 on.
    basis = np.linalg.qr(np.polynomial.chebyshev.chebvander(t, min(degree, length - 1)))[0]
    basis.setflags(write=False)
    return basis


def without_slow_part(x: np.ndarray, sample_rate_hz: float, slow_hz: float = SLOW_HZ) -> np.ndarray:
    """A window without its offset, its drift and everything slower than `slow_hz`.

    The least-squares polynomial with two degrees more than the window has half periods of `slow_hz` is subtracted: a
    zero-phase high-pass that needs no samples beyond the window, so that no block of a recording hears another one, and
    that removes an offset and a steady drift exactly. The result for x + offset + drift is the result for x. (The
    high-pass by regression of functional imaging, Friston et al., NeuroImage 2(1):45-53, 1995, with polynomials in
    place of cosines: a slow swing seldom ends flat, as cosines do.)

    Args:
      x: real [T, C], finite.
      sample_rate_hz: its rate.
      slow_hz: the frequency above which vibration passes, in Hz.

    Returns:
      float32 [T, C].
    """
    degree = 2 + int(2 * len(x) / sample_rate_hz * slow_hz)
    basis = _slow_basis(len(x), degree)
    x = np.asarray(x, np.float64)
    # The offset first: it may be a million times the vibration, and a product of matrices rounds with the largest.
    x = x - x.mean(axis=0)
    return (x - basis @ (basis.T @ x)).astype(np.float32)
