"""The simulated healthy motor beside the real one: file 01 of the Electric Motor Vibrations Dataset."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fdx.datasets.motor_rig import clock, measured, simulator
from fdx.datasets.motor_rig.conditions import Condition
from fdx.datasets.motor_rig.nuisance import Nuisance

NAME = '01 - m1_half_shaft_speed_no_mechanical_load.csv'
OCTAVES_HZ = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@pytest.fixture(scope='module')
def real(raw_data):
    """(timestamps in us, counts [T, 3]) of the real file."""
    rows = np.loadtxt(raw_data / 'soon' / NAME, delimiter=',', skiprows=1)
    return rows[:, 0].astype(np.int64), rows[:, 1:]


@pytest.fixture(scope='module')
def simulated():
    """Three recordings of 60 s as the datasets draw them, and one typical of 200 s."""
    drawn = [simulator.simulate('motor_a', Condition(), duration_s=60.0, seed=s) for s in range(3)]
    nuisance = Nuisance.typical()
    return [*drawn, simulator.simulate('motor_a', Condition(), duration_s=200.0, seed=0, nuisance=nuisance)]


def spectrum(timestamps_us, counts):
    """Welch spectrum (Hz, counts^2 / Hz [F, 3]) on the even grid, without gravity."""
    even = clock.on_even_grid(timestamps_us, counts).astype(np.float64)
    return scipy.signal.welch(even - even.mean(axis=0), clock.GRID_RATE_HZ, nperseg=4096, axis=0)


def octave_levels_db(frequency_hz, power):
    edges = zip(OCTAVES_HZ[:-1], OCTAVES_HZ[1:], strict=True)
    return 10 * np.log10([power[(frequency_hz >= a) & (frequency_hz < b)].mean(axis=0) for a, b in edges])


def peak_hz(frequency_hz, power, low_hz, high_hz):
    inside = np.flatnonzero((frequency_hz > low_hz) & (frequency_hz < high_hz))
    return frequency_hz[inside[power[inside].argmax()]]


def test_levels_gravity_and_peaks(real, simulated):
    real_std = real[1].std(axis=0)
    real_crest = np.abs(real[1] - real[1].mean(axis=0)).max(axis=0) / real_std
    for reading in simulated:
        mean, std = reading.counts.mean(axis=0), reading.counts.std(axis=0)
        assert np.all(np.abs(np.log(std / real_std)) < np.log(1.35)), std / real_std
        assert mean[2] == pytest.approx(real[1][:, 2].mean(), rel=0.03)
        assert np.abs(mean[:2]).max() < 700
        crest = np.abs(reading.counts - mean).max(axis=0) / std
        np.testing.assert_allclose(crest, real_crest, rtol=0.25)
        # The real one has an excess kurtosis of -0.2, 0.5 and -0.1: tones and Gaussian noise, no shocks.
        assert np.all(np.abs(scipy.stats.kurtosis(reading.counts)) < 0.8)


@pytest.fixture(scope='module')
def spectra(real, simulated):
    """Spectra of the real file, and of each simulated recording."""
    return spectrum(*real), [spectrum(r.timestamps_us, r.counts) for r in simulated]


def test_octave_levels(spectra):
    wanted = octave_levels_db(*spectra[0])
    *drawn, typical = (octave_levels_db(*found) - wanted for found in spectra[1])
    assert np.abs(typical).max() < 2.5, typical.round(1)
    for difference in drawn:
        assert np.abs(difference).max() < 4, difference.round(1)


def test_dominant_lines(spectra):
    (frequency_hz, real_power), (_, power) = spectra[0], spectra[1][-1]
    # The tone that stands still is the strongest of all; the shaft's 1x; the strongest bearing tone.
    assert frequency_hz[real_power[:, 0].argmax()] == pytest.approx(measured.TONES[0].frequency_hz, abs=0.13)
    assert frequency_hz[power[:, 0].argmax()] == pytest.approx(measured.TONES[0].frequency_hz, abs=0.13)
    for low_hz, high_hz in ((21, 25), (107, 114)):
        wanted = peak_hz(frequency_hz, real_power[:, 2], low_hz, high_hz)
        assert peak_hz(frequency_hz, power[:, 2], low_hz, high_hz) == pytest.approx(wanted, rel=0.006)
        # Along each axis the line is as strong as in the real file.
        near = np.abs(frequency_hz - wanted) < 1.0
        ratio = power[near].sum(axis=0) / real_power[near].sum(axis=0)
        assert np.all(np.abs(10 * np.log10(ratio)) < 3), (wanted, ratio)


def test_axes_move_together_as_in_the_real_file(real, simulated):
    wanted = np.corrcoef(real[1].T)
    found = np.corrcoef(simulated[3].counts.T)
    assert found[0, 2] == pytest.approx(wanted[0, 2], abs=0.12)
    np.testing.assert_allclose(found, wanted, atol=0.2)


def test_clock(real, simulated):
    real_steps = np.diff(real[0])
    digits = np.char.str_len(real[0].astype(str))[:-1]
    for reading in simulated:
        steps = np.diff(reading.timestamps_us)
        assert reading.timestamps_us[0] >= 2_000_000
        assert np.all(steps % 4 == 0)
        own_digits = np.char.str_len(reading.timestamps_us.astype(str))[:-1]
        for count in np.unique(own_digits):
            like, own = real_steps[digits == count], steps[own_digits == count]
            assert own.mean() == pytest.approx(like.mean(), abs=4)
            if len(own) > 500:
                assert own.std() == pytest.approx(like.std(), rel=0.2)
    assert 525 < 1e6 / np.median(real_steps) < 540
    assert 525 < 1e6 / np.median(np.diff(simulated[3].timestamps_us)) < 540
