"""Tells whether the speed of a shaft varies in a recording without a tachometer, and follows it where it does."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal.angle import SpeedProfile
from fdx.signal.speed_path import Course, contrast, find_course, refined
from fdx.signal.speed_picture import LOWEST_ORDER, REACH, TICK, Picture, picture_of
from fdx.types import DataError

# Chosen on noise of six lengths and on 24 simulated machines (docs/decisions/signal.md): the contrast of a course, and
# how many of the five first guesses must lead to it.
NEEDED, AGREEING = 0.8, 3
# How much more contrast than a constant speed the course must have, once the lines that stay in place are taken off.
GAIN = 1.5
# Speeds that vary by less than this, in all, pass as steady: the lines of segments of 8 to 16 turns do not show it.
LEAST_SPREAD = 0.012
# Those that vary by less than this raise no doubt.
LEAST_DOUBT = 0.03
# Contrast from which on lines are there at all; white noise has at most 0.67.
LINES_NEEDED = 0.8
# Fewer samples per turn show no harmonics.
SAMPLES_PER_TURN = 16
# How much better, in nepers and as a ratio, the shaft's harmonics must fit another mean speed than any within NEAR of
# the stated one, which are left to `fdx.signal.speed_check`.
SCALE_NEEDED, SCALE_RATIO, NEAR, HARMONICS = 0.8, 1.7, 0.085, 8
MAINS_HZ, MAINS_MULTIPLES = (50.0, 60.0), 12
# Half width of a line of Hann's window, in bins of a segment.
LINE_WIDTH = 1.5
TICKS = np.arange(-REACH, REACH + 1)
NEAR_TICKS = np.abs(np.expm1(TICKS * TICK)) <= NEAR
FINDINGS = ('steady', 'varies', 'doubtful', 'no lines', 'too short')


@dataclasses.dataclass(frozen=True)
class TrackedSpeed:
    """What a recording says about the course of its speed.

    Attributes:
      finding: one of FINDINGS. 'steady': lines stand out, and there is no sign that they move. 'doubtful': some lines
        move together, but those that stay in place outweigh them, so they may belong to another machine.
      profile: the speed over time where it varies, else None.
      confidence: 1 minus the needed contrast over the one that was found; 0 where it does not vary.
      words: one sentence for the user.
    """

    finding: str
    profile: SpeedProfile | None
    confidence: float
    words: str

    @property
    def varies(self) -> bool:
        """Whether the speed clearly varies, by more than the segments resolve."""
        return self.profile is not None


def track_speed(samples: np.ndarray, sample_rate_hz: float, speed_rpm: float) -> TrackedSpeed:
    """Follows the speed by the lines of short segments, from 0.69 to 1.46 times the stated speed.

    All lines that follow the shaft (its own, its gears', its bearings' in the envelope) shift together on a logarithmic
    axis, so no geometry is needed. Lines that stay in place are taken off first. The speed varies if the segments,
    shifted by the best course, show clearly more than noise leaves, most first guesses lead to the same course, and it
    shows all lines more sharply than a constant speed does; hum of the mains does not count there.

    The course is relative to its mean, which is taken to be the stated speed, or another one up to 36 % off at which
    the shaft's harmonics stand out clearly more. On simulated machines, the course is within 0.5 % of the truth.

    Args:
      samples: float [T], one channel, finite.
      sample_rate_hz: their rate.
      speed_rpm: stated speed, near the mean of the recording's.

    Raises:
      DataError: samples that are not one channel or not finite, or a rate or speed that is not a positive finite
        number.
    """
    x = np.asarray(samples)
    if x.ndim != 1:
        raise DataError(f'samples of shape {x.shape}: the speed is followed in one channel, choose it with `channel`')
    if not np.isfinite(x).all():
        raise DataError('the samples are not all finite: repair them before the speed is followed')
    for name, value in (('sample_rate_hz', sample_rate_hz), ('speed_rpm', speed_rpm)):
        if not (np.isfinite(value) and value > 0):
            raise DataError(f'`{name}`={value}: it must be a positive finite number')
    shaft_hz = speed_rpm / 60
    if sample_rate_hz < SAMPLES_PER_TURN * shaft_hz:
        return _unvarying('no lines', f'{sample_rate_hz:g} Hz are too few to follow a shaft of {speed_rpm:g} rpm')
    picture = picture_of(x, sample_rate_hz, shaft_hz)
    if picture is None:
        turns = len(x) / sample_rate_hz * shaft_hz
        return _unvarying('too short', f'{turns:.0f} turns are too few to tell whether the speed varies')
    return _judged(picture, shaft_hz, len(x) / sample_rate_hz)


def _judged(picture: Picture, shaft_hz: float, duration_s: float) -> TrackedSpeed:
    """The finding of a picture."""
    constant = np.zeros(picture.excess.shape[1], np.int64)
    in_place = np.maximum(np.median(picture.excess, axis=1, keepdims=True), 0)
    rest = dataclasses.replace(picture, excess=picture.excess - in_place)
    course = find_course(rest)
    shifts = np.rint(course.shifts).astype(np.int64)
    own = dataclasses.replace(picture, excess=picture.excess - in_place * _mains(picture, shaft_hz))
    steady, moved = contrast(own, constant), contrast(own, shifts)
    spread = float(np.expm1(np.ptp(course.shifts) * TICK))
    if max(steady, moved) < LINES_NEEDED:
        return _unvarying('no lines', 'no lines stand out that could tell whether the speed varies')
    needed = max(NEEDED, GAIN * contrast(rest, constant))
    moves = course.contrast >= needed and course.agreeing >= AGREEING and spread >= LEAST_SPREAD
    if not moves or (moved <= steady and (course.agreeing < course.guesses or spread < LEAST_DOUBT)):
        return _unvarying('steady', 'the speed is steady within what short segments resolve')
    if moved <= steady:
        return _unvarying(
            'doubtful',
            f'some lines move by {spread:.0%}, but stronger ones stay in place: the speed was taken as constant; '
            'record a tachometer if it varies',
        )
    return _varying(picture, course, shaft_hz, duration_s)


def _mains(picture: Picture, shaft_hz: float) -> np.ndarray:
    """Ticks at multiples of the mains that no harmonic of the shaft is near: bool [ticks]."""
    hz = LOWEST_ORDER * shaft_hz * np.exp((np.arange(picture.excess.shape[2]) - REACH) * TICK)
    width_hz = LINE_WIDTH * shaft_hz / picture.segment_turns + TICK * hz
    mains = np.zeros(len(hz), bool)
    for mains_hz in MAINS_HZ:
        mains |= _near_multiples(hz, mains_hz, width_hz, MAINS_MULTIPLES)
    return mains & ~_near_multiples(hz, shaft_hz, 2 * width_hz, HARMONICS)


def _near_multiples(hz: np.ndarray, fundamental_hz: float, width_hz: np.ndarray, highest: int) -> np.ndarray:
    multiple = np.clip(np.rint(hz / fundamental_hz), 1, highest)
    return np.abs(hz - multiple * fundamental_hz) <= width_hz


def _unvarying(finding: str, words: str) -> TrackedSpeed:
    return TrackedSpeed(finding, None, 0.0, words)


def _varying(picture: Picture, course: Course, shaft_hz: float, duration_s: float) -> TrackedSpeed:
    # Where the speed varies little, the removal of lines in place has taken some of the shaft's, too.
    shifts = refined(picture, np.rint(course.shifts).astype(np.int64))
    scale = _scale(picture, course)
    relative = _to_the_ends(picture.middles_s, np.exp(shifts * TICK), duration_s)
    mean_hz = scale * shaft_hz
    profile = SpeedProfile(relative.times_s, relative.rate_hz * (mean_hz / relative.mean_hz(duration_s)))
    low_hz, high_hz = profile.extremes_hz(duration_s)
    words = f'the speed varies from {60 * low_hz:.0f} to {60 * high_hz:.0f} rpm, as the lines of the recording tell'
    if scale != 1:
        words += f'; its mean is about {60 * mean_hz:.0f} rpm and not {60 * shaft_hz:.0f} as stated'
    return TrackedSpeed('varies', profile, 1 - NEEDED / course.contrast, words)


def _to_the_ends(middles_s: np.ndarray, rates: np.ndarray, duration_s: float) -> SpeedProfile:
    """The profile continued by straight lines from the middles of the outer segments to the ends of the recording."""
    slopes = [(rates[k + 1] - rates[k]) / (middles_s[k + 1] - middles_s[k]) for k in (0, -2)]
    first = rates[0] - slopes[0] * middles_s[0]
    last = rates[-1] + slopes[1] * (duration_s - middles_s[-1])
    rates = np.concatenate([[first], rates, [last]])
    return SpeedProfile(np.concatenate([[0.0], middles_s, [duration_s]]), np.maximum(rates, 0.5 * rates.min()))


def _scale(picture: Picture, course: Course) -> float:
    """The mean speed over the stated one; 1 unless the shaft's harmonics say otherwise clearly."""
    score = _shaft_scores(picture, course.shifts)
    best = int(np.where(NEAR_TICKS, -np.inf, score).argmax())
    near = score[NEAR_TICKS].max()
    clearly = score[best] > max(near + SCALE_NEEDED, near * SCALE_RATIO)
    return float(np.exp(TICKS[best] * TICK)) if clearly else 1.0


def _shaft_scores(picture: Picture, shifts: np.ndarray) -> np.ndarray:
    """How far a shaft's harmonics stand out of the shifted segments, in nepers, at mean speeds of TICKS: [STATES]."""
    lines = np.maximum(picture.aligned(np.rint(shifts).astype(np.int64)), 0)
    lines = lines[0] + lines[1:].max(axis=0)
    place = np.log(np.arange(1, HARMONICS + 1) / LOWEST_ORDER) / TICK + TICKS[:, None]
    on = np.interp(place, np.arange(len(lines)), lines, left=0, right=0)
    # Without the strongest: a single line is no shaft.
    return (on.sum(axis=1) - on.max(axis=1)) / (HARMONICS - 1)
