"""A small machine for tests of fdx.health: its recordings, in order and with faults."""

from __future__ import annotations

import pathlib

import numpy as np
import scipy.io.wavfile
import scipy.signal

from fdx.types import Recording

RATE_HZ, SECONDS, SPEED_RPM = 8000, 1.0, 1500.0


def samples(seed: int, *, speed_rpm: float = SPEED_RPM, impacts: float = 0.0, gain: float = 1.0) -> np.ndarray:
    """float32 [T]: two lines of the shaft, coloured noise, and impacts with a resonance at 2.4 kHz."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(RATE_HZ * SECONDS)) / RATE_HZ
    shaft = speed_rpm / 60
    x = np.sin(2 * np.pi * (shaft * t + rng.random())) + 0.5 * np.sin(2 * np.pi * (2 * shaft * t + rng.random()))
    x += np.exp(0.05 * rng.standard_normal()) * scipy.signal.lfilter([1], [1, -0.6, 0.5], rng.standard_normal(len(t)))
    if impacts:
        force = (np.diff(np.floor(3.58 * shaft * t), prepend=0) > 0).astype(float)
        decay = np.exp(-600 * t[:200]) * np.sin(2 * np.pi * 2400 * t[:200])
        x += impacts * np.convolve(force, decay)[: len(t)]
    return (gain * x).astype(np.float32)


def recording(seed: int, **how) -> Recording:
    """One recording of the machine."""
    x = samples(seed, **how)[:, None]
    return Recording(x, RATE_HZ, f'r{seed}', 'normal', 'normal', 'm', 'm', speed_rpm=how.get('speed_rpm', SPEED_RPM))


def write(folder: pathlib.Path, seeds: range, name: str = '{:03d}.wav', **how) -> list[pathlib.Path]:
    """Writes recordings as .wav; returns their files in order."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name.format(seed) for seed in seeds]
    for seed, file in zip(seeds, files):
        scipy.io.wavfile.write(file, RATE_HZ, samples(seed, **how) / 16)
    return files
