"""Transfer functions from forces to the reading, and the spectra by which levels are set."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fdx.simulate.ingredients import Mode, Pulse
from fdx.simulate.machine import Sensor, Structure

# Spacing of the grid; the narrowest resonance (0.1 % at 1 kHz) is 2 Hz wide.
GRID_HZ = 1.0
ANTI_ALIAS_ORDER = 8
# Below this, ambient noise does not rise any more.
FLAT_BELOW_HZ = 5.0


def structure_response(structure: Structure, more: Sequence[Mode], path: int, frequency_hz: np.ndarray) -> np.ndarray:
    """Transfer function, complex64 [F], of one path: a direct share, and damped sinusoids in the time domain.

    A mode of gain g contributes g w_n^2 2 z / (w_n^2 - w^2 + 2j z w_n w): its peak is g, whatever its damping z is.
    """
    f = frequency_hz.astype(np.float32)
    total = np.full(f.shape, structure.direct[path], np.complex64)
    for mode in (*structure.modes, *more):
        ratio = f / np.float32(mode.frequency_hz)
        damping = np.float32(2 * mode.damping_ratio)
        denominator = np.empty(f.shape, np.complex64)
        denominator.real = 1 - ratio * ratio
        denominator.imag = damping * ratio
        total += np.float32(mode.gains[path]) * damping / denominator
    tilt = np.float32(structure.tilt_db / 20)
    return total * (np.maximum(f, 100.0) / np.float32(1000.0)) ** tilt


def sensor_response(sensor: Sensor, frequency_hz: np.ndarray, rate_hz: float) -> np.ndarray:
    """Transfer function, complex64 [F]: high pass, mounting resonance, and the filter before the converter."""
    f = np.asarray(frequency_hz, np.float64)
    high = 1j * f / sensor.high_pass_hz
    ratio = f / sensor.mounting_hz
    response = high / (1 + high) / (1 - ratio**2 + 2j * sensor.mounting_damping * ratio)
    if sensor.anti_alias:
        response = response / np.sqrt(1 + (f / (sensor.anti_alias * rate_hz)) ** (2 * ANTI_ALIAS_ORDER))
    return response.astype(np.complex64)


def path_response(
    structure: Structure, more: Sequence[Mode], sensor: Sensor, path: int, grid: np.ndarray, rate_hz: float
) -> np.ndarray:
    """Structure and sensor together, complex64 [G].

    Without a filter before the converter, what lies between half of the rate and the rate folds back, as sampling an
    impulse response does: H(f) + conj(H(rate - f)).
    """
    response = structure_response(structure, more, path, grid) * sensor_response(sensor, grid, rate_hz)
    if not sensor.anti_alias:
        mirror = np.maximum(rate_hz - grid, 0.0)
        other = structure_response(structure, more, path, mirror) * sensor_response(sensor, mirror, rate_hz)
        response = response + np.conj(other)
    return response


def pulse_power(pulses: Sequence[Pulse], frequency_hz: np.ndarray, rate_hz: float) -> np.ndarray:
    """Power [F] of the force of one strike over that of an impulse; pulses of one strike add by power.

    A raised cosine of duration d and area 1 has the transform sinc(x) / (1 - x^2), x = f d.
    """
    total = np.zeros(frequency_hz.shape)
    for pulse in pulses:
        x = frequency_hz * max(pulse.width_s, 2 / rate_hz)
        # At x = 1 both are zero; the limit is 1/2.
        x = np.where(np.abs(x - 1) < 1e-6, 1 + 1e-6, x)
        total += pulse.gain**2 * (np.sinc(x) / (1 - x**2)) ** 2
    return total


def colour_power(exponent: float, frequency_hz: np.ndarray) -> np.ndarray:
    """Power [F] of coloured noise, of mean 1 over the grid."""
    power = (np.maximum(frequency_hz, FLAT_BELOW_HZ) / 1000.0) ** -exponent
    return power / power.mean()


def on_bins(grid: np.ndarray, step: int, bins: int) -> np.ndarray:
    """Values [bins] of a grid whose spacing is `step` bins, by straight lines between its points."""
    if step == 1:
        return grid[:bins]
    share = (np.arange(step, dtype=np.float32) / step)[None, :]
    return (grid[:-1, None] + np.diff(grid)[:, None] * share).ravel()[:bins]


def grid_of(num_samples: int, rate_hz: float) -> tuple[int, np.ndarray]:
    """(bins per step, frequencies [G] in hertz) of a grid near GRID_HZ that covers 0 to just above rate / 2."""
    bin_hz = rate_hz / num_samples
    step = max(1, math.floor(GRID_HZ / bin_hz))
    points = math.ceil((num_samples // 2 + 1) / step) + 1
    return step, np.arange(points) * (step * bin_hz)
