"""When strikes happen, how hard they are, and the force that they make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fdx.simulate.ingredients import Gate, Pulse, Train
from fdx.simulate.motion import Clock

# Strikes beyond the expected number, because a random walk that lags ends a few intervals before the end.
MARGIN = 20


def gate_values(gates: Sequence[Gate], cycles: np.ndarray) -> np.ndarray:
    """Product of the gates at these cycles [N]; in the mean over the circumference it need not be 1."""
    total = np.ones(cycles.shape)
    for gate in gates:
        wave = np.cos(2 * np.pi * (gate.order * cycles + gate.phase))
        if gate.kind == 'cosine':
            total *= 1 + gate.amount * wave
        else:
            total *= np.maximum(0.0, 1 - (1 - wave) / (2 * gate.amount)) ** gate.exponent
    return total


def strike_cycles(train: Train, total_cycles: float, rng: np.random.Generator) -> np.ndarray:
    """Cycles [N], rising but for jitter, at which the train strikes within the recording.

    Strike k comes at (k + phase + jitter n_k + walk (n_1 + ... + n_k)) / order: the cage holds the elements on an even
    grid with play (jitter), and its slip varies (a random walk; Antoni & Randall 2003).
    """
    if train.random:
        return np.sort(rng.uniform(0, total_cycles, int(rng.poisson(train.order * total_cycles))))
    count = int(np.ceil(train.order * total_cycles)) + MARGIN
    normal = rng.standard_normal((2, count))
    place = np.arange(count) + train.phase + train.jitter * normal[0] + train.walk * np.cumsum(normal[1])
    return place / train.order


def strengths(train: Train, cycles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Strengths [N] of the strikes, of mean square 1 over the recording."""
    strength = gate_values(train.gates, cycles) * np.exp(train.spread * rng.standard_normal(cycles.shape))
    strength *= np.resize(np.asarray(train.pattern), cycles.shape)
    if train.missing:
        strength *= rng.random(cycles.shape) >= train.missing
    mean_square = np.mean(strength**2) if len(strength) else 0.0
    return strength / np.sqrt(mean_square) if mean_square > 0 else strength


def strike_times(train: Train, clock: Clock, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(times in seconds [N], strengths [N], intervals in seconds [N]) of a train."""
    total = float(clock.cycles[-1])
    cycles = strike_cycles(train, total, rng)
    strength = strengths(train, cycles, rng)
    kept = (cycles >= 0) & (cycles < total)
    cycles, strength = cycles[kept], strength[kept]
    if train.random:
        return clock.times_s(cycles), strength, np.zeros(len(cycles))
    mean_hz = total / float(clock.edges_s[-1]) * train.order
    return clock.times_s(cycles), strength, np.full(len(cycles), 1 / mean_hz)


def add_force(
    force: np.ndarray,
    pulses: Sequence[Pulse],
    times_s: np.ndarray,
    strength: np.ndarray,
    intervals_s: np.ndarray,
    rate_hz: float,
) -> None:
    """Adds raised cosines of area `gain * strength` (in samples) to a force [T], each at its true instant.

    Instants between samples are kept: jitter is often smaller than a sample. Two samples are the narrowest width whose
    weights add up to 1 wherever the instant lies.
    """
    for pulse in pulses:
        width = max(pulse.width_s * rate_hz, 2.0)
        centre = (times_s + pulse.delay * intervals_s) * rate_hz
        first = np.ceil(centre - width / 2).astype(np.int64)
        index = first[:, None] + np.arange(int(np.ceil(width)))
        offset = (index - centre[:, None]) * (1 / width)
        weight = np.where(np.abs(offset) < 0.5, 1 + np.cos(2 * np.pi * offset), 0.0)
        weight *= (pulse.gain / width * strength)[:, None]
        inside = (index >= 0) & (index < len(force))
        force += np.bincount(index[inside], weight[inside], minlength=len(force)).astype(np.float32)
