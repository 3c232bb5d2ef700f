"""The uneven clock at which the sensor is read, modelled on the timestamps of the real recordings."""

from __future__ import annotations

import numpy as np

from fdx.signal.even_time import even_samples

# In file 01 of the real data the mean step is 1828 us while the timestamp has 7 digits, 1860 us with 8 and 1892 us with
# 9, because the logger takes 32 us to print a digit. The sampling itself changes, not only the record: tones keep their
# frequency if the timestamps are used.
STEP_US_WITH_7_DIGITS = 1828
US_PER_DIGIT = 32
# Around the mean the steps scatter by 12 us. Only neighbours correlate, by 0.26, as in a moving average of order one.
STEP_SCATTER_US = 12.0
NEIGHBOUR_SHARE = 0.28
# Timestamps are multiples of this.
TICK_US = 4
# A recording starts so long after the logger was switched on (file 01: 2.1 s), whatever the motor does.
START_S = (2.0, 60.0)

# The even grid that recordings are brought to: the slowest step of a logger that runs for less than 1000 s is 1892 us,
# 528.5 Hz. In simple ratio to the common rate of the datasets, 512 Hz.
GRID_RATE_HZ = 528.0
COMMON_RATE_HZ = 512.0


def draw_timestamps_us(num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Instants of the samples in microseconds since the logger was switched on, int64 [T], rising.

    The start has the same distribution in every class, so the clock says nothing about the motor.
    """
    start_us = TICK_US * int(rng.uniform(*START_S) * 1e6 / TICK_US)
    white = rng.standard_normal(num_samples + 1)
    scatter_us = STEP_SCATTER_US * (white[1:] + NEIGHBOUR_SHARE * white[:-1]) / np.hypot(1, NEIGHBOUR_SHARE)
    timestamps, first, now_us = np.empty(num_samples, np.int64), 0, start_us
    while first < num_samples:
        digits = len(str(now_us))
        step_us = STEP_US_WITH_7_DIGITS + US_PER_DIGIT * (digits - 7)
        ticks = np.maximum(1, np.rint((step_us + scatter_us[first:]) / TICK_US)).astype(np.int64)
        times_us = now_us + TICK_US * (np.cumsum(ticks) - ticks[0])
        count = int(np.searchsorted(times_us, 10**digits))
        timestamps[first : first + count] = times_us[:count]
        first += count
        now_us = int(times_us[min(count, len(times_us) - 1)])
    return timestamps


def on_even_grid(timestamps_us: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Counts [T, 3] at uneven instants, interpolated at even ones: float32 [N, 3] at GRID_RATE_HZ."""
    # Interpolation is linear, so gravity, by far the largest part, is subtracted first and added back.
    level = counts.mean(axis=0)
    even = even_samples(counts - level, (timestamps_us - timestamps_us[0]) * 1e-6, GRID_RATE_HZ)
    return (even + level).astype(np.float32)
