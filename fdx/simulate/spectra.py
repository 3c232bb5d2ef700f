"""Transfer functions and densities of one machine on one grid, by which sources get their levels."""

from __future__ import annotations

import numpy as np

from fdx.simulate import levels
from fdx.simulate.dice import Dice
from fdx.simulate.ingredients import NoiseBand, Train
from fdx.simulate.machine import SimulatedMachine
from fdx.simulate.response import colour_power, grid_of, on_bins, path_response, pulse_power, sensor_response

AMBIENT = 1000


class Spectra:
    """What a machine does to forces of power 1 per sample.

    Attributes:
      step: bins of the FFT per step of the grid.
      grid_hz: float64 [G], 0 to just above half of the rate.
      paths: complex64 [G] for path 0 and 1, structure and sensor.
      rolling_gain: factor on white noise of variance 1, so that rolling has its share of the floor.
      stationary: float64 [G], power of ambient, coloured and the sensor's own noise; its mean is its variance.
      floor: float64 [G], `stationary` and rolling noise, by which levels are set; without coloured noise its mean is 1.
    """

    def __init__(self, machine: SimulatedMachine, num_samples: int):
        self._machine, self._num_samples = machine, num_samples
        rate_hz, floor = machine.sample_rate_hz, machine.floor
        self.step, self.grid_hz = grid_of(num_samples, rate_hz)
        more = [mode for part in machine.parts for mode in part.modes]
        self.paths = [
            path_response(machine.structure, more, machine.sensor, path, self.grid_hz, rate_hz) for path in (0, 1)
        ]
        self._powers = [_power(response) for response in self.paths]
        self.rolling_gain = float(np.sqrt(floor.rolling_share / self._powers[0].mean()))
        # Noise from elsewhere reaches the sensor, the sensor's own comes after it.
        seen = _power(sensor_response(machine.sensor, self.grid_hz, rate_hz))
        ambient = colour_power(floor.exponent, self.grid_hz) * seen
        others = max(0.0, 1 - floor.rolling_share - floor.own_share)
        self.stationary = ambient * (others / max(float(ambient.mean()), 1e-12)) + floor.own_share
        for colour in (colour for part in machine.parts for colour in part.colours):
            self.stationary = self.stationary + 10 ** (colour.level_db / 10) * _of_mean_1(
                colour_power(colour.exponent, self.grid_hz) * seen
            )
        self.floor = self.stationary + self.rolling_gain**2 * self._powers[0]
        self._top_hz = levels.highest_hz(rate_hz, machine.sensor.anti_alias)

    def train_gain(self, train: Train, strikes_per_sample: float) -> float:
        """Factor on strikes of mean square 1, so that the train has its signal-to-noise ratio."""
        power = pulse_power(train.pulses, self.grid_hz, self._machine.sample_rate_hz) * self._powers[train.path]
        return levels.gain_for(train.snr_db, strikes_per_sample * power, self.floor, self.grid_hz, self._top_hz)

    def noise_gain(self, band: NoiseBand) -> float:
        """Factor on white noise of variance 1, so that the band has its signal-to-noise ratio."""
        return levels.gain_for(band.snr_db, self._powers[band.path], self.floor, self.grid_hz, self._top_hz)

    def stationary_noise(self) -> np.ndarray:
        """Spectrum, complex64 [T // 2 + 1], of one draw of the stationary noise."""
        rng = Dice(self._machine.seed, self._machine.index, AMBIENT).rng
        bins = self._num_samples // 2 + 1
        noise = rng.standard_normal(2 * bins, np.float32).view(np.complex64)
        amplitude = np.sqrt(self.stationary * (self._num_samples / 2)).astype(np.float32)
        return noise * on_bins(amplitude, self.step, bins)


def _power(response: np.ndarray) -> np.ndarray:
    return response.real.astype(np.float64) ** 2 + response.imag.astype(np.float64) ** 2


def _of_mean_1(power: np.ndarray) -> np.ndarray:
    return power / max(float(power.mean()), 1e-12)
