"""Faults that are put into healthy recordings, to choose between detectors without a single real fault."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.types import BearingGeometry, Recording

# Kinds and their strengths: of impacts and imbalance, the level of what is added as a share of the recording's own; of
# a level, decibels.
KINDS = {'impacts': (0.1, 0.3, 1.0), 'imbalance': (0.1, 0.3, 1.0), 'level': (1.0, 3.0, 6.0)}
# Where speed or bearing are not known: turns per second, and impacts per turn.
USUAL_SHAFT_HZ, USUAL_ORDER = 25.0, 3.6
# Of the structure that impacts excite: its frequency as a share of the Nyquist frequency, and its damping ratio.
RESONANCE, DAMPING = (0.25, 0.7), 0.04
# Rolling elements slip by about so much from one impact to the next (Randall and Antoni, MSSP 25(2):485-520, 2011).
JITTER = 0.015


def with_fault(
    recording: Recording, kind: str, strength: float, rng: np.random.Generator, geometry: BearingGeometry | None = None
) -> Recording:
    """A healthy recording with a fault that was put in.

    Args:
      recording: samples [T, C].
      kind: a name of KINDS.
      strength: see KINDS.
      rng: draws phases, the resonance and the slip.
      geometry: of the bearing: impacts come at its outer race's order.
    """
    x = np.asarray(recording.samples, np.float64)
    if kind == 'level':
        changed = x.mean(axis=0) + (x - x.mean(axis=0)) * 10 ** (strength / 20)
    else:
        known = math.isfinite(recording.speed_rpm) and recording.speed_rpm > 0
        shaft_hz = recording.speed_rpm / 60 if known else USUAL_SHAFT_HZ
        rate = recording.sample_rate_hz
        order = geometry.bpfo if geometry is not None else USUAL_ORDER
        added = (
            _impacts(len(x), rate, order * shaft_hz, rng)
            if kind == 'impacts'
            else np.sin(2 * np.pi * (shaft_hz * np.arange(len(x)) / rate + rng.random()))
        )
        level = np.sqrt(np.mean(added**2)) or 1.0
        changed = x + added[:, None] / level * strength * x.std(axis=0)
    return dataclasses.replace(recording, samples=changed.astype(np.float32))


def _impacts(length: int, rate_hz: float, impacts_hz: float, rng: np.random.Generator) -> np.ndarray:
    """A train of decaying oscillations, float64 [length]."""
    gaps = rate_hz / impacts_hz * (1 + JITTER * rng.standard_normal(int(length * impacts_hz / rate_hz) + 2))
    times = np.cumsum(gaps) - rng.random() * gaps[0]
    force = np.zeros(length)
    np.add.at(force, times[(times >= 0) & (times < length)].astype(int), 1.0)
    omega = np.pi * rng.uniform(*RESONANCE)  # radians per sample
    t = np.arange(min(length, math.ceil(8 / (DAMPING * omega))))
    response = np.exp(-DAMPING * omega * t) * np.sin(omega * t)
    return np.convolve(force, response)[:length]
