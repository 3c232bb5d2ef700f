"""The numbers of each set, made of the good frames of a recording."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.fft

from fdx.health.embeddings import judge_numbers, network_numbers
from fdx.health.feature_plan import MEL_BANDS, SHAFT_ORDERS, FeaturePlan
from fdx.predict.evidence_of import Knowledge, evidence_of
from fdx.signal.mel import hz_to_mel, mel_edges_hz, triangles
from fdx.types import DataError, Recording

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


def _judge(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """Directions of the judge's embedding: [NUMBERS, C]."""
    own, (first, end) = frames.recording, _longest_run(frames.good)
    if plan.geometry is None:
        raise DataError(f'{own.source or own.recording}: the bearing is not known: give `bearing`')
    parts = [
        dataclasses.replace(
            own, samples=own.samples[first:end, c : c + 1], speed_rpm=_speed(own), time_breaks=(), channel_names=()
        )
        for c in range(own.samples.shape[1])
    ]
    return np.stack([judge_numbers(part, plan.geometry) for part in parts], axis=1)


def _network(frames: Frames, plan: FeaturePlan) -> np.ndarray:
    """Directions of the embedding of a run: [NUMBERS, 1]."""
    if plan.network is None:
        raise DataError('the plan names no network: give `checkpoint`')
    own = frames.recording
    seen = own if own.geometry else dataclasses.replace(own, geometry=plan.geometry)
    return network_numbers(seen, plan.network)[:, None]


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
    'judge': _judge,
    'network': _network,
}
