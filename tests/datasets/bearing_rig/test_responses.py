"""Structure and sensor against their definitions in time and at their corners."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.datasets.bearing_rig import responses
from fdx.datasets.bearing_rig.machines import MACHINES, Mode, Sensor

RATE_HZ = 400_000.0


def impulse_response(modes):
    t_s = np.arange(1 << 16) / RATE_HZ
    total = np.zeros_like(t_s)
    for mode in modes:
        natural = 2 * np.pi * mode.frequency_hz
        damped = natural * np.sqrt(1 - mode.damping_ratio**2)
        total += mode.gain * np.exp(-mode.damping_ratio * natural * t_s) * np.sin(damped * t_s)
    return total


def test_structure_is_the_transform_of_damped_sinusoids():
    modes = (Mode(3000.0, 0.03, 1.0), Mode(900.0, 0.05, 0.4))
    wanted = np.fft.rfft(impulse_response(modes)) / RATE_HZ
    frequency_hz = np.fft.rfftfreq(1 << 16, 1 / RATE_HZ)
    below = frequency_hz < 10_000
    got = responses.structure_response(modes, frequency_hz[below])
    np.testing.assert_allclose(got, wanted[below], atol=2e-3 * np.abs(wanted).max())


def test_detuning_moves_the_peak():
    frequency_hz = np.arange(2000.0, 4000.0)
    peak = np.abs(responses.structure_response((Mode(3000.0, 0.01, 1.0),), frequency_hz, 1.02)).argmax()
    assert frequency_hz[peak] == pytest.approx(3060, abs=2)


@pytest.mark.parametrize('name', MACHINES)
def test_impulse_energy_is_that_of_the_impulse_response(name):
    modes = MACHINES[name].modes
    energy = np.sum(impulse_response(modes) ** 2) / RATE_HZ
    assert responses.impulse_energy(modes) == pytest.approx(energy, rel=0.1)


def test_sensor_is_flat_between_its_corners():
    sensor = Sensor(low_corner_hz=2.0, high_corner_hz=8000.0, sensitivity=0.95, noise_density_g=0.0)
    gain = np.abs(responses.sensor_response(sensor, np.array([0.0, 2.0, 200.0, 8000.0])))
    np.testing.assert_allclose(gain, [0, 0.95 / np.sqrt(2), 0.95, 0.95 / np.sqrt(2)], rtol=1e-3)


@pytest.mark.parametrize('name', MACHINES)
def test_grid_draws_the_responses_with_straight_lines(name):
    machine = MACHINES[name]
    grid_hz = responses.response_grid_hz(20480.0)
    fine_hz = np.arange(1, 10240, 0.37)

    def response(frequency_hz):
        return responses.structure_response(machine.modes, frequency_hz) * responses.sensor_response(
            machine.sensor, frequency_hz
        )

    exact = response(fine_hz)
    drawn = np.interp(fine_hz, grid_hz, response(grid_hz))
    assert np.abs(drawn - exact).max() < 2e-3 * np.abs(exact).max()
    assert np.all(np.diff(grid_hz) > 0)
    assert grid_hz[-1] >= 10240
