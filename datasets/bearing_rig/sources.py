"""What vibrates in a machine: forces in the bearing, ambient noise with the sensor's own, and the turning shaft."""

from __future__ import annotations

import math

import numpy as np

from . import impacts
from .machines import REFERENCE_SPEED_RPM, Machine
from .responses import impulse_energy, sensor_response

# Samples (3 ms) over which slow changes count as constant, or as a straight line.
BLOCK = 64

# Slow changes inside a recording, as bounds of a natural log: of the defect's strikes and of the rolling noise.
STRIKE_WANDER = 0.3
ROLLING_WANDER = 0.3

# These exponents are choices, not laws. Noise of rolling grows almost linearly with speed and slowly with load; noise
# from elsewhere (drive, floor) depends less on speed and hardly on load.
ROLLING_SPEED_EXPONENT, ROLLING_LOAD_EXPONENT = 0.9, 0.3
AMBIENT_SPEED_EXPONENT, AMBIENT_LOAD_EXPONENT = 0.6, 0.1


def forces(
    machine: Machine,
    state: str,
    load_case: int,
    shaft: impacts.Shaft,
    severity: float,
    rng: np.random.Generator,
    rate_hz: float,
    num_samples: int,
) -> np.ndarray:
    """Forces in the bearing, float32 [T]: rolling noise, and the impacts of a damaged race."""
    block_s = np.arange(num_samples // BLOCK) * (BLOCK / rate_hz)
    speed = shaft.rate_hz * 60 / REFERENCE_SPEED_RPM
    load = impacts.relative_load(machine, load_case)
    rms_g = machine.background.rolling_g * speed**ROLLING_SPEED_EXPONENT * load**ROLLING_LOAD_EXPONENT
    level = rms_g * math.sqrt(rate_hz / impulse_energy(machine.modes))
    envelope = level * np.exp(impacts.Wander.draw(rng, ROLLING_WANDER).value(block_s))
    total = rng.standard_normal((num_samples // BLOCK, BLOCK), np.float32)
    total *= envelope.astype(np.float32)[:, None]
    total = total.ravel()
    if state != 'normal':
        times_s = impacts.impact_times(machine, state, shaft, num_samples / rate_hz, rng)
        strengths = severity * impacts.impact_strengths(machine, state, load_case, shaft, times_s, rng)
        strengths *= np.exp(impacts.Wander.draw(rng, STRIKE_WANDER).value(times_s))
        width_s = machine.impact_s * (machine.inner_impact_ratio if state == 'inner_race' else 1.0)
        total += impacts.force(times_s, strengths, width_s, rate_hz, num_samples)
    return total


def stationary_density(
    machine: Machine, load_case: int, speed_rpm: float, factor: float, grid_hz: np.ndarray
) -> np.ndarray:
    """Density [F] in g per root hertz, as read, of the noise that does not come from the bearing.

    It is coloured ambient noise, filtered by the sensor, and the sensor's own noise. Both are Gaussian and independent,
    so their powers add and one draw serves both.
    """
    density = machine.background.ambient_density_g * factor
    density *= (speed_rpm / REFERENCE_SPEED_RPM) ** AMBIENT_SPEED_EXPONENT
    density *= impacts.relative_load(machine, load_case) ** AMBIENT_LOAD_EXPONENT
    # Flat below 5 Hz, because nothing radiates there and a power law would grow without bound.
    colour = (np.maximum(grid_hz, 5.0) / 1000) ** (-machine.background.colour / 2)
    ambient = density * colour * np.abs(sensor_response(machine.sensor, grid_hz))
    return np.hypot(ambient, machine.sensor.noise_density_g)


def harmonics(
    machine: Machine,
    load_case: int,
    shaft: impacts.Shaft,
    rng: np.random.Generator,
    rate_hz: float,
    num_samples: int,
) -> np.ndarray:
    """Shaft harmonics, float32 [T]: unbalance (1x) grows as speed squared, misalignment (2x, 3x) with load too.

    Within a block of samples the shaft turns at its mean rate and its wander is a straight line, so a harmonic is the
    product of one phasor per block and one per sample: a small matrix product in place of a cosine per sample.
    """
    speed = shaft.rate_hz * 60 / REFERENCE_SPEED_RPM
    load = impacts.relative_load(machine, load_case)
    edges_s = np.arange(num_samples // BLOCK + 1) * (BLOCK / rate_hz)
    orders = np.arange(1, 4)
    levels = np.array(machine.harmonics_g) * speed**2 * (0.5 + 0.5 * load) ** np.array([0.2, 1.0, 1.0])
    levels *= np.abs(sensor_response(machine.sensor, orders * shaft.rate_hz))
    phases = rng.uniform(0, 2 * np.pi, orders.size)
    carrier = np.exp(2j * np.pi * np.outer(edges_s * shaft.rate_hz, orders))
    wander = levels * np.exp(
        1j * (2 * np.pi * np.outer(shaft.rate_hz * shaft.wander.integral(edges_s), orders) + phases)
    )
    start, slope = (wander * carrier)[:-1], (np.diff(wander, axis=0) * carrier[:-1])
    within = np.exp(2j * np.pi * np.outer(orders, np.arange(BLOCK) * (shaft.rate_hz / rate_hz)))
    ramp = within * (np.arange(BLOCK) / BLOCK)
    left = np.concatenate([start.real, start.imag, slope.real, slope.imag], axis=1)
    right = np.concatenate([within.real, -within.imag, ramp.real, -ramp.imag], axis=0)
    return (left.astype(np.float32) @ right.astype(np.float32)).ravel()
