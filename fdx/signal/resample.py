"""Polyphase resampling in float32 between any two rates, and the common band of a dataset (law 3)."""

from __future__ import annotations

import fractions
import functools
import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.fft
import scipy.special

from fdx.signal.polyphase import Polyphase, polyphase
from fdx.signal.static_part import StaticPart, static_part
from fdx.types import ConfigError

# Share of the lower Nyquist frequency that passes untouched; from there to Nyquist the filter falls to STOP_DB.
PASS_SHARE = 0.95
STOP_DB = 80.0
MAX_FACTOR = 20_000
# Clocks of two recorders with the same nominal rate differ by some tens of millionths, as do rates from timestamps.
SAME_RATE = 1e-4
SMALL_FACTOR = 32
# The upper end of a dataset's common band, as a share of its Nyquist frequency. The recorder's own anti-alias filter
# already attenuates below Nyquist (in CWRU's 12 kHz files from 5.4 kHz on, by 50 dB at 5.95 kHz). What it removed from
# some recordings must be removed from all.
BAND_SHARE = 0.9


@functools.lru_cache(maxsize=64)
def rational_ratio(from_hz: float, to_hz: float) -> tuple[int, int]:
    """Integers (up, down) with up / down = to_hz / from_hz.

    A ratio within 1e-4 of a small one (integers up to 32) is rounded to it: 12000.5 Hz and 16,000 Hz give 3:4. Other
    rates that are not integers (533.05 Hz from timestamps) give the nearest fraction of integers up to 20,000, whose
    relative error is below 1e-5.

    Raises:
      ConfigError: a rate that is not a positive finite number, or a ratio beyond 1:20,000.
    """
    for name, value in (('from_hz', from_hz), ('to_hz', to_hz)):
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f'{name}={value}: a sample rate must be a positive number of Hz')
    exact = fractions.Fraction(to_hz) / fractions.Fraction(from_hz)
    small = min(exact, 1 / exact)
    ratio = small.limit_denominator(SMALL_FACTOR)
    if abs(float(ratio / small) - 1) > SAME_RATE:
        ratio = small.limit_denominator(MAX_FACTOR)
        if ratio == 0 or abs(float(ratio / small) - 1) > 1e-5:
            raise ConfigError(f'cannot resample {from_hz:.9g} Hz to {to_hz:.9g} Hz: the rates lie too far apart')
    return (ratio.numerator, ratio.denominator) if exact < 1 else (ratio.denominator, ratio.numerator)


# Few filters are cached, because between odd rates (533.05 Hz from timestamps) one has millions of taps.
@functools.lru_cache(maxsize=12)
def _low_pass(rate_hz: float, cutoff_hz: float, gain: float) -> np.ndarray:
    """Kaiser low-pass at `rate_hz`: flat up to PASS_SHARE x cutoff, STOP_DB down above the cutoff, of odd length."""
    width_hz = (1 - PASS_SHARE) * cutoff_hz
    taps, beta = scipy.signal.kaiserord(STOP_DB, width_hz / (rate_hz / 2))
    taps |= 1
    filt = scipy.signal.firwin(taps, cutoff_hz - width_hz / 2, window=('kaiser', beta), fs=rate_hz)
    return (gain * filt).astype(np.float32)


def resample(x: np.ndarray, from_hz: float, to_hz: float, *, band_hz: float | None = None) -> np.ndarray:
    """Resamples along axis 0 with a linear-phase polyphase filter (Crochiere and Rabiner, 1983).

    Args:
      x: float32 [T] or [T, C] at `from_hz`; taken as zero outside.
      from_hz: its rate.
      to_hz: the wanted rate.
      band_hz: the signal is low-passed below this frequency, even if the rates do not require it. None filters only
        as much as resampling requires.

    Returns:
      float32 [ceil(T to_hz / from_hz)] or [.., C]; the input's samples, unchanged, when the rates are equal and
      no band is given.
    """
    x = np.asarray(x, np.float32)
    up, down = rational_ratio(from_hz, to_hz)
    cutoff = min(from_hz, to_hz) / 2 if band_hz is None else min(band_hz, from_hz / 2, to_hz / 2)
    if up == down == 1:
        if band_hz is None:
            return x
        taps = _low_pass(from_hz, cutoff, 1.0)
        return scipy.signal.oaconvolve(x, taps.reshape(-1, *[1] * (x.ndim - 1)), mode='same', axes=0).astype(np.float32)
    filtered = _polyphase(from_hz, up, down, cutoff)
    if filtered is None:
        taps = _low_pass(from_hz * up, cutoff, 1.0)
        return scipy.signal.resample_poly(x, up, down, axis=0, window=taps).astype(np.float32, copy=False)
    if x.ndim == 1:
        return filtered(x)
    return np.stack([filtered(channel) for channel in x.T], axis=1)


@functools.lru_cache(maxsize=8)
def _polyphase(from_hz: float, up: int, down: int, cutoff_hz: float) -> Polyphase | None:
    return polyphase(_low_pass(from_hz * up, cutoff_hz, 1.0), up, down)


