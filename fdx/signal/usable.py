"""Which windows of a recording can be diagnosed: those without dead stretches, lost time or many wild samples."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping

import numpy as np

from fdx.signal.checks import check_recording
from fdx.signal.dead import dead_samples
from fdx.signal.wild import replace_wild_samples
from fdx.types import Recording

logger = logging.getLogger(__name__)

# Reasons why a window cannot be used; the first one that applies is named.
DEAD, LOST_TIME, WILD, REPEATS = 'dead', 'lost_time', 'wild', 'repeats'
REASONS = {
    DEAD: 'the sensor is silent, held at one value or flickers by its last bits',
    LOST_TIME: 'time is missing inside the window',
    WILD: 'more than one sample in a hundred is wild',
    REPEATS: 'the recording repeats itself to the last digit, as no sensor does: it was calculated, or a copied piece',
}
MAX_WILD_SHARE = 0.01
# Share of usable windows that a verdict needs, because a sensor that was dead most of the time is not trusted.
MIN_LIVE_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class Usability:
    """What was found in the samples of a recording.

    Attributes:
      rate_hz: rate of the samples [T] that the other attributes refer to.
      dead: bool [T], samples of dead stretches.
      wild: bool [T], samples that were replaced.
      breaks: int64 [M], ascending: samples before which time is missing.
    """

    rate_hz: float
    dead: np.ndarray
    wild: np.ndarray
    breaks: np.ndarray

    @property
    def wild_samples(self) -> int:
        """How many samples were replaced."""
        return int(self.wild.sum())

    def faults(self, starts: np.ndarray, length: int, rate_hz: float, reach_s: float = 0.0) -> list[str]:
        """Why windows cannot be used, '' for those that can.

        Args:
          starts: int [N], first samples of the windows, counted at `rate_hz`.
          length: samples of a window at `rate_hz`.
          rate_hz: rate of the samples that windows are cut from; the recording may have been resampled to it.
          reach_s: how far a filter may have carried a dead stretch into its neighbourhood, in seconds.

        Returns:
          N keys of REASONS, or ''.
        """
        scale, total = self.rate_hz / rate_hz, len(self.dead)
        starts = np.asarray(starts, np.float64)
        first = np.clip(np.floor((starts - reach_s * rate_hz) * scale), 0, total).astype(np.int64)
        stop = np.clip(np.ceil((starts + length + reach_s * rate_hz) * scale), 0, total).astype(np.int64)
        dead, wild = (np.concatenate(([0], np.cumsum(mask))) for mask in (self.dead, self.wild))
        is_dead = dead[stop] > dead[first]
        is_wild = wild[stop] - wild[first] > MAX_WILD_SHARE * np.maximum(stop - first, 1)
        # A break before the first sample of a window does not lie inside it.
        broken = np.searchsorted(self.breaks, stop) > np.searchsorted(self.breaks, first, side='right')
        return [
            DEAD if d else LOST_TIME if b else WILD if w else '' for d, b, w in zip(is_dead, broken, is_wild)
        ]  # fmt: skip


def inspect_recording(recording: Recording, min_duration_samples: int) -> tuple[Recording, Usability]:
    """Checks a recording, replaces its wild samples and finds what cannot be used of it.

    Args:
      recording: samples [T] or [T, C] as they were taken, before any filter.
      min_duration_samples: fewest samples that make a window.

    Returns:
      (the recording with float32 [T, C] samples and a note on wild samples, its Usability).

    Raises:
      DataError: fdx.signal.checks refuses the recording.
    """
    checked = check_recording(recording, min_duration_samples)
    repaired = replace_wild_samples(checked.samples)
    # After the repair, because one wild sample in a piece would make all others seem silent.
    dead = dead_samples(repaired.samples, checked.sample_rate_hz)
    breaks = np.asarray(recording.time_breaks, np.int64)
    notes = checked.notes
    if repaired.count:
        note = wild_note(repaired.count, int(repaired.wild.argmax()) / checked.sample_rate_hz)
        logger.warning('%s: %s', recording.source or recording.recording, note)
        notes = (*notes, note)
    usability = Usability(checked.sample_rate_hz, dead, repaired.wild, breaks)
    return dataclasses.replace(checked, samples=repaired.samples, notes=notes), usability


def wild_note(count: int, first_s: float) -> str:
    """The note on wild samples that were replaced, the first of them so many seconds after the beginning."""
    return (
        f'{count} wild samples (values far from their neighbours, as no vibration makes them) were '
        f'replaced, the first at {first_s:.6g} s'
    )


def counted(faults: list[str]) -> dict[str, int]:
    """How many windows have each fault: {'dead': 3}; faults that no window has are left out."""
    return {name: faults.count(name) for name in REASONS if name in faults}


def verdict_refusal(faults: list[str], reasons: Mapping[str, str] = REASONS) -> str | None:
    """Why the windows of a recording do not suffice for a verdict, or None if they do.

    Args:
      faults: one per window, see `Usability.faults`.
      reasons: the faults in words.
    """
    live = faults.count('')
    if live >= max(1, MIN_LIVE_SHARE * len(faults)):
        return None
    why = '; '.join(f'{faults.count(name)} {name}: {words}' for name, words in reasons.items() if name in faults)
    return (
        f'{live} of {len(faults)} windows can be used, and at least half are needed ({why}); check the sensor, its '
        'cable and the recorder, or cut the recording to the part that is good'
    )
