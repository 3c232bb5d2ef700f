"""Forces on both paths: rolling noise, noise bands and strikes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fdx.simulate.confounders import CONFOUNDERS
from fdx.simulate.dice import Dice
from fdx.simulate.ingredients import Train
from fdx.simulate.machine import SimulatedMachine
from fdx.simulate.motion import Clock
from fdx.simulate.spectra import Spectra
from fdx.simulate.strikes import add_force, strike_times
from fdx.simulate.swells import band_power, floor_factor

# Streams of random numbers: white noise of both paths, and one per ingredient after FIRST, whatever else is there.
WHITE, FIRST = 1001, 2000
# A part has fewer ingredients of one kind than this.
PER_KIND = 20
KINDS = ('noises', 'trains', 'modulations')
PLACES = {name: place for place, name in enumerate(('floor', 'first defect', 'second defect', *CONFOUNDERS))}


class Forces:
    """Makes the forces of one machine.

    Args:
      machine: what was drawn.
      clocks: by name.
      spectra: sets the levels.
      num_samples: length T of a force.
    """

    def __init__(self, machine: SimulatedMachine, clocks: Mapping[str, Clock], spectra: Spectra, num_samples: int):
        self._machine, self._clocks, self._spectra, self._num_samples = machine, clocks, spectra, num_samples
        names = ('first defect', 'second defect')
        self._parts = dict(zip(names, machine.faults))
        self._parts |= {part.name: part for part in machine.parts}

    def on_path(self, path: int) -> np.ndarray | None:
        """Force, float32 [T], on path 0 or 1; None where nothing acts on it."""
        power = self._rolling_power() if path == 0 and self._machine.floor.rolling_share else None
        for name, part in self._parts.items():
            for n, band in enumerate(part.noises):
                if band.path == path:
                    more = band_power(band, self._clocks[band.clock], self._rng(_stream(name, 'noises', n)))
                    more = more * np.float32(self._spectra.noise_gain(band) ** 2)
                    power = more if power is None else power + more
        force = None
        if power is not None:
            force = self._rng(WHITE + path).standard_normal(self._num_samples, np.float32)
            force *= np.sqrt(power)
        for name, part in self._parts.items():
            for n, train in enumerate(part.trains):
                if train.path == path:
                    force = np.zeros(self._num_samples, np.float32) if force is None else force
                    self._strike(force, train, self._rng(_stream(name, 'trains', n)))
        return force

    def _strike(self, force: np.ndarray, train: Train, rng: np.random.Generator) -> None:
        rate_hz = self._machine.sample_rate_hz
        times_s, strength, intervals_s = strike_times(train, self._clocks[train.clock], rng)
        if len(times_s):
            gain = self._spectra.train_gain(train, len(times_s) / self._num_samples)
            add_force(force, train.pulses, times_s, gain * strength, intervals_s, rate_hz)

    def _rolling_power(self) -> np.ndarray:
        """Power of the rolling noise, float32 [T], with every modulation; its mean is its share of the floor."""
        sources = {'floor': self._machine.floor.modulations}
        sources |= {name: part.modulations for name, part in self._parts.items()}
        amplitude = np.ones(self._num_samples, np.float32)
        for name, modulations in sources.items():
            for n, modulation in enumerate(modulations):
                rng = self._rng(_stream(name, 'modulations', n))
                amplitude *= floor_factor(modulation, self._clocks[modulation.clock], rng)
        amplitude *= amplitude
        return amplitude * np.float32(self._spectra.rolling_gain**2 / max(float(amplitude.mean()), 1e-12))

    def _rng(self, stream: int) -> np.random.Generator:
        return Dice(self._machine.seed, self._machine.index, stream).rng


def _stream(name: str, kind: str, number: int) -> int:
    return FIRST + (PLACES[name] * len(KINDS) + KINDS.index(kind)) * PER_KIND + number
