"""Outer-race impacts and a shaft's lines at a speed that varies in a known way, for the tests of order tracking."""

from __future__ import annotations

import dataclasses

import numpy as np

RATE_HZ, SHAFT_HZ = 12000.0, 30.0
ORDER = 3.58


@dataclasses.dataclass(frozen=True)
class Varying:
    """A recording: samples float32 [T] at RATE_HZ, the true turns [T] and turns per second [T]."""

    samples: np.ndarray
    turns: np.ndarray
    rate_hz: np.ndarray

    @property
    def times_s(self) -> np.ndarray:
        """float64 [T]."""
        return np.arange(len(self.samples)) / RATE_HZ


def course(shape: str, change: float, seconds: float) -> np.ndarray:
    """Turns per second [T] of mean SHAFT_HZ: 'ramp', 'swing' (1.5 periods), or 'step' (a smooth one)."""
    share = np.arange(round(seconds * RATE_HZ)) / (seconds * RATE_HZ) - 0.5
    relative = {
        'ramp': share,
        'swing': 0.5 * np.sin(3 * np.pi * share + 0.7),
        'step': 0.5 * np.tanh(6 * share),
    }[shape]
    speed = 1 + change * relative
    return SHAFT_HZ * speed / speed.mean()


def outer_race(
    shape: str = 'ramp', change: float = 0.0, seconds: float = 5.0, shaft: float = 0.3, impacts: float = 1.0
) -> Varying:
    """Impacts at ORDER times the turns, with a jitter of 1 %, that ring at 3 kHz, in noise of variance 1."""
    rng = np.random.default_rng(7)
    rate_hz = course(shape, change, seconds)
    turns = np.cumsum(rate_hz) / RATE_HZ
    count = int(turns[-1] * ORDER)
    at = (np.arange(count) + rng.normal(0, 0.01, count)) / ORDER
    train = np.zeros(len(turns))
    train[np.interp(at, turns, np.arange(len(turns))).astype(int)] = 1
    t = np.arange(120) / RATE_HZ
    rung = np.convolve(train, np.exp(-800 * t) * np.sin(2 * np.pi * 3000 * t))[: len(turns)]
    x = rng.standard_normal(len(turns)) + impacts * rung / rung.std()
    for k in range(1, 6):
        x += shaft / k * np.cos(2 * np.pi * k * turns + rng.uniform(0, 6))
    return Varying(x.astype(np.float32), turns, rate_hz)
