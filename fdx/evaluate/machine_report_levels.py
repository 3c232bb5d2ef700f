"""The usable part of a channel, its levels and its spectrum."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.signal.slow_part import without_slow_part
from fdx.signal.usable import counted, inspect_recording
from fdx.signal.velocity import known_unit, velocity_rms
from fdx.types import DataError, Recording

# Pieces in which dead and lost stretches are counted; the shortest part that is looked at.
PIECE_S, SHORTEST_S = 0.25, 0.05
# Third octaves (IEC 61260-1): ten bands per factor of ten.
PER_DECADE, LOWEST_BAND_HZ = 10, 10.0
SEGMENT_S = 1.0


@dataclasses.dataclass(frozen=True)
class Levels:
    """Plain numbers of one channel.

    Attributes:
      rms: in the unit of the samples, without offset and drift.
      peak: largest magnitude.
      crest: peak over RMS.
      kurtosis: fourth moment over the squared second; 3 for noise.
      velocity_mm_s: RMS velocity from 10 to 1000 Hz; None where the unit, rate or length do not allow it.
      bands_db: {centre in Hz: level in dB of the unit}, third octaves.
    """

    rms: float
    peak: float
    crest: float
    kurtosis: float
    velocity_mm_s: float | None
    bands_db: dict[float, float]


@dataclasses.dataclass(frozen=True)
class UsablePart:
    """The longest stretch of a channel without dead samples or lost time.

    Attributes:
      samples: float64 [T], without offset and drift; None where nothing can be used.
      reason: why nothing can be used; ''.
      faults: {kind: number of pieces of PIECE_S that cannot be used}.
      notes: what was noticed, one sentence each.
    """

    samples: np.ndarray | None
    reason: str
    faults: dict[str, int]
    notes: tuple[str, ...]


def usable_part(recording: Recording) -> UsablePart:
    """The longest usable stretch of a channel, without offset and drift."""
    rate = recording.sample_rate_hz
    shortest = max(16, round(SHORTEST_S * rate))
    try:
        checked, usability = inspect_recording(recording, shortest)
    except DataError as e:
        return UsablePart(None, without_name(e, recording), {}, recording.notes)
    length = max(1, round(PIECE_S * rate))
    starts = np.arange(0, max(1, len(checked.samples) - length + 1), length)
    faults = counted(usability.faults(starts, min(length, len(checked.samples)), rate))
    bad = usability.dead.copy()
    bad[usability.breaks[usability.breaks < len(bad)]] = True
    edges = np.concatenate([[-1], np.flatnonzero(bad), [len(bad)]])
    longest = int(np.diff(edges).argmax())
    first, end = int(edges[longest]) + 1, int(edges[longest + 1])
    if end - first < shortest:
        reason = f'no stretch of {SHORTEST_S:g} s is without dead samples or lost time'
        return UsablePart(None, reason, faults, checked.notes)
    samples = without_slow_part(checked.samples[first:end], rate)[:, 0].astype(np.float64)
    return UsablePart(samples, '', faults, checked.notes)


def without_name(error: DataError, recording: Recording) -> str:
    """What an error says, without the name of the file, which stands on top of the page."""
    return str(error).removeprefix(f'{recording.source or recording.recording}: ')


def levels_of(samples: np.ndarray, rate_hz: float, unit: str) -> Levels:
    """Plain numbers of samples [T] without offset."""
    rms, peak = float(samples.std()), float(np.abs(samples).max())
    try:
        velocity = float(velocity_rms(samples, rate_hz, unit)[0]) if known_unit(unit) else None
    except DataError:
        velocity = None
    crest = peak / rms if rms else math.nan
    kurtosis = float(scipy.stats.kurtosis(samples, fisher=False))
    return Levels(rms, peak, crest, kurtosis, velocity, _bands(samples, rate_hz))


def amplitude_spectrum(samples: np.ndarray, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """(Hz [F], amplitude [F]): a tone of amplitude a stands at a. Averages over segments of SEGMENT_S and more."""
    length = min(len(samples), max(round(SEGMENT_S * rate_hz), len(samples) // 4))
    f, power = scipy.signal.welch(samples, rate_hz, nperseg=length, scaling='spectrum')
    return f, np.sqrt(2 * power)


def _bands(samples: np.ndarray, rate_hz: float) -> dict[float, float]:
    length = min(len(samples), round(SEGMENT_S * rate_hz))
    f, power = scipy.signal.welch(samples, rate_hz, nperseg=length)
    lowest = max(LOWEST_BAND_HZ, 4 * f[1])
    first = math.ceil(PER_DECADE * math.log10(lowest))
    last = math.floor(PER_DECADE * math.log10(0.9 * rate_hz / 2))
    found = {}
    for n in range(first, last):
        low, high = (10 ** ((n + s) / PER_DECADE) for s in (-0.5, 0.5))
        inside = (f >= low) & (f < high)
        if inside.any():
            found[10 ** (n / PER_DECADE)] = 10 * math.log10(float(power[inside].mean()) * (high - low) + 1e-30)
    return found
