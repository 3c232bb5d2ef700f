"""Diagnosis by physics alone: which of the bearing's fault orders stand out of the envelope spectra, without training.

For every window the image of front end `fault_orders` is reduced to one number a fault: the mean over bands and
harmonics of the largest log ratio within the slip. White noise, put through the same (same length, rate, speed and
bearing), says what chance gives: the number becomes a z-score, and a window is healthy where none stands out. Averages
over n windows are surer, as far as the windows do not overlap and the noise itself is known. What rests on one harmonic
alone, or lies where the shaft's own multiples are, is no verdict (fdx.predict.zero_shot_evidence). Nothing is fitted
to any machine.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from fdx.predict.findings import Findings
from fdx.predict.zero_shot_evidence import DOUBTS, measures
from fdx.signal.checks import check_rate
from fdx.signal.fault_orders import MIN_TURNS, FaultOrders
from fdx.signal.frames import window_starts
from fdx.signal.front_ends import create_front_end
from fdx.signal.patch import Condition, shaft_rate_hz
from fdx.signal.slow_part import without_slow_part
from fdx.signal.usable import inspect_recording
from fdx.types import ConfigError, DataError, Recording

NORMAL = 'normal'
SHORTEST_WINDOW_S = 0.975
SURROGATES = 64
# One-sided: a healthy window is called faulty once in some ten thousand windows and fault kinds, were it white noise.
# Machines are not: gears and bearings beside the one asked for leave lines, too, so that is a bound, not a promise.
THRESHOLD = 4.0


@dataclasses.dataclass(frozen=True)
class ZeroShotDiagnosis:
    """What the fault orders say about one recording.

    Attributes:
      file: the file.
      faults: names of the fault kinds.
      window_starts_s: float [N], where each window begins.
      window_s: length of a window.
      z_scores: float [N, faults], deviations above white noise in its standard deviations; NaN for windows that
        cannot be used.
      speed_rpm: that was used.
      findings: which windows have a vote, and what else was found; None: all have one.
      partial_z_scores: float [N, 2, faults], the same of the evidence without its strongest harmonic and without the
        shaft's multiples (fdx.predict.zero_shot_evidence); infinite where the rate shows too little to tell; None:
        nothing is doubted.
    """

    file: str
    faults: tuple[str, ...]
    window_starts_s: np.ndarray
    window_s: float
    z_scores: np.ndarray
    speed_rpm: float
    findings: Findings | None = None
    partial_z_scores: np.ndarray | None = None

    def verdict(self, z: np.ndarray) -> str | None:
        """The fault that stands out most of z [faults], or normal; None where z is not finite."""
        if not np.isfinite(z).all():
            return None
        return self.faults[int(z.argmax())] if z.max() >= THRESHOLD else NORMAL

    def pooled(self) -> np.ndarray:
        """z-scores [faults] of the whole recording: the windows' mean over its standard deviation in white noise.

        Only windows with a vote count; without any, all are NaN.

        The mean of n windows that share no sample has variance 1 / n; overlapping ones count for the time they span.
        The surrogates' own mean, taken off every window alike, is uncertain by 1 / SURROGATES: however long a
        recording is, it cannot be surer than that.
        """
        return self._pooled(self.z_scores)

    def _pooled(self, z_scores: np.ndarray) -> np.ndarray:
        live = np.isfinite(self.z_scores).all(axis=1)
        if not live.any():
            return np.full(len(self.faults), np.nan)
        z, starts_s = z_scores[live], self.window_starts_s[live]
        independent = min(len(z), 1 + (starts_s[-1] - starts_s[0]) / self.window_s)
        return z.mean(axis=0) / math.sqrt(1 / independent + 1 / SURROGATES)

    def doubt(self) -> tuple[str, str] | None:
        """(the fault that stands out, why it is no verdict), or None where nothing stands out or it can be told."""
        pooled = self.pooled()
        fault = self.verdict(pooled)
        if self.partial_z_scores is None or fault in (None, NORMAL):
            return None
        i = self.faults.index(fault)
        for k, why in enumerate(DOUBTS):
            z = self._pooled(self.partial_z_scores[:, k])[i]
            if z < THRESHOLD:
                return fault, f'{fault} stands out (z {pooled[i]:.1f}), but {why} (z {z:.1f} without)'
        return None

    def rows(self) -> list[dict]:
        """JSON-able rows: one per window, then one for the recording."""
        findings = self.findings or Findings.nothing(len(self.z_scores))
        rows = [
            {
                'kind': 'window',
                'file': self.file,
                'start_s': round(float(start), 6),
                'duration_s': self.window_s,
                'predicted': self.verdict(z),
                'z_scores': self._named(z),
                **findings.of_window(i),
            }
            for i, (start, z) in enumerate(zip(self.window_starts_s, self.z_scores))
        ]
        pooled, found, doubt = self.pooled(), findings.of_recording(), self.doubt()
        if doubt is not None and 'reason' not in found:
            found = {**found, 'reason': doubt[1]}
            for row in rows:
                if row['predicted'] == doubt[0]:
                    row.update(predicted=None, reason=doubt[1])
        votes = [row['predicted'] for row in rows if row['predicted'] is not None]
        predicted = None if 'reason' in found else self.verdict(pooled)
        summary = {
            'kind': 'recording',
            'file': self.file,
            'windows': len(rows),
            'speed_rpm': self.speed_rpm,
            'predicted': predicted,
            'agreement': None if predicted is None else votes.count(predicted) / len(votes),
            'z_scores': self._named(pooled),
            **found,
        }
        return [*rows, summary]

    def _named(self, z: np.ndarray) -> dict[str, float] | None:
        """{fault: z-score} for JSON; None for a window that cannot be used."""
        if not np.isfinite(z).all():
            return None
        return {name: round(float(v), 3) for name, v in zip(self.faults, z)}


@functools.lru_cache(maxsize=16)
def _chance(front_end: FaultOrders, length: int, rate: float, condition: Condition, seed: int):
    """Mean and standard deviation [3, faults] of white noise's evidence; files of one machine share them."""
    rng = np.random.default_rng(seed)
    noise = (rng.standard_normal((length, 1)).astype(np.float32) for _ in range(SURROGATES))
    found = np.stack([measures(x, rate, condition, front_end) for x in noise])
    return found.mean(axis=0), found.std(axis=0, ddof=1)


