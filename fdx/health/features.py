"""A recording as rows of named numbers, by a plan."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import scipy.fft
import scipy.signal

from fdx.health.feature_plan import MEL_BANDS, SHAFT_ORDERS, FeaturePlan
from fdx.predict.evidence_of import Knowledge, evidence_of
from fdx.signal.mel import hz_to_mel, mel_edges_hz, triangles
from fdx.signal.usable import inspect_recording, verdict_refusal
from fdx.types import DataError, Recording

# Of a long recording so many frames are looked at, evenly over its length.
MAX_FRAMES = 128
# Powers below this share of a channel's own are rounding errors of the file.
FLOOR = 1e-12
HALF_LINE_BINS, LINE_SHARE = 2.0, 0.02


@dataclasses.dataclass(frozen=True)
class Frames:
    """The good frames of a recording.

    Attributes:
      samples: float64 [N, L, C], each frame without its mean.
      power: float64 [N, L // 2 + 1, C]: mean square of each bin; the sum over a band is the mean square in it.
      spectra: complex128, of the same shape: one-sided spectra of the frames under Hann's window.
      df_hz: from bin to bin.
      rate_hz: sampling rate.
      recording: the whole, checked; speed_rpm is read from it.
      good: bool [T], samples that are neither dead nor wild.
    """

    samples: np.ndarray
    power: np.ndarray
    spectra: np.ndarray
    df_hz: float
    rate_hz: float
    recording: Recording
    good: np.ndarray


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


def _decibels(power: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, FLOOR * np.maximum(whole, np.finfo(float).tiny)))


def _levels(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """RMS in dB re 1 unit, crest factor in dB, logarithm of the kurtosis: [3, C]."""
    x = frames.samples
    power = np.mean(x**2, axis=(0, 1))
    peak = np.abs(x).max(axis=1).mean(axis=0)
    kurtosis = np.mean(x**4, axis=(0, 1)) / np.maximum(power, np.finfo(float).tiny) ** 2
    return np.stack([_decibels(power, power), 20 * np.log10(peak / np.sqrt(power)), np.log(kurtosis)])


def _bands(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """Levels of the third octaves in dB re 1 unit squared: [bands, C]."""
    power = frames.power.mean(axis=0)
    f = np.arange(len(power)) * frames.df_hz
    cumulated = np.concatenate([np.zeros((1, power.shape[1])), np.cumsum(power, axis=0)])
    centres = plan.band_centres_hz()
    first, end = (np.searchsorted(f, centres * 10.0**e) for e in (-0.05, 0.05))
    return _decibels(cumulated[end] - cumulated[first], power.sum(axis=0))


def _shape(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    bands = _bands(frames, plan)
    return bands - bands.mean(axis=0)


def _impacts(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """Logarithm of E|z|^4 / (2 (E|z|^2)^2) of each octave's analytic signal z: 0 for Gaussian noise. [octaves, C].

    The spectral kurtosis by octaves (Antoni, "The spectral kurtosis: a useful tool for characterising non-stationary
    signals", MSSP 20(2):282-307, 2006).
    """
    spectra = frames.spectra
    found = []
    for centre in plan.octaves_hz():
        first, end = (round(centre * 10**e / frames.df_hz) for e in (-0.15, 0.15))
        square = np.abs(scipy.fft.ifft(spectra[:, first:end], axis=1)) ** 2
        # The window's own shape is taken off, or its ends would look like the pauses between impacts.
        window = scipy.signal.get_window('hann', square.shape[1]) ** 2
        middle = window > 0.1
        level = square[:, middle] / window[middle][None, :, None]
        mean = level.mean(axis=(0, 1))
        found.append(np.log(np.mean(level**2, axis=(0, 1)) / (2 * np.maximum(mean, np.finfo(float).tiny) ** 2)))
    return np.stack(found) if found else np.zeros((0, spectra.shape[2]))


def _shaft(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """Levels at multiples of the shaft's speed in dB re 1 unit squared: [SHAFT_ORDERS, C]."""
    shaft_hz = _speed(frames.recording) / 60
    power = frames.power.mean(axis=0)
    found = []
    for order in SHAFT_ORDERS:
        centre = order * shaft_hz / frames.df_hz
        reach = min(max(HALF_LINE_BINS, LINE_SHARE * centre), 0.45 * shaft_hz / frames.df_hz)
        first, end = max(1, math.floor(centre - reach)), math.ceil(centre + reach) + 1
        found.append(power[first:end].sum(axis=0))
    return _decibels(np.stack(found), power.sum(axis=0))


def _orders(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """Inverse hyperbolic sine of the z-scores of the fault orders (fdx.signal.fault_evidence): [FAULTS, C]."""
    own = frames.recording
    first, end = _longest_run(frames.good)
    found = []
    for c in range(own.samples.shape[1]):
        samples = own.samples[first:end, c : c + 1]
        one = dataclasses.replace(
            own, samples=samples, geometry=plan.geometry, speed_rpm=_speed(own), time_breaks=(), channel_names=()
        )
        found.append(np.arcsinh(evidence_of(one, Knowledge()).z_scores()))
    return np.stack(found, axis=1)


def _log_mel(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """Mean over time of the logarithm of the mel bands' magnitudes: [MEL_BANDS, C]."""
    f = np.arange(frames.power.shape[1]) * frames.df_hz
    # Wide enough at the low end that every filter holds a bin.
    edges = mel_edges_hz(MEL_BANDS, 0.0, plan.top_hz)
    bank = triangles(hz_to_mel(f), hz_to_mel(edges))
    bank[np.abs(f[:, None] - edges[1:-1]).argmin(axis=0), np.arange(MEL_BANDS)] = 1.0
    magnitude = np.einsum('nfc,fm->nmc', np.sqrt(frames.power), bank)
    floor = math.sqrt(FLOOR) * magnitude.sum(axis=1, keepdims=True)
    return np.log(np.maximum(magnitude, np.maximum(floor, np.finfo(float).tiny))).mean(axis=0)


def _speed(recording: Recording) -> float:
    if not (math.isfinite(recording.speed_rpm) and recording.speed_rpm > 0):
        raise DataError(
            f'{recording.source or recording.recording}: the speed of the shaft is not known, and the baseline reads '
            'orders: give `speed_rpm`'
        )
    return recording.speed_rpm


def _longest_run(good: np.ndarray) -> tuple[int, int]:
    """(first, end) of the longest run of True in good [T]."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], good.view(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    best = int(runs.argmax()) if len(runs) else 0
    return (int(edges[2 * best]), int(edges[2 * best + 1])) if len(runs) else (0, 0)


# Set -> its numbers [kinds, C], in the order of `FeaturePlan.features`.
SETS: dict[str, Callable[[Frames, FeaturePlan], np.ndarray]] = {
    'levels': _levels,
    'bands': _bands,
    'shape': _shape,
    'impacts': _impacts,
    'shaft': _shaft,
    'orders': _orders,
    'log_mel': _log_mel,
}
