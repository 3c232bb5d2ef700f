"""The sources of vibration against their formulas, and their sum against its expected spectrum."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fdx.datasets.bearing_rig import impacts, responses, simulator, sources
from fdx.datasets.bearing_rig.machines import MACHINES


def test_harmonics_are_cosines_of_the_shaft_angle():
    machine, rate_hz, num_samples = MACHINES['rig_a'], 20480.0, 64 * 2000
    shaft = impacts.Shaft(15.0, impacts.Wander.draw(np.random.default_rng(1), 0.004))
    got = sources.harmonics(machine, 2, shaft, np.random.default_rng(2), rate_hz, num_samples)
    turns = shaft.turns(np.arange(num_samples) / rate_hz)
    phases = np.random.default_rng(2).uniform(0, 2 * np.pi, 3)
    wanted = np.zeros(num_samples)
    for order, amplitude_g, phase in zip((1, 2, 3), machine.harmonics_g, phases, strict=True):
        # The sensor's high pass (0.7 Hz) takes 0.1% at 15 Hz.
        wanted += amplitude_g * (900 / 997) ** 2 * np.cos(2 * np.pi * order * turns + phase)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, atol=2e-3 * np.abs(wanted).max())


def test_ambient_noise_has_its_density_and_colour():
    machine = MACHINES['rig_b']
    got = sources.stationary_density(machine, 2, 997.0, 1.0, np.array([100.0, 1000.0]))
    # Pink: ten times the power, so sqrt(10) times the density, a decade below 1 kHz.
    assert machine.background.colour == 1.0
    np.testing.assert_allclose(got, machine.background.ambient_density_g * np.array([10**0.5, 1]), rtol=5e-3)


def test_rolling_noise_has_its_level_behind_the_structure():
    machine, rate_hz, num_samples = MACHINES['rig_c'], 20480.0, 64 * 1600
    shaft = impacts.Shaft(997 / 60, impacts.Wander.draw(np.random.default_rng(1), 0.0))
    frequency_hz = np.fft.rfftfreq(num_samples, 1 / rate_hz)
    powers = []
    for seed in range(6):
        force = sources.forces(machine, 'normal', 2, shaft, 1.0, np.random.default_rng(seed), rate_hz, num_samples)
        spectrum = np.fft.rfft(force) * responses.structure_response(machine.modes, frequency_hz)
        powers.append(np.mean(np.fft.irfft(spectrum) ** 2))
    assert np.sqrt(np.mean(powers)) == pytest.approx(machine.background.rolling_g, rel=0.1)


@pytest.mark.parametrize('rate_hz', [20480.0, 40960.0])
@pytest.mark.parametrize('name', MACHINES)
def test_healthy_spectrum_is_the_expected_one_at_any_rate(name, rate_hz):
    machine = MACHINES[name]
    found = []
    for seed in range(8):
        samples = simulator.simulate(name, 'normal', 997.0, 2, duration_s=1.5, sample_rate_hz=rate_hz, seed=seed)
        frequency_hz, power = scipy.signal.welch(samples, rate_hz, nperseg=int(rate_hz / 10))
        found.append(10 * np.log10(power))
    path = machine.path_gain * responses.structure_response(machine.modes, frequency_hz)
    path *= responses.sensor_response(machine.sensor, frequency_hz)
    rolling = 2 * machine.background.rolling_g**2 / responses.impulse_energy(machine.modes) * np.abs(path) ** 2
    ambient = sources.stationary_density(machine, 2, 997.0, 1.0, frequency_hz) ** 2
    difference_db = np.mean(found, axis=0) - 10 * np.log10(rolling + ambient)
    for low_hz, high_hz in ((80, 250), (250, 1000), (1000, 5000), (7500, 10000)):
        band = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
        # Gain, ambient level and wander are random a recording: eight leave about half a decibel.
        assert np.mean(difference_db[band]) == pytest.approx(0, abs=1.3), (low_hz, high_hz)


def test_the_end_does_not_meet_the_start():
    # Filtering by FFT is circular: with nothing cut off, the last sample would be the first one's neighbour.
    ends = [simulator.simulate('rig_b', 'normal', 997.0, 2, duration_s=0.8, seed=s)[[0, 1, -1]] for s in range(60)]
    first, second, last = np.transpose(ends)
    assert np.corrcoef(first, second)[0, 1] > 0.5
    assert abs(np.corrcoef(first, last)[0, 1]) < 0.35
