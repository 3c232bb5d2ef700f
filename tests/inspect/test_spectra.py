"""The step of values, the noise floor and the edge of a band, on signals that have known ones."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fdx.inspect.spectra import noise_and_edge, value_step

RATE_HZ = 16000.0


def white(seed: int = 0, seconds: float = 2.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize('step', [0.01, 1.0, 2.5e-4, 3.05e-5])
def test_the_step_of_rounded_values(step):
    x = (np.round(white() / step) * step + 0.3).astype(np.float32)
    assert value_step(x) == pytest.approx(step, rel=1e-3)


def test_values_that_single_precision_alone_rounds_have_no_step():
    assert value_step(white()) is None
    assert value_step(np.ones(100, np.float32)) is None
    # 24 bits around an offset of 1000: the step is below what float32 keeps.
    assert value_step((np.round(white() / 1e-5) * 1e-5 + 1000).astype(np.float32)) is None


def test_a_converter_that_leaves_values_out_still_has_its_step():
    x = np.round(40 * white()) * 3.0
    assert value_step(x[np.abs(x) > 20].astype(np.float32)) == pytest.approx(3.0)


def test_the_floor_of_white_noise_is_its_density():
    floor, edge = noise_and_edge(white(), RATE_HZ)
    assert floor == pytest.approx(np.sqrt(2 / RATE_HZ), rel=0.25)
    assert edge == RATE_HZ / 2


def test_the_floor_is_read_between_impacts_and_beside_lines():
    quiet, _ = noise_and_edge(0.01 * white(), RATE_HZ)
    t = np.arange(32000) / RATE_HZ
    ringing = np.exp(-((t % 0.1) / 0.004)) * np.sin(2 * np.pi * 3000 * t)
    loud, edge = noise_and_edge((0.01 * white() + 3 * ringing + np.sin(2 * np.pi * 30 * t)).astype(np.float32), RATE_HZ)
    assert loud == pytest.approx(quiet, rel=0.5)
    assert edge == RATE_HZ / 2


def test_dead_stretches_are_no_floor():
    x = white()
    whole, _ = noise_and_edge(x, RATE_HZ)
    x[8000:20000] = 0
    assert noise_and_edge(x, RATE_HZ)[0] == pytest.approx(whole, rel=0.2)


@pytest.mark.parametrize('up', [2, 4])
def test_an_upsampled_signal_ends_where_it_ended(up):
    x = scipy.signal.resample_poly(white().astype(np.float64), up, 1).astype(np.float32)
    assert noise_and_edge(x, up * RATE_HZ)[1] == pytest.approx(RATE_HZ / 2, rel=0.12)


def test_a_low_pass_is_an_edge_and_a_resonance_is_none():
    steep = scipy.signal.butter(10, 3000, fs=RATE_HZ, output='sos')
    assert noise_and_edge(scipy.signal.sosfilt(steep, white()).astype(np.float32), RATE_HZ)[1] == pytest.approx(
        3500, rel=0.15
    )
    b, a = scipy.signal.iirpeak(2000, 30, fs=RATE_HZ)
    loud = 30 * scipy.signal.lfilter(b, a, white(1)) + 0.1 * white(2)
    assert noise_and_edge(loud.astype(np.float32), RATE_HZ)[1] == RATE_HZ / 2


@pytest.mark.parametrize('samples', [1, 20, 130, 1000])
def test_short_signals_have_no_floor_or_a_finite_one(samples):
    floor, edge = noise_and_edge(white()[:samples], RATE_HZ)
    assert edge == RATE_HZ / 2
    assert np.isfinite(floor) == (samples >= 128)
