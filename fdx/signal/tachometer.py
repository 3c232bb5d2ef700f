"""The speed of a shaft from a tachometer's pulses: one per turn (keyphasor) or many (encoder, gear wheel)."""

from __future__ import annotations

import numpy as np

from fdx.signal.angle import SpeedProfile
from fdx.types import ConfigError, DataError

# Shares of the distance from low to high: a pulse begins above the upper one, and must fall below the lower one before
# the next can begin, so that noise on an edge does not count twice.
LOWER, UPPER = 0.35, 0.65
# Share of the samples that may lie beyond low and high: single wild samples are no pulses.
BEYOND = 2e-4
# Pulses that are looked at for the usual interval.
AROUND = 15
# In usual intervals: below, a pulse is a double one; above, pulses are missing.
DOUBLE, MISSING = 0.6, 1.6
# Share of the pulses that may be repaired, and by how much an interval may then still differ from the usual one.
REPAIRED, UNEVEN = 0.1, 0.5
FEWEST_TURNS = 4
# Samples from pulse to pulse that are needed to see both levels.
SAMPLES_PER_PULSE = 4.0
REMEDY = 'choose the channel of the tachometer and give its `pulses_per_turn`, or leave the tachometer out'


def profile_of_pulses(pulse_channel: np.ndarray, sample_rate_hz: float, pulses_per_turn: int = 1) -> SpeedProfile:
    """The shaft's speed from its pulses.

    A pulse is where the channel rises through a threshold; between the two samples it is interpolated linearly. A pulse
    that follows too soon is taken for a double one and left out, and a gap of whole intervals is filled, as long as
    this concerns at most 10 % of the pulses. One pulse per turn is then used, so that the uneven distances on a wheel
    do not look like a varying speed; the speeds of three neighbouring turns are weighted 1:2:1, because the edge of a
    steep pulse is only known within a sample.

    Args:
      pulse_channel: float [T], of any level, offset and polarity.
      sample_rate_hz: its rate.
      pulses_per_turn: a whole number; the pulse that a wheel leaves out as a mark counts, too.

    Raises:
      ConfigError: `pulses_per_turn` is not a whole number of 1 or more.
      DataError: the channel is not that of a tachometer: no levels, too few pulses, uneven ones, or none for a while.
    """
    if pulses_per_turn != int(pulses_per_turn) or pulses_per_turn < 1:
        raise ConfigError(f'`pulses_per_turn`={pulses_per_turn}: it must be a whole number of 1 or more')
    x = np.asarray(pulse_channel, np.float64)
    if x.ndim != 1 or not len(x):
        raise DataError(f'a tachometer channel of shape {x.shape}: it must be one channel')
    if not np.isfinite(x).all():
        raise DataError('the tachometer channel holds values that are not finite: repair it or leave it out')
    pulses_s = _rises(x) / sample_rate_hz
    needed = FEWEST_TURNS * int(pulses_per_turn) + 1
    if len(pulses_s) < needed:
        raise DataError(
            f'the tachometer channel has {len(pulses_s)} pulses, {needed} are needed for {FEWEST_TURNS} turns: {REMEDY}'
        )
    even_s = _repaired(pulses_s)
    _check_covered(even_s, len(x) / sample_rate_hz)
    per_pulse = float(np.median(np.diff(even_s))) * sample_rate_hz
    if per_pulse < SAMPLES_PER_PULSE:
        raise DataError(
            f'only {per_pulse:.1f} samples from pulse to pulse in the tachometer channel, {SAMPLES_PER_PULSE:g} are '
            f'needed: {REMEDY}'
        )
    turns_s = even_s[:: int(pulses_per_turn)]
    rate_hz = 1 / np.diff(turns_s)
    padded = np.concatenate([rate_hz[:1], rate_hz, rate_hz[-1:]])
    return SpeedProfile((turns_s[1:] + turns_s[:-1]) / 2, (padded[:-2] + 2 * rate_hz + padded[2:]) / 4)


def _rises(x: np.ndarray) -> np.ndarray:
    """Places, in samples, at which x [T] rises through the upper threshold: float64 [N]."""
    # Pulses may be short, so the levels are nearly the extremes.
    beyond = int(BEYOND * len(x))
    ordered = np.partition(x, [beyond, len(x) - 1 - beyond])
    low, high = ordered[beyond], ordered[len(x) - 1 - beyond]
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        raise DataError(f'the tachometer channel is constant ({low:.4g}): {REMEDY}')
    upper, lower = low + UPPER * (high - low), low + LOWER * (high - low)
    outside = np.flatnonzero((x > upper) | (x < lower))
    is_high = x[outside] > upper
    first_high = outside[1:][is_high[1:] & ~is_high[:-1]]
    before = x[first_high - 1]
    return first_high - 1 + (upper - before) / (x[first_high] - before)


def _repaired(pulses_s: np.ndarray) -> np.ndarray:
    """Times of pulses without double ones and with missing ones; DataError where they are not even enough."""
    kept = _without_doubles(pulses_s)
    intervals = np.diff(kept)
    usual = _usual(intervals)
    ratio = intervals / usual
    extra = np.where(ratio > MISSING, np.rint(ratio).astype(np.int64) - 1, 0)
    repaired = (len(pulses_s) - len(kept)) + int(extra.sum())
    uneven = int((np.abs(ratio / (extra + 1) - 1) > UNEVEN).sum())
    if repaired + uneven > REPAIRED * len(kept):
        raise DataError(
            f'{len(pulses_s)} pulses in the tachometer channel are too uneven: {len(pulses_s) - len(kept)} double, '
            f'{int(extra.sum())} missing, {uneven} out of step; at most {REPAIRED:.0%} can be repaired: {REMEDY}'
        )
    places = np.concatenate([[0], np.cumsum(extra + 1)])
    return np.interp(np.arange(places[-1] + 1), places, kept)


def _without_doubles(pulses_s: np.ndarray) -> np.ndarray:
    """Drops every pulse that follows the one before, as kept, by less than DOUBLE of the usual interval."""
    usual = _usual(np.diff(pulses_s))
    kept = [0]
    for i in range(1, len(pulses_s)):
        if pulses_s[i] - pulses_s[kept[-1]] >= DOUBLE * usual[min(i - 1, len(usual) - 1)]:
            kept.append(i)
    return pulses_s[kept]


def _usual(intervals: np.ndarray) -> np.ndarray:
    """Median of the AROUND intervals around each: float64 [N]."""
    around = min(AROUND, len(intervals))
    medians = np.median(np.lib.stride_tricks.sliding_window_view(intervals, around), axis=1)
    place = np.clip(np.arange(len(intervals)) - around // 2, 0, len(medians) - 1)
    return medians[place]


def _check_covered(pulses_s: np.ndarray, duration_s: float) -> None:
    """Refuses pulses that begin late or end early: the speed there would be a guess."""
    allowed_s = 2 * AROUND * float(np.median(np.diff(pulses_s)))
    if pulses_s[0] > allowed_s or duration_s - pulses_s[-1] > allowed_s:
        raise DataError(
            f'the tachometer channel has pulses from {pulses_s[0]:.3g} to {pulses_s[-1]:.3g} s only, and the recording '
            f'lasts {duration_s:.3g} s: cut the recording to that part, or leave the tachometer out'
        )
