"""Recordings that repeat themselves to the last digit: calculated signals, and one stretch copied end to end.

No sensor measures the same samples twice, because noise lies on all of them. In a calculated tone only the errors of
rounding lie beside its line. They come back with its period, so that envelopes show their lines at any order.
"""

from __future__ import annotations

import numpy as np

# Median difference of samples one period apart, as a share of the signal's standard deviation. Rounding leaves 1e-7 of
# a calculated tone, or nothing but where a value lies between two steps; noise 100 dB below a machine leaves 1e-5.
SAME = 1e-5
# A coarse recorder writes mostly zeros between impacts, and their median says nothing: the impacts must come back, too.
# Values between two steps of 12 bits leave 5e-4.
ALIKE = 0.01
# So many samples in the middle are looked for in the first half, and so many of the places found there are tried.
PROBE, TRIED = 32, 64


def repeats_after(x: np.ndarray) -> int | None:
    """After how many samples a recording repeats itself from its beginning to its end, or None.

    Args:
      x: real [T], finite.

    Returns:
      Samples of one period (for a smooth signal perhaps a multiple), from 2 to T / 2, or None. A constant has none.
    """
    x = np.asarray(x, np.float64)
    half = len(x) // 2
    scale = x.std() if half >= PROBE else 0.0
    if scale == 0:
        return None
    starts = np.arange(half - 1)
    for i in range(PROBE):
        starts = starts[np.abs(x[starts + i] - x[half + i]) <= TRIED * SAME * scale]
    for lag in half - starts[::-1][:TRIED]:
        apart = np.abs(x[lag:] - x[:-lag])
        if np.median(apart) <= SAME * scale and apart.std() <= ALIKE * scale:
            return int(lag)
    return None
