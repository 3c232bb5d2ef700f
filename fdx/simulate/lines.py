"""Sinusoids at multiples of an order."""

from __future__ import annotations

import numpy as np
import scipy.fft

from fdx.simulate.ingredients import Lines
from fdx.simulate.machine import Sensor
from fdx.simulate.motion import Clock, look_up, phases_of
from fdx.simulate.response import sensor_response

# Points of the table per cycle of the highest harmonic; rounding phases to points makes noise 50 dB below the lines.
POINTS = 1024
TABLE = (4096, 2**17)


def wave_table(lines: Lines, weights: np.ndarray) -> np.ndarray:
    """One cycle of the sum of the lines, float32 [points], of root mean square 1 before `weights` [L] act."""
    amplitudes = np.asarray(lines.amplitudes)
    amplitudes = amplitudes / np.sqrt(np.sum(amplitudes**2) / 2)
    points = int(np.clip(2 ** np.ceil(np.log2(POINTS * max(lines.harmonics))), *TABLE))
    spectrum = np.zeros(points // 2 + 1, np.complex64)
    turns = np.exp(2j * np.pi * np.asarray(lines.phases))
    np.add.at(spectrum, np.asarray(lines.harmonics), amplitudes * weights * turns * (points / 2))
    return scipy.fft.irfft(spectrum, points)


def add_lines(reading: np.ndarray, lines: Lines, clock: Clock, sensor: Sensor, rate_hz: float) -> None:
    """Adds the lines to a reading [T], each by the sensor's response at its frequency.

    A filter before the converter leaves out what lies beyond half of the rate; without one it folds back, as samples of
    a sinusoid do.
    """
    mean_hz = float(clock.cycles[-1] / clock.edges_s[-1])
    frequencies_hz = mean_hz * lines.order * np.asarray(lines.harmonics)
    weights = np.abs(sensor_response(sensor, frequencies_hz, rate_hz))
    weights[frequencies_hz > (0.49 if sensor.anti_alias else 1.0) * rate_hz] = 0.0
    if weights.any():
        table = wave_table(lines, weights) * np.float32(10 ** (lines.level_db / 20))
        reading += look_up(table, phases_of(lines.order * clock.cycles))
