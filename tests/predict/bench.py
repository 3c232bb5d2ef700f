"""Recordings of a bearing at 1500 rpm that tests diagnose without training."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal.bearings import BEARINGS
from fdx.types import Recording

RATE_HZ = 5000.0
SHAFT_HZ = 25.0
# Four segments of 128 turns: a shorter recording is looked at five times (fdx.predict.evidence_of.VIEWS).
SECONDS = 11.25


def noise(seconds: float = SECONDS, seed: int = 0, **fields) -> Recording:
    """White noise, said to be a motor's drive end at 1500 rpm."""
    x = np.random.default_rng(seed).standard_normal((round(seconds * RATE_HZ), 1)).astype(np.float32)
    known = {'speed_rpm': 60 * SHAFT_HZ, 'geometry': BEARINGS['skf_6205'], 'source': 'noise.npy'}
    labels = dict.fromkeys(('label', 'fault_type', 'bearing', 'domain'), '')
    return Recording(**{'samples': x, 'sample_rate_hz': RATE_HZ, 'recording': 'noise', **labels, **known, **fields})


def struck(order: float, seed: int = 0, seconds: float = SECONDS, shaft_lines: float = 0.0) -> Recording:
    """Noise that comes in bursts at an order of the shaft, and lines at its first five turns."""
    recording = noise(seconds, seed)
    t = np.arange(len(recording.samples)) / RATE_HZ
    gain = 1 + 2 * (np.mod(t * order * SHAFT_HZ, 1) < 0.2)
    lines = sum(np.sin(2 * np.pi * h * SHAFT_HZ * t + h) for h in range(1, 6))
    samples = recording.samples[:, 0] * gain + shaft_lines * lines
    return dataclasses.replace(recording, samples=samples.astype(np.float32)[:, None])
