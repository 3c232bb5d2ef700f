"""Lines of a spectrum over their background, and combs of lines, from which the speed of a shaft is estimated."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.fft
import scipy.ndimage

from fdx.signal.envelope import USED_BAND

SEGMENT_S = 4.0
BACKGROUND_HZ = 10.0
GRID_STEP = 5e-4
# A line counts up to e^4 times the background, so that a single line of the mains or a gear does not make a comb.
CAP = 4.0
ENVELOPE_WEIGHT = 0.3
# A slower shaft has its lines here, between the harmonics of a faster one.
BETWEEN = (1 / 2, 1 / 3, 2 / 3)
# Highest order of the fastest candidate that is needed: a little above its fifth harmonic.
REACH = 5.1


class Lines(NamedTuple):
    """A spectrum: `hz` [F] from 0 in equal steps, and `excess` [F], the log power over the local median."""

    hz: np.ndarray
    excess: np.ndarray

    def at(self, frequency_hz: np.ndarray | float) -> np.ndarray:
        """The excess at any frequencies, NaN where lines were removed."""
        return np.interp(frequency_hz, self.hz, self.excess)


def grid_hz(low_hz: float, high_hz: float) -> np.ndarray:
    """Candidates from `low_hz` to `high_hz` in equal ratios, [N]."""
    return low_hz * np.exp(np.arange(0, math.log(high_hz / low_hz) + GRID_STEP, GRID_STEP))


def squared_envelope(x: np.ndarray, sample_rate_hz: float) -> tuple[np.ndarray, float]:
    """Squared envelope of everything up to USED_BAND, [T'], and its rate."""
    spectrum = np.fft.rfft(x)
    band = spectrum[1 : max(2, int(USED_BAND * (len(x) // 2)))]
    # Twice the band holds its square without aliasing.
    length = scipy.fft.next_fast_len(2 * len(band))
    return np.abs(scipy.fft.ifft(band, length)) ** 2, length * sample_rate_hz / len(x)


def low_part(x: np.ndarray, sample_rate_hz: float, reach_hz: float) -> tuple[np.ndarray, float]:
    """The part of x [T] up to a little above `reach_hz`, at a rate that just holds it: (samples [T'], Hz)."""
    spectrum = np.fft.rfft(x - x.mean())
    # Whole bins are kept, so that neither filter nor decimation touches what is left.
    kept = min(len(spectrum) - 1, int(1.3 * reach_hz * len(x) / sample_rate_hz))
    return np.fft.irfft(spectrum[: kept + 1], 2 * kept), 2 * kept * sample_rate_hz / len(x)


def lines_of(
    x: np.ndarray, rate_hz: float, segment_s: float = SEGMENT_S, *, cap: float = CAP, padding: int = 2
) -> Lines:
    """Lines of x [T] in a Welch spectrum of segments of `segment_s` (at most T), clipped to 0 and `cap`."""
    length = min(len(x), int(segment_s * rate_hz))
    hz, power = scipy.signal.welch(x, rate_hz, 'hann', nperseg=length, nfft=padding * length)
    log = np.log(power + 1e-30 * power.max() + np.finfo(float).tiny)
    background = scipy.ndimage.median_filter(log, round(BACKGROUND_HZ / hz[1]) | 1, mode='nearest')
    return Lines(hz, np.clip(log - background, 0, cap))


def comb(lines: Lines, shaft_hz: np.ndarray, harmonics: int) -> np.ndarray:
    """Mean of the harmonics without the strongest, minus the mean in between (see BETWEEN): [N].

    Harmonics that were removed from the lines do not count; where more than two were removed, the result is -inf.
    """

    def at(offset: float) -> np.ndarray:
        return lines.at(np.outer(np.arange(1, harmonics + 1) - offset, shaft_hz))

    on = at(0.0)
    left = np.isfinite(on).sum(axis=0)
    on = np.nan_to_num(on)
    between = np.max([np.nan_to_num(at(offset)).mean(axis=0) for offset in BETWEEN], axis=0)
    mean = (on.sum(axis=0) - on.max(axis=0)) / np.maximum(left - 1, 1)
    return np.where(left >= max(2, harmonics - 2), mean - between, -np.inf)


def combs(lines: Lines, shaft_hz: np.ndarray) -> np.ndarray:
    """Mean of the combs of three and of five harmonics, [N]; only of five where the first three were removed."""
    three, five = comb(lines, shaft_hz, 3), comb(lines, shaft_hz, 5)
    return np.where(np.isfinite(three), (three + five) / 2, five)


def without_shaft(lines: Lines, shaft_hz: float) -> Lines:
    """The lines without a shaft's harmonics and their flanks, which become NaN."""
    step, excess, left = lines.hz[1], lines.excess, lines.excess.copy()
    for k in range(1, int(lines.hz[-1] / shaft_hz) + 1):
        centre = k * shaft_hz / step
        width = max(2.0, 0.006 * centre)
        first, last = max(0, int(centre - width)), min(len(excess) - 1, math.ceil(centre + width))
        left[first : last + 1] = np.nan
        top = first + int(excess[first : last + 1].argmax())
        for direction in (-1, 1):
            # Walks down the flank until the background or another line begins.
            i, lowest = top, excess[top]
            while 0 <= i < len(excess) and abs(i - centre) * step < 0.15 * shaft_hz:
                if excess[i] <= 0.3 or excess[i] > lowest + 0.7:
                    break
                lowest, left[i], i = min(lowest, excess[i]), np.nan, i + direction
    return Lines(lines.hz, left)


def vertex(shaft_hz: np.ndarray, score: np.ndarray, best: int) -> float:
    """Frequency at the top of the parabola through a candidate and its neighbours on the grid."""
    if not 0 < best < len(score) - 1:
        return float(shaft_hz[best])
    left, top, right = score[best - 1 : best + 2]
    curvature = left - 2 * top + right
    # A candidate on the flank of another one has no maximum of its own.
    shift = 0.5 * (left - right) / curvature if top >= max(left, right) and curvature < 0 else 0.0
    return float(shaft_hz[best] * math.exp(GRID_STEP * shift))
