"""Envelopes: how the power of noise changes with the shaft, or at random."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.simulate.ingredients import Gate, Modulation, NoiseBand
from fdx.simulate.motion import BLOCK, Clock, look_up, phases_of
from fdx.simulate.strikes import gate_values

TABLE = 4096


def random_walk(walk: float, order: float, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """Error of the phase [blocks + 1] of something that repeats `order` times per cycle, as in `Train.walk`."""
    steps = np.diff(clock.cycles, prepend=0.0) * order
    return walk * np.cumsum(np.sqrt(np.maximum(steps, 0.0)) * rng.standard_normal(steps.shape))


def smooth_noise(count: int, step_s: float, corner_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise [count] of unit variance, a first-order low pass at `corner_hz` of white noise."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= 1 + 1j * np.fft.rfftfreq(count, step_s) / corner_hz
    noise = np.fft.irfft(spectrum, count)
    return noise / max(float(noise.std()), 1e-12)


def between_edges(values: np.ndarray) -> np.ndarray:
    """Values at the edges of blocks [blocks + 1], float32 [T] at every sample by straight lines."""
    start, slope = values[:-1].astype(np.float32), (np.diff(values) / BLOCK).astype(np.float32)
    return (start[:, None] + slope[:, None] * np.arange(BLOCK, dtype=np.float32)).ravel()


def gate_power(gate: Gate, clock: Clock) -> np.ndarray:
    """Square of a gate at every sample, float32 [T]."""
    still = dataclasses.replace(gate, order=1.0)
    table = gate_values((still,), np.arange(TABLE) / TABLE) ** 2
    return look_up(table.astype(np.float32), phases_of(gate.order * clock.cycles))


def band_power(band: NoiseBand, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """Power over time, float32 [T] of mean 1, of a noise band."""
    if band.order == 0:
        corner_hz = 1 / (2 * np.pi * band.burst_s)
        log = smooth_noise(len(clock.edges_s), float(clock.edges_s[1]), corner_hz, rng)
        power = between_edges(np.exp(band.sharpness * log))
    else:
        angle = 2 * np.pi * np.arange(TABLE) / TABLE
        table = np.exp(band.sharpness * (np.cos(angle) - 1)).astype(np.float32)
        walk = random_walk(band.walk, band.order, clock, rng) if band.walk else 0.0
        power = look_up(table, phases_of(band.order * clock.cycles + band.phase + walk))
    for gate in band.gates:
        power = power * gate_power(gate, clock)
    return power / max(float(power.mean()), 1e-12)


def floor_factor(modulation: Modulation, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """Factor on the amplitude of the rolling noise, float32 [T]; it is never negative."""
    if modulation.order == 0:
        slow = smooth_noise(len(clock.edges_s), float(clock.edges_s[1]), modulation.corner_hz, rng)
        return between_edges(np.exp(modulation.depths[0] * slow))
    cycle = np.arange(TABLE) / TABLE
    table = np.ones(TABLE)
    for h, (depth, phase) in enumerate(zip(modulation.depths, modulation.phases), start=1):
        table += depth * np.cos(2 * np.pi * (h * cycle + phase))
    return look_up(np.maximum(table, 0.0).astype(np.float32), phases_of(modulation.order * clock.cycles))
