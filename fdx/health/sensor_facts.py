"""What a recording shows of its sensor, cable and recorder, apart from the machine."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.signal.checks import CLIP_RUN, count_held_at
from fdx.signal.dead import dead_samples
from fdx.types import DataError, Recording

# Bands of equal width in their logarithm, from LOWEST_HZ to USED_BAND of the Nyquist frequency.
BANDS, LOWEST_HZ, USED_BAND = 24, 10.0, 0.8
MAINS_HZ = (50.0, 60.0)
# Multiples of the mains that are looked at, and the half width of their lines in bins of the spectrum. Strong hum must
# not leak into the noise beside it: this window's side lobes are 92 dB down.
WINDOW, MULTIPLES, LINE_BINS = 'blackmanharris', 40, 4.5
# A line stands out if it is this far above the median around it.
OUT_DB = 15.0
# Segments of the spectrum. They must tell 50 Hz from 49 Hz, and enough of them must be averaged to judge a noise floor.
SEGMENT_S, SHORTEST_SEGMENT_S, SEGMENTS = 1.0, 0.4, 8
# Pieces whose means follow the offset: longer than a turn of a slow shaft, and enough of them.
PIECE_S, FEWEST_PIECES = 0.1, 8


@dataclasses.dataclass(frozen=True)
class SensorFacts:
    """Facts of one channel.

    Attributes:
      finite: share of samples that are numbers.
      dead: share of samples in dead stretches (`fdx.signal.dead`); 1 where all samples are equal.
      dead_stretches: how many there are.
      offset: mean of the samples, in their unit.
      level: standard deviation of the samples without what is slower than `PIECE_S`.
      clipped_above, clipped_below: shares of samples held at the largest and the smallest value.
      swing: range of the means of pieces, in levels; NaN where the recording is too short.
      jump: largest step between the means of neighbouring pieces, in levels.
      bands_db: BANDS levels in dB; NaN where a band holds no bin of the spectrum.
      mains_hz: 50 or 60, the one that explains more; NaN where the recording is too short.
      mains_share: share of the power above LOWEST_HZ that lies at its multiples.
      mains_lines: how many of them stand out.
      rest_flatness: geometric over arithmetic mean of the power beside those lines; 1 for white noise.
    """

    finite: float
    dead: float
    dead_stretches: int
    offset: float
    level: float
    clipped_above: float
    clipped_below: float
    swing: float
    jump: float
    bands_db: tuple[float, ...]
    mains_hz: float
    mains_share: float
    mains_lines: int
    rest_flatness: float


def sensor_facts(recording: Recording) -> list[SensorFacts]:
    """The facts of each channel.

    Args:
      recording: samples [T] or [T, C] as they were taken; they may hold NaN and may be constant.

    Raises:
      DataError: no samples, or samples that are not [T] or [T, C].
    """
    x = np.asarray(recording.samples)
    source = recording.source or recording.recording
    if x.ndim not in (1, 2) or not x.size:
        raise DataError(f'{source}: samples have shape {x.shape}; [time] or [time, channels] is needed')
    x = x.reshape(len(x), -1).astype(np.float64)
    return [_of_channel(x[:, c], recording.sample_rate_hz) for c in range(x.shape[1])]


def _of_channel(x: np.ndarray, rate_hz: float) -> SensorFacts:
    finite = np.isfinite(x)
    good = x[finite]
    nothing = (math.nan,) * BANDS
    if len(good) < CLIP_RUN or good.min() == good.max():
        offset = float(good.mean()) if len(good) else math.nan
        return SensorFacts(
            float(finite.mean()), 1.0, 1, offset, 0.0, 0.0, 0.0, math.nan, math.nan, nothing, math.nan, 0.0, 0, math.nan
        )
    x = np.where(finite, x, good.mean())
    dead = dead_samples(x[:, None], rate_hz)
    swing, jump, level = _offset_moves(x, rate_hz)
    bands_db, mains = _of_spectrum(x[~dead] if (~dead).sum() > rate_hz * SHORTEST_SEGMENT_S else x, rate_hz)
    return SensorFacts(
        float(finite.mean()),
        float(dead.mean()),
        int(np.count_nonzero(np.diff(np.concatenate(([0], dead.view(np.int8)))) == 1)),
        float(x.mean()),
        level,
        count_held_at(x, x.max()) / len(x),
        count_held_at(x, x.min()) / len(x),
        swing,
        jump,
        bands_db,
        *mains,
    )


def _offset_moves(x: np.ndarray, rate_hz: float) -> tuple[float, float, float]:
    """(swing, jump, level): see SensorFacts."""
    length = max(1, round(PIECE_S * rate_hz))
    count = len(x) // length
    if count < FEWEST_PIECES:
        return math.nan, math.nan, float(x.std())
    pieces = x[: count * length].reshape(count, length)
    means = pieces.mean(axis=1)
    # The median, so that a piece with a step inside does not count as vibration.
    level = float(np.median(pieces.std(axis=1)))
    scale = max(level, 1e-12 * float(np.abs(x).max()))
    return float(np.ptp(means) / scale), float(np.abs(np.diff(means)).max() / scale), level


def _of_spectrum(x: np.ndarray, rate_hz: float) -> tuple[tuple[float, ...], tuple[float, float, int, float]]:
    """(levels of bands in dB, (mains, share, lines, flatness of the rest))."""
    length = int(min(SEGMENT_S * rate_hz, max(2 * len(x) / (SEGMENTS + 1), SHORTEST_SEGMENT_S * rate_hz), len(x)))
    f, power = scipy.signal.welch(x, rate_hz, WINDOW, nperseg=length)
    highest = USED_BAND * rate_hz / 2
    edges = np.exp(np.linspace(np.log(LOWEST_HZ), np.log(max(highest, 2 * LOWEST_HZ)), BANDS + 1))
    band = np.searchsorted(edges, f, side='right') - 1
    sums = [float(power[band == b].sum() * f[1]) if (band == b).any() else math.nan for b in range(BANDS)]
    bands_db = tuple(10 * math.log10(v + 1e-30) for v in sums)
    if length < SHORTEST_SEGMENT_S * rate_hz:
        return bands_db, (math.nan, 0.0, 0, math.nan)
    used = (f >= LOWEST_HZ) & (f <= highest)
    return bands_db, max((_mains(f, power, used, hz) for hz in MAINS_HZ), key=lambda found: found[1])


def _mains(f: np.ndarray, power: np.ndarray, used: np.ndarray, mains_hz: float) -> tuple[float, float, int, float]:
    """(mains_hz, share, lines, flatness of the rest)."""
    multiple = np.rint(f / mains_hz)
    near = (np.abs(f - multiple * mains_hz) <= LINE_BINS * f[1]) & (multiple >= 1) & (multiple <= MULTIPLES)
    rest = power[used & ~near] + 1e-300
    floor = float(np.median(rest))
    tops = [float(power[near & (multiple == k)].max(initial=0.0)) for k in range(1, MULTIPLES + 1)]
    lines = sum(top > floor * 10 ** (OUT_DB / 10) for top in tops)
    share = float(power[used & near].sum() / max(power[used].sum(), 1e-300))
    return mains_hz, share, lines, float(np.exp(np.log(rest).mean()) / rest.mean())
