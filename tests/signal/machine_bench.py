"""The bench on which the tests' machines are put together: a shaft, noise, lines and impacts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy.signal


class Bench:
    """A recording in the making: time, the shaft's angle and coloured noise, to which a kind adds its lines."""

    def __init__(self, rng: np.random.Generator, shaft_hz: float, rate_hz: float, seconds: float):
        self.rng, self.shaft_hz, self.rate_hz = rng, shaft_hz, rate_hz
        self.t = np.arange(round(seconds * rate_hz)) / rate_hz
        self.other = np.nan  # order of a second shaft
        # A load that changes slowly moves the speed by up to 0.2 %.
        swing, period_s = rng.uniform(0, 0.002), rng.uniform(3, 20)
        self.follow(1 + swing * np.sin(2 * np.pi * self.t / period_s + rng.uniform(0, 6)))
        self.slope, self.corner_hz = rng.uniform(0, 1.5), 40.0
        self.broadband = rng.standard_normal(len(self.t))
        self.x = self._floor()

    def follow(self, speeds: np.ndarray) -> None:
        """From now on the shaft's speed is proportional to these values [T]; its mean stays."""
        self.turns = np.cumsum(speeds / speeds.mean()) * self.shaft_hz / self.rate_hz

    def _floor(self) -> np.ndarray:
        spectrum = np.fft.rfft(self.broadband)
        hz = np.fft.rfftfreq(len(self.t), 1 / self.rate_hz)
        spectrum *= np.sqrt(self._density(hz))
        return np.fft.irfft(spectrum, len(self.t))

    def _density(self, hz: np.ndarray | float) -> np.ndarray | float:
        """Of the noise, relative to white noise of variance 1: a slope at low frequencies, flat above the corner."""
        return np.minimum(np.maximum(hz, 1.0) / self.corner_hz, 1.0) ** -self.slope

    def tone(self, hz: float, level_db: float) -> None:
        """A line that does not follow the shaft."""
        self._add(2 * np.pi * hz * self.t, hz, level_db)

    def order(self, order: float, level_db: float) -> None:
        """A line at a multiple of the shaft's rate."""
        self._add(2 * np.pi * order * self.turns, order * self.shaft_hz, level_db)

    def _add(self, phase: np.ndarray, hz: float, level_db: float) -> None:
        if hz < 0.45 * self.rate_hz:
            amplitude = np.sqrt(10 ** (level_db / 10) * 4 * self._density(hz) / self.rate_hz)
            self.x += amplitude * np.cos(phase + self.rng.uniform(0, 2 * np.pi))

    def orders(self, orders: Iterable[float], top_db: tuple[float, float], fall_db: float = 2.0) -> None:
        """Lines at several orders: the first has a level drawn from `top_db`, each later one falls by about as much."""
        top = self.rng.uniform(*top_db)
        for k, order in enumerate(orders):
            self.order(order, top - fall_db * k + self.rng.uniform(-4, 4))

    def carrier(self) -> np.ndarray:
        """Noise of a resonance between 0.15 and 0.4 of the rate: what impacts and loads modulate."""
        centre, width = self.rng.uniform(0.18, 0.35), self.rng.uniform(0.02, 0.06)
        sos = scipy.signal.butter(2, [2 * (centre - width), 2 * (centre + width)], 'band', output='sos')
        ringing = scipy.signal.sosfilt(sos, self.rng.standard_normal(len(self.t)))
        return ringing / ringing.std()

    def impacts(self, order: float, height: float, modulated: float = 0.0) -> None:
        """Impacts at an order that ring a resonance, with a jitter of 1 % and modulated once per turn."""
        count = int(self.turns[-1] * order)
        turns = (np.arange(count) + self.rng.normal(0, 0.01, count) + self.rng.uniform()) / order
        samples = np.interp(turns, self.turns, np.arange(len(self.t))).astype(int)
        train = np.zeros(len(self.t))
        train[samples] = height * (1 + modulated * np.cos(2 * np.pi * turns))
        centre_hz = self.rng.uniform(0.15, 0.35) * self.rate_hz
        decay = np.exp(-np.arange(0, 0.01, 1 / self.rate_hz) * self.rng.uniform(600, 1500))
        ring = decay * np.sin(2 * np.pi * centre_hz * np.arange(len(decay)) / self.rate_hz)
        self.x += scipy.signal.fftconvolve(train, ring)[: len(self.t)]
