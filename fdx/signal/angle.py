"""Order tracking: a recording of a shaft whose speed varies, resampled so that the shaft turns evenly.

What belongs to the shaft repeats by angle and not by time, so its lines smear in a spectrum of a varying speed. Samples
at even steps of the shaft's angle bring them back (Fyfe and Munck, "Analysis of computed order tracking", MSSP
11(2):187-205, 1997). Resonances and the mains smear instead.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.fft
import scipy.ndimage

from fdx.types import DataError

# The fastest speed over the slowest one. Beyond, half of the resampled band would be empty half of the time.
MAX_RATIO = 4.0
# The samples are brought to this many times their rate before a quintic spline interpolates them: at 0.9 of Nyquist the
# spline's error is then -90 dB. Without, it would be -26 dB (Thevenaz, Blu and Unser, IEEE TMI 19(7):739-758, 2000).
OVERSAMPLING = 3
SPLINE_ORDER = 5


@dataclasses.dataclass(frozen=True)
class SpeedProfile:
    """A shaft's speed over time: straight lines between knots, constant before the first and after the last.

    Attributes:
      times_s: float64 [N], rising, N >= 1; 0 is the recording's first sample.
      rate_hz: float64 [N], turns per second there.

    Raises:
      DataError: times that do not rise, or a speed that is not a positive finite number.
    """

    times_s: np.ndarray
    rate_hz: np.ndarray

    def __post_init__(self):
        """Checks the knots."""
        times, rates = np.asarray(self.times_s, np.float64), np.asarray(self.rate_hz, np.float64)
        if times.ndim != 1 or times.shape != rates.shape or not times.size:
            raise DataError(f'a speed profile needs as many times as speeds: {times.shape} and {rates.shape}')
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise DataError('the times of a speed profile must be finite and rise')
        if not (np.isfinite(rates) & (rates > 0)).all():
            raise DataError('the speeds of a speed profile must be finite and above 0: cut off where the shaft stands')
        object.__setattr__(self, 'times_s', times)
        object.__setattr__(self, 'rate_hz', rates)

    def rate(self, t_s: np.ndarray) -> np.ndarray:
        """Turns per second at times [...]."""
        return np.interp(t_s, self.times_s, self.rate_hz)

    def turns(self, t_s: np.ndarray) -> np.ndarray:
        """Turns from the first knot to times [...], the exact integral of `rate`; negative before the first knot."""
        t = np.asarray(t_s, np.float64)
        steps = np.diff(self.times_s)
        at_knots = np.concatenate([[0.0], np.cumsum(steps * (self.rate_hz[1:] + self.rate_hz[:-1]) / 2)])
        place = np.clip(np.searchsorted(self.times_s, t, side='right') - 1, 0, len(self.times_s) - 1)
        # A trapezium from the knot before; before the first knot it is a rectangle of negative width.
        return at_knots[place] + (t - self.times_s[place]) * (self.rate(t) + self.rate_hz[place]) / 2

    def mean_hz(self, duration_s: float) -> float:
        """Turns per second, the mean from 0 to `duration_s`."""
        start, end = self.turns(np.array([0.0, duration_s]))
        return float((end - start) / duration_s)

    def extremes_hz(self, duration_s: float) -> tuple[float, float]:
        """The slowest and the fastest speed from 0 to `duration_s`."""
        inside = self.rate_hz[(self.times_s > 0) & (self.times_s < duration_s)]
        rates = np.concatenate([self.rate(np.array([0.0, duration_s])), inside])
        return float(rates.min()), float(rates.max())


def to_angle(samples: np.ndarray, sample_rate_hz: float, profile: SpeedProfile) -> tuple[np.ndarray, float, float]:
    """Resamples a recording at even steps of the shaft's angle.

    The result is to be read as a recording of a shaft that turns evenly at the mean speed: a line at order o lies at
    o * mean_rate_hz, and everything that expects a constant speed holds. No step is longer than a sample was, even
    where the shaft is slowest. So nothing aliases, and no filter is needed; the rate rises by the ratio of the mean to
    the slowest speed.

    Between the samples, the values are those of the band-limited signal: an even extension (a cosine transform) brings
    them to OVERSAMPLING times the rate, where a quintic spline is accurate. The error is below -80 dB for content up to
    0.95 of the Nyquist frequency, except within about 100 samples of the ends, because the signal beyond is not known;
    near the Nyquist frequency, the last few samples can be wrong altogether.

    Args:
      samples: float [T], T >= 2, finite.
      sample_rate_hz: their rate.
      profile: the shaft's speed; knots beyond the recording are allowed.

    Returns:
      (float32 [T'], their rate in Hz, mean turns per second). T' / rate is the recording's duration within a sample.

    Raises:
      DataError: not one channel, fewer than two samples, values that are not finite, or a speed that varies by more
        than MAX_RATIO.
    """
    x = np.asarray(samples, np.float64)
    if x.ndim != 1 or len(x) < 2:
        raise DataError(f'samples of shape {x.shape}: resampling by angle takes one channel of at least two samples')
    if not np.isfinite(x).all():
        raise DataError('the samples are not all finite: one of them would spread over the whole recording')
    duration_s = (len(x) - 1) / sample_rate_hz
    slowest_hz, fastest_hz = profile.extremes_hz(duration_s)
    if fastest_hz > MAX_RATIO * slowest_hz:
        raise DataError(
            f'the speed varies from {60 * slowest_hz:.0f} to {60 * fastest_hz:.0f} rpm, by more than a factor of '
            f'{MAX_RATIO:g}: cut the recording into parts of similar speed'
        )
    mean_hz = profile.mean_hz(duration_s)
    even_rate_hz = sample_rate_hz * mean_hz / slowest_hz
    times_s = np.arange(len(x)) / sample_rate_hz
    turns = profile.turns(times_s)
    # The small number keeps the last sample in spite of rounding.
    wanted = turns[0] + np.arange(int(duration_s * even_rate_hz + 1e-6) + 1) * (mean_hz / even_rate_hz)
    return _values_at(x, np.interp(wanted, turns, np.arange(len(x), dtype=np.float64))), even_rate_hz, mean_hz


def _values_at(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The band-limited signal through samples x [T] at places [N], in samples: float32 [N]."""
    # A length without large prime factors; the mirrored samples beyond the end are what the transform assumes anyway.
    length = scipy.fft.next_fast_len(len(x), real=True)
    spectrum = scipy.fft.dct(np.pad(x, (0, length - len(x)), mode='symmetric'))
    # Dividing by the sampled B-spline's response makes the spline pass through the samples.
    w = np.arange(length) * (np.pi / (OVERSAMPLING * length))
    spectrum *= OVERSAMPLING * 120 / (66 + 52 * np.cos(w) + 2 * np.cos(2 * w))
    coefficients = scipy.fft.idct(spectrum, n=OVERSAMPLING * length)
    # The cosine transform's samples lie at halves of a step.
    fine = OVERSAMPLING * (places + 0.5) - 0.5
    return scipy.ndimage.map_coordinates(
        coefficients, fine[None], output=np.float32, order=SPLINE_ORDER, mode='reflect', prefilter=False
    )
