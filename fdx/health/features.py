"""A recording as rows of named numbers, by a plan."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.fft

from fdx.health.feature_plan import FeaturePlan
from fdx.health.feature_sets import SETS, Frames
from fdx.signal.usable import inspect_recording, verdict_refusal
from fdx.types import DataError, Recording

# Of a long recording so many frames are looked at, evenly over its length.
MAX_FRAMES = 128


def features_of(recording: Recording, plan: FeaturePlan) -> np.ndarray:
    """The numbers of a recording: float64 [P, D], one row per piece, or one row where the plan has no pieces.

    Args:
      recording: samples [T, C] with the plan's channels; speed_rpm where the plan reads orders.
      plan: of the baseline.

    Raises:
      DataError: fdx.signal.checks refuses the recording, more than half of it cannot be used, it is shorter than a
        frame, or it has another number of channels or a lower rate than the plan needs.
    """
    source = recording.source or recording.recording
    if plan.piece_s is None:
        return _row(recording, plan)[None]
    length = max(1, round(plan.piece_s * recording.sample_rate_hz))
    rows, refused = [], None
    for start in range(0, len(recording.samples) - length + 1, length):
        breaks = tuple(b - start for b in recording.time_breaks if start < b < start + length)
        part = dataclasses.replace(recording, samples=recording.samples[start : start + length], time_breaks=breaks)
        try:
            rows.append(_row(part, plan))
        except DataError as e:
            refused = e
    if refused is not None and not rows:
        raise refused
    if not rows:
        raise DataError(
            f'{source}: {recording.duration_s:.3g} s are shorter than a piece of {plan.piece_s:g} s; record longer'
        )
    return np.stack(rows)


def _row(recording: Recording, plan: FeaturePlan) -> np.ndarray:
    frames = _frames(recording, plan)
    return np.concatenate([SETS[name](frames, plan).T.ravel() for name in plan.sets])


def _frames(recording: Recording, plan: FeaturePlan) -> Frames:
    source, rate = recording.source or recording.recording, recording.sample_rate_hz
    # Lengths with large prime factors take ten times as long; a frame that is a little shorter resolves as much.
    length = scipy.fft.prev_fast_len(max(2, math.floor(plan.frame_s * rate * (1 + 1e-9))), real=True)
    checked, usability = inspect_recording(recording, length)
    x = checked.samples
    if x.shape[1] != len(plan.channels):
        raise DataError(
            f'{source}: {x.shape[1]} channels where the baseline has {len(plan.channels)} '
            f'({", ".join(plan.channels)}); choose them with `channel`'
        )
    if rate / 2 < plan.top_hz:
        raise DataError(
            f'{source}: {rate:g} Hz are too few: the baseline reads up to {plan.top_hz:g} Hz; record at the rate of '
            'the healthy recordings, or learn a baseline from recordings at this rate'
        )
    starts = np.arange(0, len(x) - length + 1, max(1, length // 2))
    faults = usability.faults(starts, length, rate)
    refusal = verdict_refusal(faults)
    if refusal:
        raise DataError(f'{source}: {refusal}')
    live = np.flatnonzero([not fault for fault in faults])
    live = live[np.linspace(0, len(live) - 1, min(len(live), MAX_FRAMES)).round().astype(int)]
    framed = np.stack([x[s : s + length] for s in starts[live]]).astype(np.float64)
    # A straight line fitted to a few turns of a slow shaft would follow them, so that only the mean is taken off; what
    # drifts stays below LOWEST_HZ under the window.
    framed -= framed.mean(axis=1, keepdims=True)
    window = scipy.signal.get_window('hann', length)
    spectra = scipy.fft.rfft(framed * window[None, :, None], axis=1)
    # One-sided: all bins but the first and last stand for two.
    power = 2 * np.abs(spectra) ** 2 / (length * np.sum(window**2))
    return Frames(framed, power, spectra, rate / length, rate, checked, ~(usability.dead | usability.wild))
