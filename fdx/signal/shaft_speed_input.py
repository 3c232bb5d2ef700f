"""Checks of a recording whose shaft's speed is to be estimated, and the part of it that is used."""

from __future__ import annotations

import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.signal.dead import dead_samples
from fdx.signal.envelope import USED_BAND
from fdx.signal.wild import replace_wild_samples
from fdx.types import ConfigError, DataError

# Ratio of the highest to the lowest speed. An outer race with seven large balls is struck 2.5 times per turn; only the
# cage's lines are slower than that. In a wider range, such a line of a slow shaft would look like a fast shaft.
MAX_RANGE = 2.5
MIN_DURATION_S = 2.0
# Anything slower than a fifth of the slowest shaft is drift.
DRIFT_SHARE = 0.2


def check_range(low_rpm: float, high_rpm: float) -> None:
    """Refuses, with a ConfigError, a range that cannot be searched."""
    if not (0 < low_rpm < high_rpm <= MAX_RANGE * low_rpm * (1 + 1e-9) and math.isfinite(high_rpm)):
        raise ConfigError(
            f'speeds from {low_rpm} to {high_rpm} rpm cannot be searched: both are above 0, and the highest is above '
            f'the lowest and at most {MAX_RANGE:g} times it; name the range of the machine, or `speed_rpm=NUMBER`'
        )


def usable_samples(samples: np.ndarray, sample_rate_hz: float, low_rpm: float, high_rpm: float) -> np.ndarray:
    """The longest live part of the samples without drift and wild samples, float64 [T].

    Args:
      samples: [T] or [T, 1] as recorded.
      sample_rate_hz: its rate.
      low_rpm: lowest speed of the range.
      high_rpm: highest speed of the range.

    Raises:
      DataError: the rate is too low, the samples are not those of one channel or not finite, or too few are left.
    """
    x = np.asarray(samples)
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1:
        raise DataError(f'the speed is estimated from one channel, not from samples of shape {x.shape}: choose one')
    if not sample_rate_hz >= 10 * high_rpm / 60 / USED_BAND:
        raise DataError(
            f'{sample_rate_hz:g} Hz do not hold five harmonics of {high_rpm:g} rpm: give `speed_rpm=NUMBER`'
        )
    _check_duration(len(x) / sample_rate_hz, '')
    if not np.isfinite(x).all():
        raise DataError('the recording has samples that are not finite numbers: cut them out')
    x = replace_wild_samples(x.astype(np.float64)[:, None]).samples
    alive = np.concatenate(([0], ~dead_samples(x, sample_rate_hz), [0])).astype(np.int8)
    starts, stops = np.flatnonzero(np.diff(alive) == 1), np.flatnonzero(np.diff(alive) == -1)
    longest = int(np.argmax(stops - starts)) if len(starts) else None
    x = x[:0, 0] if longest is None else x[starts[longest] : stops[longest], 0]
    _check_duration(len(x) / sample_rate_hz, ' without dead stretches')
    high_pass = scipy.signal.butter(2, DRIFT_SHARE * low_rpm / 60, 'highpass', fs=sample_rate_hz, output='sos')
    return scipy.signal.sosfiltfilt(high_pass, scipy.signal.detrend(x))


def _check_duration(seconds: float, which: str) -> None:
    if seconds < MIN_DURATION_S:
        raise DataError(
            f'{seconds:.2f} s{which} are too short to estimate a speed, which takes {MIN_DURATION_S:g} s or more: give '
            '`speed_rpm=NUMBER`'
        )
