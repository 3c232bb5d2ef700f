"""Diagnosis by fault orders with white noise as the null: what `--zero_shot` of fdx 0.2.0 did, kept as a baseline.

For every window the image of the front end `fault_orders` is reduced to one number per fault: the mean over bands and
harmonics of the largest log ratio within the slip. White noise of the same length, rate, speed and bearing goes the
same way and shows what chance gives, so that the number becomes a z-score; windows are averaged. There is no verdict if
the evidence is a single harmonic, or lies at multiples of the shaft's rate. The suite `unseen` shows what this null is
worth on machines, which are not white noise. Only `fdx.signal` is used, so that the baseline stays what it was.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from fdx.signal import envelope
from fdx.signal.checks import check_rate
from fdx.signal.fault_orders import CHANNELS, MIN_TURNS, FaultOrders
from fdx.signal.frames import window_starts
from fdx.signal.front_end_makers import fault_orders
from fdx.signal.order_picture import picture
from fdx.signal.patch import Condition, shaft_rate_hz
from fdx.signal.slow_part import without_slow_part
from fdx.signal.usable import inspect_recording
from fdx.types import DataError, Recording

SHORTEST_WINDOW_S = 0.975
SURROGATES = 64
THRESHOLD = 4.0
# Slightly more than the half width of a line under Hann's taper, in bins of 1 / (seconds of the window).
LINE_BINS = 2.2
DOUBTS = ('only one harmonic of its order stands out', "its lines lie at multiples of the shaft's rate")


@dataclasses.dataclass(frozen=True)
class NoiseVerdict:
    """What the null says about one recording.

    Attributes:
      faults: names of the faults.
      z_scores: float64 [faults], of the whole recording above white noise.
      doubt: why the fault that stands out is not called; '' where it is, or where no fault stands out.
    """

    faults: tuple[str, ...]
    z_scores: np.ndarray
    doubt: str


def diagnose(recording: Recording, seed: int = 0) -> NoiseVerdict:
    """Diagnoses a recording with known speed and bearing.

    Args:
      recording: samples [T, 1].
      seed: of the white noise.

    Raises:
      DataError: no speed, no bearing, several channels, no usable window, too short a recording, or too low a rate.
    """
    source = recording.source or recording.recording
    rate = check_rate(recording.sample_rate_hz, source)
    condition = Condition(recording.speed_rpm, recording.geometry)
    shaft_hz = shaft_rate_hz(condition, 'fault_orders')
    if recording.geometry is None:
        raise DataError(f'{source}: the bearing is not known: give `bearing`')
    seconds = max(SHORTEST_WINDOW_S, 2 * MIN_TURNS / shaft_hz)
    length = round(seconds * rate)
    if len(recording.samples) < length:
        raise DataError(f'{source}: {recording.duration_s:.3g} s are shorter than a window of {seconds:.3g} s')
    checked, usability = inspect_recording(recording, length)
    if checked.samples.shape[1] != 1:
        raise DataError(f'{source}: {checked.samples.shape[1]} channels, one is needed: choose it with `channel`')
    front_end = fault_orders('fault_orders', 'none', rate)
    front_end = dataclasses.replace(front_end, window_s=min(front_end.window_s, seconds))
    starts = window_starts(len(checked.samples), length, length)
    dead = usability.faults(starts, length, rate)
    found = [
        measures(without_slow_part(checked.samples[s : s + length], rate), rate, condition, front_end)
        for s, fault in zip(starts, dead)
        if not fault
    ]
    if not found:
        raise DataError(f'{source}: no window can be used ({dead[0]})')
    mean, deviation = _chance(front_end, length, rate, condition, seed)
    if not deviation[0].all():
        raise DataError(f'{source}: {rate:g} Hz are too few to see every fault at {recording.speed_rpm:g} rpm')
    z = np.where(deviation > 0, (np.stack(found) - mean) / np.where(deviation > 0, deviation, 1.0), np.inf)
    pooled = z.mean(axis=0) / math.sqrt(1 / len(z) + 1 / SURROGATES)
    return NoiseVerdict(front_end.channels, pooled[0], _doubt(pooled))


def _doubt(pooled: np.ndarray) -> str:
    """The first of DOUBTS that holds for the fault that stands out; pooled [1 + doubts, faults]."""
    best = int(pooled[0].argmax())
    if pooled[0, best] < THRESHOLD:
        return ''
    return next((why for why, z in zip(DOUBTS, pooled[1:, best]) if z < THRESHOLD), '')


@functools.lru_cache(maxsize=512)
def _chance(
    front_end: FaultOrders, length: int, rate: float, condition: Condition, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation [3, faults] of the evidence in white noise; files of one machine share them."""
    rng = np.random.default_rng(seed)
    noise = (rng.standard_normal((length, 1)).astype(np.float32) for _ in range(SURROGATES))
    found = np.stack([measures(x, rate, condition, front_end) for x in noise])
    return found.mean(axis=0), found.std(axis=0, ddof=1)


def per_harmonic(image: np.ndarray, front_end: FaultOrders) -> np.ndarray:
    """Image [bands, harmonics * cells, faults] -> [harmonics, faults]: mean over bands of the largest cell."""
    bands, _, faults = image.shape
    return image.reshape(bands, front_end.harmonics, front_end.cells, faults).max(axis=2).mean(axis=0)


def measures(chunk: np.ndarray, rate_hz: float, condition: Condition, front_end: FaultOrders) -> np.ndarray:
    """The evidence in one window [T, 1], float64 [3, faults].

    Means of `per_harmonic` over all harmonics, over all but the strongest, and over all without the neighbourhood of
    the shaft's multiples.
    """
    image, geometry = front_end(chunk, rate_hz, condition), condition.geometry
    if geometry is None:  # The front end has refused this already.
        raise DataError(f'front end {front_end.name} needs the geometry of the bearing: give `bearing`')
    found = per_harmonic(image, front_end)
    others = (found.sum(axis=0) - found.max(axis=0)) / max(front_end.harmonics - 1, 1)
    spectrum = envelope.prewhitened_spectrum(envelope.tapered(chunk[:, 0], front_end.taper))
    spectra = envelope.envelope_spectra(spectrum, len(chunk), rate_hz, envelope.band_edges())
    shaft_hz, guard_hz = shaft_rate_hz(condition, front_end.name), LINE_BINS * rate_hz / len(chunk)
    settings = (front_end.harmonics, front_end.cells, front_end.slip)
    apart = [
        picture(spectra, CHANNELS[name](geometry) * shaft_hz, *settings, avoid=(shaft_hz, guard_hz))
        for name in front_end.channels
    ]
    return np.stack([found.mean(axis=0), others, per_harmonic(np.stack(apart, -1), front_end).mean(axis=0)])
