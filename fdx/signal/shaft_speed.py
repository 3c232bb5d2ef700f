"""The shaft's speed from a recording that comes without one, or a refusal."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.signal

from fdx.signal.envelope import USED_BAND
from fdx.types import ConfigError, DataError

# Of high to low: an outer race of seven large balls is struck 2.5 times a turn, and no fault's lines come slower than
# that but the cage's. In a wider range such a line of a slow shaft passes for the speed of a fast one.
MAX_RANGE = 2.5
# From a six-pole motor under load to a four-pole one, at 50 and 60 Hz.
DEFAULT_RANGE_RPM = (900.0, 2200.0)
MIN_DURATION_S = 2.0
SEGMENT_S = 4.0
BACKGROUND_HZ = 10.0
GRID_STEP = 5e-4
# A line counts up to e^4 times the background: no single one, of the mains or a gear, makes a comb.
CAP = 4.0
ENVELOPE_WEIGHT = 0.3
# With 0.8 and 0.25, five more of the recordings that `estimate_speed_rpm` was measured on are answered wrongly.
MIN_SCORE, MIN_CONFIDENCE = 1.2, 0.3
# Candidates nearer than this are the same one.
SAME = 0.03


@dataclasses.dataclass(frozen=True)
class SpeedEstimate:
    """A speed that stood out.

    Attributes:
      speed_rpm: of the shaft, the mean over the recording.
      confidence: 1 less the score of the best other speed over its own, from MIN_CONFIDENCE to 1.
    """

    speed_rpm: float
    confidence: float


def estimate_speed_rpm(
    samples: np.ndarray,
    sample_rate_hz: float,
    low_rpm: float = DEFAULT_RANGE_RPM[0],
    high_rpm: float = DEFAULT_RANGE_RPM[1],
) -> SpeedEstimate:
    """The speed whose harmonics stand out of the spectrum at low frequencies and of the squared envelope's.

    Unbalance, misalignment and looseness shake a machine at 1, 2, 3 ... times the shaft's rate, and the load modulates
    impacts with it (Randall and Antoni, MSSP 25(2):485-520, 2011). A candidate's score is the mean log ratio of these
    harmonics to the local background, as Hinich's harmogram takes it ("Detecting a hidden periodic signal when its
    period is unknown", IEEE TASSP 30(5):747-750, 1982), without the strongest of them: one line is no shaft. Lines
    halfway or a third between the harmonics are taken off, as they belong to a slower shaft; half the true speed scores
    little, as every other harmonic is missing.

    Accuracy, measured on the recordings that the thresholds were chosen with, in three draws of ranges of a factor of
    2.5 that hold the true speed at a random place: of CWRU's drive end 54 to 57 of 62 recordings are answered, all but
    0 or 1 within 0.5 % (3006, by -40 %); with the default range 58, one wrong. Of MFPT's 14, 9 or 10, all within 1.1 %
    of the nominal 1500 rpm. Of 288 of the simulated rigs (6.5 s, 353 to 997 rpm) a third, all within 0.8 %: 73 % of
    those with a damaged inner race, 18 % of the healthy ones, 7 % with a damaged outer race, whose shaft is hardly
    heard. Other simulations (144): a quarter, all within 1 %. Noise: none of 240.

    The range must hold the true speed: where it lay beside it, 19 of CWRU's 62 and 6 of MFPT's 14 were answered when
    the range lay above it, 7 and none when below.

    Args:
      samples: [T] or [T, 1], two seconds or more; the longer, the better. One window of a dataset will not do.
      sample_rate_hz: its rate, ten times `high_rpm` / 60 or more.
      low_rpm: lowest speed that the machine can have.
      high_rpm: highest speed, at most 2.5 times the lowest.

    Returns:
      SpeedEstimate.

    Raises:
      ConfigError: a range that is empty or wider than MAX_RANGE.
      DataError: no one speed stands out, or a recording that is too short, too slow, not finite or of several channels.
    """
    x = _checked(samples, sample_rate_hz, low_rpm, high_rpm)
    shaft_hz = low_rpm / 60 * np.exp(np.arange(0, math.log(high_rpm / low_rpm) + GRID_STEP, GRID_STEP))
    reach_hz = 5.1 * high_rpm / 60
    vibration = _lines(x, sample_rate_hz, reach_hz)
    score = (_comb(vibration, shaft_hz, 3) + _comb(vibration, shaft_hz, 5)) / 2
    squared, rate_hz = _squared_envelope(x, sample_rate_hz)
    score = score + ENVELOPE_WEIGHT * np.maximum(_comb(_lines(squared, rate_hz, reach_hz), shaft_hz, 3), 0)
    best = int(score.argmax())
    others = np.abs(np.log(shaft_hz / shaft_hz[best])) > SAME
    rival = max(float(score[others].max(initial=0.0)), 0.0)
    confidence = 1 - rival / float(score[best]) if score[best] > 0 else 0.0
    if score[best] < MIN_SCORE or confidence < MIN_CONFIDENCE:
        raise DataError(
            f'no speed between {low_rpm:g} and {high_rpm:g} rpm stands out of the recording: the best, '
            f'{60 * shaft_hz[best]:.0f} rpm, has a score of {score[best]:.2f} ({MIN_SCORE:g} are needed) and a '
            f'confidence of {confidence:.2f} ({MIN_CONFIDENCE:g}); give --speed_rpm=NUMBER'
        )
    return SpeedEstimate(60 * _vertex(shaft_hz, score, best), confidence)


def _checked(samples: np.ndarray, sample_rate_hz: float, low_rpm: float, high_rpm: float) -> np.ndarray:
    """The samples, float64 [T], or the errors of `estimate_speed_rpm`."""
    if not (0 < low_rpm < high_rpm <= MAX_RANGE * low_rpm * (1 + 1e-9) and math.isfinite(high_rpm)):
        raise ConfigError(
            f'speeds from {low_rpm} to {high_rpm} rpm cannot be searched: both are above 0, and the highest is above '
            f'the lowest and at most {MAX_RANGE:g} times it; name the range of the machine, or --speed_rpm=NUMBER'
        )
    x = np.asarray(samples)
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1:
        raise DataError(f'the speed is estimated from one channel, not from samples of shape {x.shape}: choose one')
    if not sample_rate_hz >= 10 * high_rpm / 60 / USED_BAND:
        raise DataError(
            f'{sample_rate_hz:g} Hz do not hold five harmonics of {high_rpm:g} rpm: give --speed_rpm=NUMBER'
        )
    if len(x) < MIN_DURATION_S * sample_rate_hz:
        raise DataError(
            f'{len(x) / sample_rate_hz:.2f} s are too short to estimate a speed, which takes {MIN_DURATION_S:g} s or '
            'more: give --speed_rpm=NUMBER'
        )
    if not np.isfinite(x).all():
        raise DataError('the recording has samples that are no finite numbers: cut them out')
    return x.astype(np.float64)


def _squared_envelope(x: np.ndarray, sample_rate_hz: float) -> tuple[np.ndarray, float]:
    """Squared envelope of everything up to USED_BAND, [T'], and its rate."""
    spectrum = np.fft.rfft(x)
    band = spectrum[1 : max(2, int(USED_BAND * (len(x) // 2)))]
    # Twice the band holds its square without aliasing.
    length = scipy.fft.next_fast_len(2 * len(band))
    return np.abs(scipy.fft.ifft(band, length)) ** 2, length * sample_rate_hz / len(x)


def _lines(x: np.ndarray, sample_rate_hz: float, reach_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """(Hz [F], log power over the local median [F] within 0 and CAP) up to `reach_hz` at least."""
    spectrum = np.fft.rfft(x - x.mean())
    # Whole bins are kept, so that neither filter nor decimation touches what is left.
    kept = min(len(spectrum) - 1, int(1.3 * reach_hz * len(x) / sample_rate_hz))
    slow, rate_hz = np.fft.irfft(spectrum[: kept + 1], 2 * kept), 2 * kept * sample_rate_hz / len(x)
    length = min(len(slow), int(SEGMENT_S * rate_hz))
    hz, power = scipy.signal.welch(slow, rate_hz, 'hann', nperseg=length, nfft=2 * length)
    log = np.log(power + 1e-30 * power.max() + np.finfo(float).tiny)
    background = scipy.ndimage.median_filter(log, round(BACKGROUND_HZ / hz[1]) | 1, mode='nearest')
    return hz, np.clip(log - background, 0, CAP)


def _comb(lines: tuple[np.ndarray, np.ndarray], shaft_hz: np.ndarray, harmonics: int) -> np.ndarray:
    """Mean of the harmonics but the strongest, less that of the places in between where a slower shaft's are: [N]."""

    def at(offset: float) -> np.ndarray:
        return np.interp(np.outer(np.arange(1, harmonics + 1) - offset, shaft_hz), *lines)

    on = at(0.0)
    between = np.max([at(offset).mean(axis=0) for offset in (1 / 2, 1 / 3, 2 / 3)], axis=0)
    return (on.sum(axis=0) - on.max(axis=0)) / (harmonics - 1) - between


def _vertex(shaft_hz: np.ndarray, score: np.ndarray, best: int) -> float:
    """Frequency at the top of the parabola through the best candidate and its neighbours."""
    if not 0 < best < len(score) - 1:
        return float(shaft_hz[best])
    left, top, right = score[best - 1 : best + 2]
    curvature = left - 2 * top + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(shaft_hz[best] * math.exp(GRID_STEP * shift))
