"""Faults of the sensor, its mounting or its cable, told from faults of the machine.

A fault of the machine changes some bands of the spectrum and leaves others; it swings about the sensor's offset, and
its lines follow the shaft. What does none of this is looked for here: no signal, a signal that comes and goes or has
one side only, an offset that moves, all bands louder by the same factor, and nothing but lines of the mains.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from fdx.health.sensor_facts import BANDS, SensorFacts, sensor_facts
from fdx.types import ConfigError, Recording

KINDS = ('dead', 'loose', 'drifted', 'cable noise')
# Shares of samples. A recording that is dead this long says nothing; one that is dead for less comes and goes.
DEAD_SHARE, GONE_SHARE, NOT_FINITE_SHARE = 0.9, 0.05, 0.05
# Share of samples held at one end of the range, with at most a tenth of them at the other.
ONE_SIDED_SHARE = 0.002
# The offset moves by this many levels of the vibration. A machine swings about its offset.
SWING, JUMP = 6.0, 4.0
# In dB: so much quieter in every band is no machine that runs; so much louder, or quieter, in all bands alike is a
# gain.
SILENT_DB, GAIN_DB, ALIKE_DB, LEEWAY_DB = 30.0, 2.0, 2.0, 0.3
# How far a change must exceed the variation among healthy recordings, in their standard deviations.
APART, FEWEST_HEALTHY = 6.0, 5
# Share of the power at multiples of the mains, how many of these stand out, and how white the rest must be.
MAINS_SHARE, MAINS_LINES, WHITE = 0.5, 3, 0.6
# With healthy recordings: the rest is so much below theirs.
LOST_DB = 6.0
# Relative distance within which a multiple of the shaft's rate counts as the mains.
SAME_RATE = 0.004
REMEDIES = {
    'dead': 'Check the plug, the cable and the supply of the sensor before anything is said about the machine.',
    'loose': 'Check the mounting of the sensor and the plugs of its cable, and record again.',
    'drifted': 'Check the calibration, the gain and the unit of the recorder, and whether the sensor was moved.',
    'cable noise': 'Check the shield and the grounding of the cable, and whether the sensor is connected.',
}


@dataclasses.dataclass(frozen=True)
class SensorFault:
    """What is wrong with a sensor.

    Attributes:
      kind: one of KINDS.
      channel: its number, from 0.
      words: what was seen, one sentence.
    """

    kind: str
    channel: int
    words: str

    @property
    def remedy(self) -> str:
        """What to do, one sentence."""
        return REMEDIES[self.kind]


def sensor_fault(recording: Recording, healthy: Sequence[Sequence[SensorFacts]] | None = None) -> SensorFault | None:
    """The first fault that one of the channels shows, or None where all look like sensors that work.

    Args:
      recording: samples [T] or [T, C], as they were taken.
      healthy: `sensor_facts` of healthy recordings of the same sensor, same channels in the same order. With five or
        more of them, an offset or a gain that has changed is found, too.

    Raises:
      ConfigError: healthy recordings with another number of channels.
      DataError: see `sensor_facts`.
    """
    facts = sensor_facts(recording)
    if healthy and any(len(h) != len(facts) for h in healthy):
        raise ConfigError(f'`healthy`: recordings of {len(facts)} channels are needed, as the one that is judged has')
    for channel, found in enumerate(facts):
        usual = [h[channel] for h in healthy or ()]
        for judged in (_dead(found, usual), _loose(found), _drifted(found, usual), _mains(found, usual, recording)):
            if judged:
                return SensorFault(judged[0], channel, judged[1])
    return None


Judged = tuple[str, str] | None


def _dead(found: SensorFacts, usual: Sequence[SensorFacts]) -> Judged:
    if found.level == 0 and found.dead == 1:
        return 'dead', f'all samples are {found.offset:g}'
    if found.dead >= DEAD_SHARE:
        return 'dead', f'{found.dead:.0%} of the samples are silent, held or flicker by their last bit'
    if len(usual) >= FEWEST_HEALTHY:
        quieter = _bands(usual).min(axis=0) - np.array(found.bands_db)
        if np.nanmin(quieter) > SILENT_DB:
            least = float(np.nanmin(quieter))
            return 'dead', f'every band is at least {least:.0f} dB below all healthy recordings, or the machine stands'
    return None


def _loose(found: SensorFacts) -> Judged:
    if found.finite < 1 - NOT_FINITE_SHARE:
        return 'loose', f'{1 - found.finite:.0%} of the samples are no numbers'
    if found.dead >= GONE_SHARE:
        count = f'{found.dead_stretches} stretch{"es" if found.dead_stretches != 1 else ""}'
        return 'loose', f'the signal is gone in {count}, {found.dead:.0%} of the time, or the machine stood there'
    more, less = max(found.clipped_above, found.clipped_below), min(found.clipped_above, found.clipped_below)
    if more >= ONE_SIDED_SHARE and less <= more / 10:
        end = 'upper' if found.clipped_above > found.clipped_below else 'lower'
        return 'loose', f'{more:.1%} of the samples are held at the {end} end of the range and none at the other'
    if found.jump >= max(JUMP, found.swing / 2):
        return 'loose', f'the offset jumps by {found.jump:.0f} times the level of the vibration'
    return None


def _drifted(found: SensorFacts, usual: Sequence[SensorFacts]) -> Judged:
    if found.swing >= SWING:
        return 'drifted', f'the offset moves by {found.swing:.0f} times the level of the vibration'
    if len(usual) < FEWEST_HEALTHY:
        return None
    offsets = np.array([h.offset for h in usual])
    moved = found.offset - float(np.median(offsets))
    level = max(found.level, float(np.median([h.level for h in usual])))
    if abs(moved) > max(APART * _spread(offsets), level):
        return 'drifted', f'the offset is {moved:+.3g} from that of healthy recordings, {abs(moved) / level:.1f} levels'
    bands = _bands(usual)
    known = np.isfinite(bands).all(axis=0) & np.isfinite(found.bands_db)
    if known.sum() < BANDS / 2:
        return None
    change = np.array(found.bands_db)[known] - np.median(bands[:, known], axis=0)
    common, apart = float(np.median(change)), float(change.std())
    usual_level = _spread(np.median(bands[:, known], axis=1))
    usual_apart = float(np.sqrt((bands[:, known].std(axis=0, ddof=1) ** 2).mean()))
    alike = apart <= min(ALIKE_DB, LEEWAY_DB + 1.5 * usual_apart) and (np.sign(change) == np.sign(common)).all()
    if alike and abs(common) >= max(GAIN_DB, APART * usual_level, 3 * apart):
        return 'drifted', f'all bands are {common:+.1f} dB from healthy recordings, alike to {apart:.1f} dB: a gain'
    return None


def _mains(found: SensorFacts, usual: Sequence[SensorFacts], recording: Recording) -> Judged:
    if found.mains_share < MAINS_SHARE or found.mains_lines < MAINS_LINES or _turns_at(recording, found.mains_hz):
        return None
    words = f'{found.mains_share:.0%} of the power lies at multiples of {found.mains_hz:g} Hz'
    if len(usual) >= FEWEST_HEALTHY:
        lost = np.median(_bands(usual), axis=0) - np.array(found.bands_db)
        if np.nanmedian(lost) >= LOST_DB and max(h.mains_share for h in usual) < MAINS_SHARE:
            return 'cable noise', f'{words}, and the rest has lost {float(np.nanmedian(lost)):.0f} dB'
        return None
    return ('cable noise', f'{words}, and the rest is white noise') if found.rest_flatness >= WHITE else None


def _turns_at(recording: Recording, mains_hz: float) -> bool:
    """Whether a harmonic of the shaft lies where the mains does: its lines are then the machine's as well."""
    if not math.isfinite(recording.speed_rpm) or recording.speed_rpm <= 0:
        return False
    turns = mains_hz / (recording.speed_rpm / 60)
    return turns >= 0.5 and abs(turns / max(1, round(turns)) - 1) <= SAME_RATE


def _bands(usual: Sequence[SensorFacts]) -> np.ndarray:
    """[N, BANDS] in dB."""
    return np.array([h.bands_db for h in usual])


def _spread(values: np.ndarray) -> float:
    """Robust standard deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