def resampled_length(num_samples: int, from_hz: float, to_hz: float) -> int:
    """Number of samples that `resample` returns for `num_samples`."""
    up, down = rational_ratio(from_hz, to_hz)
    return -(-num_samples * up // down)


def samples_before_resampling(num_samples: int, from_hz: float, to_hz: float) -> int:
    """Fewest samples at `from_hz` that give at least `num_samples` at `to_hz`."""
    if num_samples <= 0:
        return 0
    up, down = rational_ratio(from_hz, to_hz)
    return (num_samples - 1) * down // up + 1


def filter_reach(from_hz: float, to_hz: float) -> int:
    """Number of input samples on each side that an output sample of `resample` depends on."""
    up, down = rational_ratio(from_hz, to_hz)
    if up == down == 1:
        return 0
    return _taps_reach(from_hz, up, min(from_hz, to_hz) / 2)


def _taps_reach(from_hz: float, up: int, cutoff_hz: float) -> int:
    """Samples at `from_hz` on each side that the low-pass at `from_hz * up` covers."""
    return -(-len(_low_pass(from_hz * up, cutoff_hz, 1.0)) // (2 * up))


def to_common_band(x: np.ndarray, from_hz: float, common_hz: float) -> np.ndarray:
    """Brings a recording to the rate and the band of its dataset (law 3).

    Every recording of a dataset config, also one that was taken at the common rate, passes the same low-pass, stated in
    Hz. It ends at BAND_SHARE of the common Nyquist frequency, below the roll-off of the recorders' anti-alias filters,
    so that the roll-off cannot reveal a class.

    Args:
      x: float32 [T] or [T, C] at `from_hz`; a static part (gravity) and a drift continue beyond its ends.
      from_hz: rate of the recording, at least `common_hz`.
      common_hz: the lowest rate among the recordings of the config.

    Raises:
      ConfigError: the recording's rate is below the common one.
    """
    x = np.asarray(x, np.float32)
    count = min(len(x), samples_of_static_part(from_hz, common_hz))
    return piece_to_common_band(x, 0, static_part(x[:count], x[len(x) - count :], len(x)), from_hz, common_hz)


def piece_to_common_band(x: np.ndarray, first: int, static: StaticPart, from_hz: float, common_hz: float) -> np.ndarray:
    """`to_common_band` of a piece of a recording; equal to that of the whole but within `filter_reach_s` of its ends.

    Args:
      x: float32 [n] or [n, C], the recording's samples [first : first + n].
      first: a multiple of `piece_grid`, so that both rates have a sample there.
      static: of the whole recording.
      from_hz: rate of the recording.
      common_hz: the wanted rate.

    Raises:
      ConfigError: the recording's rate is below the common one.
    """
    if from_hz < common_hz * (1 - SAME_RATE):
        raise ConfigError(
            f'a recording at {from_hz:.9g} Hz cannot be brought to {common_hz:.9g} Hz: it has no content above '
            f'{from_hz / 2:g} Hz; the common rate must be the lowest of the dataset'
        )
    up, down = rational_ratio(from_hz, common_hz)
    slow = static(np.arange(first, first + len(x)))
    out = resample(x - slow, from_hz, common_hz, band_hz=BAND_SHARE * common_hz / 2)
    if from_hz == common_hz:
        return out + slow
    # Indices are in the time of the input, so that samples of both rates lie on one curve.
    first_out = first * up // down
    return out + static(np.arange(first_out, first_out + len(out)) * (from_hz / common_hz))


def filter_reach_s(from_hz: float, common_hz: float) -> float:
    """Seconds of input on each side that a sample of `to_common_band` depends on."""
    up, _ = rational_ratio(from_hz, common_hz)
    return _taps_reach(from_hz, up, min(BAND_SHARE * common_hz / 2, from_hz / 2)) / from_hz


def piece_grid(from_hz: float, common_hz: float) -> int:
    """A piece of a recording begins at a multiple of so many samples: `piece_to_common_band` then rounds as the whole.

    It is the length of a block of the filter: of its matrix products, or of its FFTs where both rates are equal (then
    the optimum that scipy.signal.oaconvolve chooses). Between rates that lie far apart the filter has no blocks, and
    the grid is the second number of `rational_ratio`.
    """
    up, down = rational_ratio(from_hz, common_hz)
    cutoff = min(BAND_SHARE * common_hz / 2, from_hz / 2)
    if not up == down == 1:
        filtered = _polyphase(from_hz, up, down, cutoff)
        return down if filtered is None else filtered.grid
    overlap = len(_low_pass(from_hz, cutoff, 1.0)) - 1
    best = -overlap * scipy.special.lambertw(-1 / (2 * math.e * overlap), k=-1).real
    return scipy.fft.next_fast_len(math.ceil(best)) - overlap


def samples_of_static_part(from_hz: float, common_hz: float) -> int:
    """How many samples at each end of a recording `static_part` is fitted to."""
    up, _ = rational_ratio(from_hz, common_hz)
    return max(4 * _taps_reach(from_hz, up, min(BAND_SHARE * common_hz / 2, from_hz / 2, common_hz / 2)), 256)
