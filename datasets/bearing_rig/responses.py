"""Transfer functions from the forces in a bearing to the reading: the structure's resonances and the sensor."""

from __future__ import annotations

import math

import numpy as np

from .machines import Mode, Sensor


def structure_response(modes: tuple[Mode, ...], frequency_hz: np.ndarray, detune: float = 1.0) -> np.ndarray:
    """Transfer function, complex128 [F], of the structure for a unit impulse.

    The sum of the Fourier transforms of gain exp(-z w t) sin(w_d t), one exponentially damped sinusoid per mode (in
    seconds, because its impulse response has no unit). `detune` multiplies every natural frequency.
    """
    omega = 2 * np.pi * frequency_hz
    response = np.zeros(frequency_hz.shape, np.complex128)
    for mode in modes:
        natural = 2 * np.pi * mode.frequency_hz * detune
        damped = natural * math.sqrt(1 - mode.damping_ratio**2)
        response += mode.gain * damped / (natural**2 - omega**2 + 2j * mode.damping_ratio * natural * omega)
    return response


def impulse_energy(modes: tuple[Mode, ...]) -> float:
    """Energy in seconds of the structure's impulse response; powers of the modes add, as they are far apart."""
    return sum(m.gain**2 / (8 * np.pi * m.damping_ratio * m.frequency_hz) for m in modes)


def sensor_response(sensor: Sensor, frequency_hz: np.ndarray) -> np.ndarray:
    """Transfer function, complex128 [F], of the sensor: a first-order high and a second-order low pass."""
    low = 1j * frequency_hz / sensor.low_corner_hz
    high = 1j * frequency_hz / sensor.high_corner_hz
    return sensor.sensitivity * low / (1 + low) / (1 + math.sqrt(2) * high + high**2)


def response_grid_hz(rate_hz: float) -> np.ndarray:
    """Frequencies dense enough for linear interpolation of every response; a resonance is tens of hertz wide."""
    return np.concatenate([[0.0], np.geomspace(0.02, 50, 200), np.arange(52, rate_hz / 2 + 2, 2.0)])
