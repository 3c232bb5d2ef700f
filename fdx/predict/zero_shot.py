"""Diagnosis by physics alone: which of the bearing's fault orders stand out of the envelope spectra, without training.

For every window the image of the front end `fault_orders` is reduced to one number per fault: the mean over bands and
harmonics of the largest log ratio within the slip. White noise of the same length, rate, speed and bearing goes the
same way and shows what chance gives. So the number becomes a z-score, and a window is healthy if no fault stands out.
The average over n windows is more certain, unless the windows overlap, and within what is known about the noise. There
is no verdict if the evidence is a single harmonic, or lies at multiples of the shaft's rate
(fdx.predict.zero_shot_evidence). Nothing is fitted to any machine.
"""

from __future__ import annotations

import dataclasses
import functools
import os

import numpy as np

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.text import TextFormat
from fdx.predict.condition import check_positive
from fdx.predict.findings import Findings
from fdx.predict.source import read_source
from fdx.predict.zero_shot_diagnosis import SURROGATES, ZeroShotDiagnosis
from fdx.predict.zero_shot_evidence import DOUBTS, measures
from fdx.signal.checks import check_rate
from fdx.signal.fault_orders import MIN_TURNS, FaultOrders
from fdx.signal.frames import window_starts
from fdx.signal.front_end_makers import fault_orders
from fdx.signal.patch import Condition, shaft_rate_hz
from fdx.signal.slow_part import without_slow_part
from fdx.signal.usable import inspect_recording
from fdx.types import BearingGeometry, DataError, Recording

SHORTEST_WINDOW_S = 0.975


@functools.lru_cache(maxsize=16)
def _chance(front_end: FaultOrders, length: int, rate: float, condition: Condition, seed: int):
    """Mean and standard deviation [3, faults] of the evidence in white noise; files of one machine share them."""
    rng = np.random.default_rng(seed)
    noise = (rng.standard_normal((length, 1)).astype(np.float32) for _ in range(SURROGATES))
    found = np.stack([measures(x, rate, condition, front_end) for x in noise])
    return found.mean(axis=0), found.std(axis=0, ddof=1)


def zero_shot(
    source: Recording | str | os.PathLike,
    *,
    bearing: BearingGeometry | str | None = None,
    speed_rpm: float | str | None = None,
    speed_range_rpm: tuple[float, float] | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: int | str | None = None,
    text_format: TextFormat | None = None,
    binary_format: BinaryFormat | None = None,
    seed: int = 0,
) -> ZeroShotDiagnosis:
    """Diagnoses a file or a recording by the fault orders of its bearing, without any training.

    Args:
      source: a Recording, or the path of a .mat, .csv/.tsv/.txt, .npy or .wav file.
      bearing: a name of fdx.signal.bearings.BEARINGS, its geometry, or text that describes it; None keeps that of a
        Recording.
      speed_rpm: of the shaft; overrides the file's own; 'estimate' reads it from the signal; None keeps the file's.
      speed_range_rpm: (lowest, highest) of an estimate.
      window_s: see `diagnose_zero_shot`; likewise `hop_s` and `seed`.
      hop_s: seconds between windows.
      sample_rate_hz: of a file that does not state its rate; it overrides the file's own, with a warning.
      variable: of a .mat file.
      channel: the one channel to look at, where the file holds several.
      text_format: how a text file is written, where it cannot tell by itself.
      binary_format: how a file without header is written.
      seed: of the white noise.

    Raises:
      ConfigError: an option that cannot be used.
      DataError: a file or recording that cannot be diagnosed.
    """
    recording = read_source(
        source,
        sample_rate_hz=sample_rate_hz,
        variable=variable,
        channel=channel,
        text_format=text_format,
        binary_format=binary_format,
        speed_rpm=speed_rpm,
        bearing=bearing,
        speed_range_rpm=speed_range_rpm,
    )
    return diagnose_zero_shot(recording, window_s=window_s, hop_s=hop_s, seed=seed)


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
      ConfigError: window_s or hop_s is not a finite number above 0.
      DataError: what fdx.signal.checks refuses, several channels, no speed, no geometry, too short a recording, or a
        rate too low for a fault's first harmonic.
    """
    check_positive('window_s', window_s, 'seconds')
    check_positive('hop_s', hop_s, 'seconds')
    source = recording.source or recording.recording
    try:
        return _diagnose(recording, source, window_s, hop_s, seed)
    except DataError as e:
        if str(e).startswith((source, '`')):
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
        raise DataError(f'{source}: {checked.samples.shape[1]} channels, one is needed: choose it with `channel`')
    # If the hop is longer than the recording, only the first window is left.
    hop = length if hop_s is None else round(min(hop_s * rate, len(checked.samples)))
    if hop < 1:
        raise DataError(f'`hop_s`={hop_s}: at {rate:g} Hz it must be at least {1 / rate:.6f} s')
    front_end = fault_orders('fault_orders', 'none', rate)
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
        # No band reaches this order, so its image is 0 whatever the machine does, and 'normal' would be a guess.
        unseen = ', '.join(name for name, d in zip(front_end.channels, deviation[0]) if d == 0)
        raise DataError(
            f'{rate:g} Hz are too few to see a fault of the {unseen} at {recording.speed_rpm:g} rpm: record at a '
            'higher rate, or check `sample_rate_hz` and `speed_rpm`'
        )
    z = np.where(deviation > 0, (found - mean) / np.where(deviation > 0, deviation, 1.0), np.inf)
    z[np.isnan(found).all(axis=(1, 2))] = np.nan
    findings = Findings(tuple(faults), usability.wild_samples, checked.notes)
    speed_rpm = float(recording.speed_rpm)
    return ZeroShotDiagnosis(
        file=source,
        faults=front_end.channels,
        window_starts_s=starts / rate,
        window_s=length / rate,
        z_scores=z[:, 0],
        speed_rpm=speed_rpm,
        findings=findings,
        partial_z_scores=z[:, 1:],
        recording=recording,
    )


def _check_duration(num_samples: int, length: int, rate: float, shaft_hz: float) -> None:
    if num_samples < length:
        raise DataError(
            f'{num_samples / rate:.3g} s at {rate:g} Hz are shorter than a window of {length / rate:.3g} s '
            f'({length / rate * shaft_hz:.3g} turns at {60 * shaft_hz:g} rpm): record longer, or give `window_s`, at '
            f'least {MIN_TURNS / shaft_hz:.3g}'
        )
