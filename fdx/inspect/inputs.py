"""Which front ends fit a collection, and why the others do not."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from fdx.data.blocks import DEFAULT_GUARD_S, NUM_BLOCKS
from fdx.inspect.facts import RecordingFacts
from fdx.signal.front_ends import BASES, create_front_end, reads_orders
from fdx.signal.patch import Condition, FrontEnd
from fdx.types import FdxError

# A front end still fits where this share of the recordings is too short: these are then left out.
MOST_SHORT = 0.2
PREFERRED = ('band_mel', 'vggish', 'triaxial_mel', 'snippet_mel')


@dataclasses.dataclass(frozen=True)
class FrontEndFit:
    """Whether a front end fits.

    Attributes:
      name: of the front end.
      fits: whether it does.
      reason: why not; or what it sees of the recordings.
      window_s: seconds of its window.
    """

    name: str
    fits: bool
    reason: str
    window_s: float = math.nan


def front_ends_of(facts: Sequence[RecordingFacts], window_s: float | None = None) -> list[FrontEndFit]:
    """Every base front end, in its default scaling.

    Args:
      facts: of recordings that can be used, one or more.
      window_s: seconds of a window; None: what each front end needs.
    """
    rate = min(f.sample_rate_hz for f in facts)
    return [_fit(name, rate, facts, window_s) for name in BASES]


def too_short(facts: Sequence[RecordingFacts], window_s: float) -> list[RecordingFacts]:
    """Recordings without a whole window between two places at which time is missing."""
    return [f for f in facts if f.longest_s < window_s - 0.5 / f.sample_rate_hz]


def recommended(fits: Sequence[FrontEndFit]) -> str:
    """The front end to begin with: band_mel, which did best on few recordings (docs/benchmarks/own_machine.md)."""
    possible = [f.name for f in fits if f.fits]
    return next((name for name in PREFERRED if name in possible), possible[0] if possible else '')


def _fit(name: str, rate_hz: float, facts: Sequence[RecordingFacts], asked_s: float | None) -> FrontEndFit:
    counts = sorted({len(f.channels) for f in facts})
    if len(counts) > 1:
        return FrontEndFit(name, False, f'files have {" and ".join(map(str, counts))} channels: choose with `channel`')
    if not BASES[name].suits(counts[0]):
        many = 'it takes one channel: choose one with `channel`' if counts[0] > 1 else 'it takes several channels'
        return FrontEndFit(name, False, many)
    front_end = create_front_end(name, rate_hz)
    samples = round(asked_s * rate_hz) if asked_s else front_end.patch_samples(rate_hz)
    window_s = samples / rate_hz
    why = _missing(name, front_end, samples, rate_hz, facts)
    if why:
        return FrontEndFit(name, False, why, window_s)
    short = too_short(facts, window_s)
    if len(short) > MOST_SHORT * len(facts):
        why = f'its window lasts {window_s:.3g} s, and {len(short)} of {len(facts)} recordings are shorter'
        return FrontEndFit(name, False, why, window_s)
    left_out = {f.recording for f in short}
    shortest = min((f for f in facts if f.recording not in left_out), key=lambda f: f.duration_s)
    return FrontEndFit(name, True, _sees(front_end, rate_hz, window_s, shortest), window_s)


def _missing(name: str, front_end: FrontEnd, samples: int, rate_hz: float, facts: Sequence[RecordingFacts]) -> str:
    """What a front end that reads orders lacks, or refuses; '' where it lacks nothing."""
    if reads_orders(name):
        unknown = [f for f in facts if not f.speed_rpm > 0]
        if unknown:
            return f'it needs the speed of the shaft, which {len(unknown)} of {len(facts)} recordings lack: `speed_rpm`'
        without = [f for f in facts if f.geometry is None]
        if name.startswith('fault_orders') and without:
            return f'it needs the bearing, which {len(without)} of {len(facts)} recordings lack: `bearing`'
    slowest = min(facts, key=lambda f: f.speed_rpm if f.speed_rpm > 0 else math.inf)
    noise = np.random.default_rng(0).standard_normal((samples, len(facts[0].channels)))
    try:
        front_end(noise.astype(np.float32), rate_hz, Condition(slowest.speed_rpm, slowest.geometry))
    except FdxError as e:
        return f'{e} ({slowest.recording})' if reads_orders(name) else str(e)
    return ''


def _sees(front_end: FrontEnd, rate_hz: float, window_s: float, shortest: RecordingFacts) -> str:
    """The band and the windows, in words."""
    hz = np.asarray(front_end.centre_frequencies_hz())
    words = [f'windows of {window_s:.3g} s']
    if len(hz) > 1 and not reads_orders(front_end.name):
        words.append(f'sees {hz.min():.0f} to {min(hz.max(), rate_hz / 2):.0f} Hz of 0 to {rate_hz / 2:.0f} Hz')
        if hz.max() > rate_hz / 2:
            share = float((hz > rate_hz / 2).mean())
            words.append(f'{100 * share:.0f} % of its filters lie above the band and stay empty')
    needed = NUM_BLOCKS * window_s + (NUM_BLOCKS - 1) * DEFAULT_GUARD_S
    if shortest.duration_s < needed:
        words.append(f'time_blocks needs {needed:.3g} s, {shortest.recording} has {shortest.duration_s:.3g} s')
    return '; '.join(words)
