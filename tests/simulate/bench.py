"""Measures simulated readings by plain NumPy, and makes machines whose sources are set by hand."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.simulate import draw_machine
from fdx.simulate.ingredients import Mode, Part
from fdx.simulate.machine import Floor, Motion, Sensor, SimulatedMachine, Structure

RATE_HZ = 20000.0


def steady_machine(seconds: float = 4.0, shaft_hz: float = 25.0, parts=(), faults=(), **changes) -> SimulatedMachine:
    """A healthy machine at a steady speed with white rolling noise, one broad resonance and a perfect sensor."""
    still = Motion(shaft_hz, (0.0,), (0.1,), (0.0,), 0.0)
    return dataclasses.replace(
        draw_machine(0, 0, 'normal', ()),
        speed_rpm=60 * shaft_hz,
        sample_rate_hz=RATE_HZ,
        duration_s=seconds,
        motion=still,
        second=dataclasses.replace(still, mean_hz=1.37 * shaft_hz),
        structure=Structure((Mode(4000.0, 0.08, (0.5, 0.5)),), (0.5, 0.5), 0.0),
        sensor=Sensor(0.05, 60000.0, 0.7, 0.45, 24, 2.0, 0.0, 1.0),
        floor=Floor(0.9, 0.0, 0.05, (), ()),
        parts=tuple(parts),
        faults=tuple(faults),
        **changes,
    )


def spectrum(samples: np.ndarray, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """(frequencies, amplitudes of sinusoids) of samples [T], by a Hann window."""
    window = np.hanning(len(samples))
    amplitude = np.abs(np.fft.rfft((samples - samples.mean()) * window)) * 2 / window.sum()
    return np.arange(len(amplitude)) * rate_hz / len(samples), amplitude


def envelope_spectrum(samples: np.ndarray, rate_hz: float, low_hz: float = 500.0) -> tuple[np.ndarray, np.ndarray]:
    """(frequencies, amplitudes) of the squared envelope above `low_hz`, over its mean."""
    transform = np.fft.fft(samples - samples.mean())
    frequency_hz = np.fft.fftfreq(len(samples), 1 / rate_hz)
    squared = np.abs(np.fft.ifft(np.where(frequency_hz > low_hz, 2 * transform, 0))) ** 2
    return spectrum(squared / squared.mean(), rate_hz)


def prominence(frequency_hz: np.ndarray, amplitude: np.ndarray, line_hz: float, tolerance: float = 0.0) -> float:
    """Largest amplitude near a line (two bins, or a relative tolerance) over the median within 15 % of it."""
    step = frequency_hz[1]
    near = np.abs(frequency_hz - line_hz) <= max(2 * step, tolerance * line_hz)
    around = np.abs(frequency_hz - line_hz) <= max(0.15 * line_hz, 30 * step)
    return float(amplitude[near].max() / np.median(amplitude[around]))


def part_of(name: str, index: int) -> Part:
    """The confounder of one machine."""
    return draw_machine(9, index, 'normal', (name,)).parts[0]
