"""A recording as if its shaft had turned evenly: what every diagnosis by orders begins with.

steadied = at_steady_speed(samples, sample_rate_hz=12000.0, speed_rpm=1750.0)
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal.angle import SpeedProfile, to_angle
from fdx.signal.speed_track import track_speed
from fdx.signal.tachometer import profile_of_pulses
from fdx.types import DataError

# A shaft that is never farther than this from where an even one would be, in turns, turns evenly.
EVEN_TURNS = 0.02
# The tachometer may differ by this factor from the stated speed; beyond, one of the two is wrong.
MAX_DISAGREEMENT = 1.5


@dataclasses.dataclass(frozen=True)
class Steadied:
    """A recording of an even speed.

    Attributes:
      samples: the samples that were given, the same array, or float32 [T'] at even steps of the shaft's angle.
      sample_rate_hz: of `samples`.
      speed_rpm: mean speed over the recording; a tachometer's, a tracked one, or what was stated.
      finding: 'tachometer', or what `fdx.signal.speed_track.track_speed` found.
      words: one sentence for the user; '' where there is nothing to say.
    """

    samples: np.ndarray
    sample_rate_hz: float
    speed_rpm: float
    finding: str
    words: str


def at_steady_speed(
    samples: np.ndarray,
    sample_rate_hz: float,
    speed_rpm: float | None,
    tachometer: np.ndarray | None = None,
    pulses_per_turn: int = 1,
) -> Steadied:
    """Resamples a recording by the shaft's angle where its speed varies, and leaves it alone elsewhere.

    The speed over time comes from the tachometer if there is one, else from the recording's own lines.

    Args:
      samples: float [T], one channel, finite.
      sample_rate_hz: their rate.
      speed_rpm: stated speed; None only with a tachometer.
      tachometer: float [T], a channel of pulses that was recorded with the samples.
      pulses_per_turn: of the tachometer.

    Raises:
      ConfigError: `pulses_per_turn` is not a whole number of 1 or more.
      DataError: the tachometer's channel is none, contradicts the stated speed, or has another length than the samples;
        there is neither a speed nor a tachometer; or what `track_speed` and `to_angle` refuse.
    """
    if tachometer is not None:
        return _by_tachometer(samples, sample_rate_hz, speed_rpm, tachometer, pulses_per_turn)
    if speed_rpm is None:
        raise DataError('the speed of the shaft is not known: give `speed_rpm` or a tachometer')
    tracked = track_speed(samples, sample_rate_hz, speed_rpm)
    if tracked.profile is None:
        words = tracked.words if tracked.finding == 'doubtful' else ''
        return Steadied(samples, sample_rate_hz, speed_rpm, tracked.finding, words)
    return _resampled(samples, sample_rate_hz, tracked.profile, tracked.finding, tracked.words)


def _by_tachometer(
    samples: np.ndarray,
    sample_rate_hz: float,
    speed_rpm: float | None,
    tachometer: np.ndarray,
    pulses_per_turn: int,
) -> Steadied:
    if len(tachometer) != len(samples):
        raise DataError(
            f'the tachometer has {len(tachometer)} samples and the recording {len(samples)}: both must have been '
            'recorded together, at the same rate'
        )
    profile = profile_of_pulses(tachometer, sample_rate_hz, pulses_per_turn)
    duration_s = (len(samples) - 1) / sample_rate_hz
    mean_rpm = 60 * profile.mean_hz(duration_s)
    if speed_rpm is not None and not 1 / MAX_DISAGREEMENT < mean_rpm / speed_rpm < MAX_DISAGREEMENT:
        raise DataError(
            f'the tachometer has a mean speed of {mean_rpm:.0f} rpm with `pulses_per_turn`={pulses_per_turn}, and '
            f'`speed_rpm`={speed_rpm:g} was stated: correct one of the two'
        )
    if _is_even(profile, duration_s):
        return Steadied(samples, sample_rate_hz, mean_rpm, 'tachometer', f'speed by the tachometer: {mean_rpm:.1f} rpm')
    low_hz, high_hz = profile.extremes_hz(duration_s)
    words = f'the speed varies from {60 * low_hz:.0f} to {60 * high_hz:.0f} rpm by the tachometer'
    return _resampled(samples, sample_rate_hz, profile, 'tachometer', words)


def _is_even(profile: SpeedProfile, duration_s: float) -> bool:
    """Whether the shaft is always within EVEN_TURNS of where one that turns evenly would be."""
    times_s = np.concatenate([[0.0], profile.times_s, [duration_s]])
    ahead = profile.turns(times_s) - profile.mean_hz(duration_s) * times_s
    return bool(np.ptp(ahead) / 2 <= EVEN_TURNS)


def _resampled(samples: np.ndarray, sample_rate_hz: float, profile: SpeedProfile, finding: str, words: str) -> Steadied:
    even, even_rate_hz, mean_hz = to_angle(samples, sample_rate_hz, profile)
    return Steadied(even, even_rate_hz, 60 * mean_hz, finding, f'{words}; the recording was resampled by its angle')