def diagnose_zero_shot(
    recording: Recording, *, window_s: float | None = None, hop_s: float | None = None, seed: int = 0
) -> ZeroShotDiagnosis:
    """Diagnoses a recording whose speed and bearing are known.

    Args:
      recording: samples [T, 1]; speed_rpm and geometry set.
      window_s: seconds of a window; None: 0.975, or as long as 20 turns of the shaft take.
      hop_s: seconds between windows; None: they do not overlap.
      seed: of the white noise.

    Raises:
      ConfigError: window_s or hop_s is no finite number above 0.
      DataError: what fdx.signal.checks refuses, several channels, no speed, no geometry, too short a recording, or a
        rate too low for a fault's first harmonic.
    """
    for name, value in (('window_s', window_s), ('hop_s', hop_s)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ConfigError(f'{name}={value}: a number of seconds above 0')
    source = recording.source or recording.recording
    try:
        return _diagnose(recording, source, window_s, hop_s, seed)
    except DataError as e:
        if str(e).startswith((source, '--')):
            raise
        raise DataError(f'{source}: {e}') from e


def _diagnose(
    recording: Recording, source: str, window_s: float | None, hop_s: float | None, seed: int
) -> ZeroShotDiagnosis:
    rate = check_rate(recording.sample_rate_hz, source)
    condition = Condition(recording.speed_rpm, recording.geometry)
    shaft_hz = shaft_rate_hz(condition, 'fault_orders')
    seconds = window_s or max(SHORTEST_WINDOW_S, 2 * MIN_TURNS / shaft_hz)
    length = max(1, round(seconds * rate))
    _check_duration(len(recording.samples), length, rate, shaft_hz)
    checked, usability = inspect_recording(recording, length)
    if checked.samples.shape[1] != 1:
        raise DataError(f'{source}: {checked.samples.shape[1]} channels, one is needed: choose it with --channel')
    # A hop beyond the end leaves the first window.
    hop = length if hop_s is None else round(min(hop_s * rate, len(checked.samples)))
    if hop < 1:
        raise DataError(f'--hop_s={hop_s}: at {rate:g} Hz it must be at least {1 / rate:.6f} s')
    front_end = create_front_end('fault_orders', rate)
    front_end = dataclasses.replace(front_end, window_s=min(front_end.window_s, seconds))
    starts = window_starts(len(checked.samples), length, hop)
    faults = usability.faults(starts, length, rate)
    found = np.full((len(starts), 1 + len(DOUBTS), len(front_end.channels)), np.nan)
    for i, start in enumerate(starts):
        if not faults[i]:
            chunk = without_slow_part(checked.samples[start : start + length], rate)
            found[i] = measures(chunk, rate, condition, front_end)
    mean, deviation = _chance(front_end, length, rate, condition, seed)
    if not deviation[0].all():
        # No band reaches there: its image is 0 whatever the machine does, and 'normal' would be a guess.
        unseen = ', '.join(name for name, d in zip(front_end.channels, deviation[0]) if d == 0)
        raise DataError(
            f'{rate:g} Hz are too few to see a fault of the {unseen} at {recording.speed_rpm:g} rpm: record at a '
            'higher rate, or check --sample_rate and --speed_rpm'
        )
    z = np.where(deviation > 0, (found - mean) / np.where(deviation > 0, deviation, 1.0), np.inf)
    z[np.isnan(found).all(axis=(1, 2))] = np.nan
    findings = Findings(tuple(faults), usability.wild_samples, checked.notes)
    speed_rpm = float(recording.speed_rpm)
    return ZeroShotDiagnosis(
        source, front_end.channels, starts / rate, length / rate, z[:, 0], speed_rpm, findings, z[:, 1:]
    )  # fmt: skip


def _check_duration(num_samples: int, length: int, rate: float, shaft_hz: float) -> None:
    if num_samples < length:
        raise DataError(
            f'{num_samples / rate:.3g} s at {rate:g} Hz are shorter than a window of {length / rate:.3g} s '
            f'({length / rate * shaft_hz:.3g} turns at {60 * shaft_hz:g} rpm): record longer, or give --window_s, at '
            f'least {MIN_TURNS / shaft_hz:.3g}'
        )
