"""The same fault gives the same picture on every machine, and what may move without changing it."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import scipy.signal

from fdx.signal import envelope
from fdx.signal.bearings import BEARINGS
from fdx.signal.fault_orders import CHANNELS
from fdx.signal.front_ends import create_front_end
from fdx.signal.patch import Condition
from fdx.types import BearingGeometry

FAULTS = ('inner_race', 'outer_race', 'ball')
MACHINES = tuple(range(6))
G = BEARINGS['skf_6205']


def machine(number):
    """(geometry, speed in rpm, rate in Hz, resonance in Hz) of a machine like no other."""
    rng = np.random.default_rng(100 + number)
    pitch = rng.uniform(30, 300)
    geometry = BearingGeometry(pitch, pitch * rng.uniform(0.12, 0.28), int(rng.integers(7, 15)), rng.uniform(0, 40))
    rate_hz = float(rng.choice([12000, 16000, 20480, 25600, 48000]))
    return geometry, rng.uniform(1000, 2400), rate_hz, rng.uniform(0.15, 0.35) * rate_hz


def impacts(line_hz, rate_hz, resonance_hz, seed, *, seconds=1.0, noise=0.1, jitter=0.01):
    """Strikes at a rate with jitter, each ringing a resonance, in white noise: float32 [T, 1]."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * rate_hz)
    gaps = (1 + jitter * rng.standard_normal(int(seconds * line_hz * 1.2) + 5)) / line_hz
    at = (np.cumsum(gaps) * rate_hz).astype(int)
    train = np.bincount(at[at < samples], minlength=samples).astype(float)
    t = np.arange(int(0.01 * rate_hz)) / rate_hz
    ringing = np.exp(-0.05 * 2 * np.pi * resonance_hz * t) * np.sin(2 * np.pi * resonance_hz * t)
    x = np.convolve(train, ringing)[:samples] + noise * 0.2 * rng.standard_normal(samples)
    return x.astype(np.float32)[:, None]


@functools.cache
def image(number, fault, name='fault_orders', slip=None):
    """The front end's image of a simulated machine."""
    geometry, speed_rpm, rate_hz, resonance_hz = machine(number)
    seed = 10 * number + FAULTS.index(fault)
    slip = np.random.default_rng(seed).uniform(-0.015, 0.015) if slip is None else slip
    line_hz = CHANNELS[fault](geometry) * speed_rpm / 60 * (1 + slip)
    x = impacts(line_hz, rate_hz, resonance_hz, seed)
    return create_front_end(name, rate_hz)(x, rate_hz, Condition(speed_rpm, geometry))


def correlations(change=lambda picture: picture, slip=None):
    """Correlations of the pictures of every two machines: (with the same fault, with different ones)."""
    pictures = {(m, f): change(image(m, f, slip=slip)).ravel() for m in MACHINES for f in FAULTS}
    found = {True: [], False: []}
    for (m, f), a in pictures.items():
        for (n, g), b in pictures.items():
            if m < n:
                found[f == g].append(np.corrcoef(a, b)[0, 1])
    return np.array(found[True]), np.array(found[False])


def test_the_same_fault_gives_the_same_picture_on_machines_that_share_nothing():
    same, different = correlations(slip=-0.01)
    assert same.shape == (45,)
    # Measured: 0.60 to 0.90 against -0.5 to 0.0. What differs is the bands that the resonance lies in.
    assert (same.min(), np.median(same)) > (0.5, 0.7)
    assert different.max() < 0.1


def test_with_slip_to_either_side_it_is_the_same_where_a_harmonic_counts_once():
    # The cells of a harmonic tell the sign of the slip: where it is random, their larger one is compared.
    same, different = correlations(lambda picture: picture.reshape(24, 3, 2, 3).max(axis=2))
    # Measured: 0.63 to 0.93 against -0.7 to 0.0.
    assert same.min() > 0.5
    assert np.median(same) > 0.75
    assert different.max() < 0.1


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('number', MACHINES)
def test_the_channel_of_the_fault_is_the_brightest(number, fault):
    means = image(number, fault).mean(axis=(0, 1))
    others = np.delete(means, FAULTS.index(fault))
    assert means[FAULTS.index(fault)] > 1.3 * others.max()
    assert image(number, fault)[:, :2, FAULTS.index(fault)].max() > 2.5  # twelve times the background


@pytest.mark.parametrize('number', MACHINES)
def test_a_line_two_percent_off_is_seen_and_one_four_percent_off_is_not(number):
    outer = {s: image(number, 'outer_race', slip=s)[..., 1].mean() for s in (0.0, -0.02, 0.02, -0.04, 0.04)}
    # 0.55 is what noise has in channels without a fault: the largest value of a cell lies above the median.
    assert outer[0.0] > 1.6
    assert min(outer[-0.02], outer[0.02]) > 0.9
    assert max(outer[-0.04], outer[0.04]) < 0.8
    # The sign of the slip is in the picture: the lower cells of harmonics that are early, the upper ones of others.
    for slip, bright in ((-0.015, 0), (0.015, 1)):
        cells = image(number, 'outer_race', slip=slip)[..., 1].reshape(24, 3, 2).mean(axis=(0, 1))
        assert cells.argmax() == bright


@pytest.mark.parametrize('rate_hz', [8000.0, 9999.5, 25600.0, 51200.0])
def test_any_sampling_rate_will_do(rate_hz):
    x = impacts(G.bpfo * 30, rate_hz, 0.2 * rate_hz, seed=5)
    out = create_front_end('fault_orders', 12000.0)(x, rate_hz, Condition(1800.0, G))
    assert (out.shape, out.dtype) == ((24, 6, 3), np.float32)
    assert out.mean(axis=(0, 1)).argmax() == 1


def oracle(x, rate_hz, order_hz, low, high):
    """Six columns of one band, from a Hilbert envelope at the full rate: plain NumPy, slip 0.02 and three harmonics."""
    spectrum = np.fft.fft(x - x.mean())
    last = int(0.9 * (len(x) // 2))
    first, end = max(1, round(low * last)), round(high * last)
    analytic = np.zeros(len(x), complex)
    analytic[first:end] = np.exp(1j * np.angle(spectrum[first:end]))
    squared = np.abs(np.fft.ifft(analytic)) ** 2
    magnitudes = np.abs(np.fft.rfft((squared - squared.mean()) * np.hanning(len(x) + 1)[:-1], 2 * len(x)))
    log = np.log(np.maximum(magnitudes, 1e-30))
    hz = np.arange(len(x) + 1) * rate_hz / len(x) / 2
    cells = []
    for h in (1, 2, 3):
        around = (hz >= (h - 0.5) * order_hz) & (hz <= (h + 0.5) * order_hz)
        for a, b in ((0.98, 1.0), (1.0, 1.02)):
            points = np.linspace(a, b, max(2, int((b - a) * h * order_hz / hz[1]) + 2)) * h * order_hz
            cells.append(np.interp(points, hz, log).max() - np.median(log[around]))
    return np.array(cells)


def test_pictures_are_those_of_a_plain_envelope_spectrum():
    geometry, speed_rpm, rate_hz, resonance_hz = machine(4)
    x = impacts(50.0, rate_hz, resonance_hz, seed=9)
    found = create_front_end('fault_orders_shaft', rate_hz)(x, rate_hz, Condition(speed_rpm, geometry))
    orders = (geometry.bpfi, geometry.bpfo, 2 * geometry.bsf, geometry.ftf, 1.0)
    edges = envelope.band_edges()
    tapered = (x - x.mean()).astype(np.float64) * scipy.signal.windows.tukey(len(x), 0.1)[:, None]
    for c, order in enumerate(orders):
        for band in (0, 2, 5, 8, 12):
            wanted = oracle(tapered[:, 0], rate_hz, order * speed_rpm / 60, *edges[band])
            np.testing.assert_allclose(found[band, :, c], wanted, atol=2e-3, err_msg=f'{c} {band}')


def test_the_shaft_variant_adds_cage_and_shaft_behind_the_same_channels():
    three, five = image(1, 'ball'), image(1, 'ball', name='fault_orders_shaft')
    assert five.shape == (24, 6, 5)
    np.testing.assert_array_equal(five[..., :3], three)
    front_end = create_front_end('fault_orders_shaft', 12000.0)
    assert front_end.panels(1) == ['inner_race', 'outer_race', 'ball', 'cage', 'shaft']
    # Knocks once a turn are the shaft's.
    x = impacts(30.0, 12000.0, 3000.0, seed=2, jitter=0.0, seconds=2.0)
    means = front_end(x, 12000.0, Condition(1800.0, G)).mean(axis=(0, 1))
    assert means.argmax() == 4


def test_the_stacked_picture_is_the_image_side_by_side():
    plain, stacked = image(2, 'inner_race'), image(2, 'inner_race', name='fault_orders_stacked')
    assert (stacked.shape, stacked.dtype) == ((96, 64, 1), np.float32)
    for row in range(96):
        for column in range(54):
            cell = column // 3
            assert stacked[row, column, 0] == plain[row // 4, cell % 6, cell // 6]
    assert (stacked[:, 54:] == 0).all()


def test_amplitude_has_no_part_in_it():
    geometry, speed_rpm, rate_hz, resonance_hz = machine(0)
    front_end, x = create_front_end('fault_orders', rate_hz), impacts(80.0, rate_hz, resonance_hz, seed=0)
    condition = Condition(speed_rpm, geometry)
    out = front_end(x, rate_hz, condition)
    np.testing.assert_allclose(front_end(512 * x, rate_hz, condition), out, atol=1e-5)
    np.testing.assert_allclose(front_end(-x + 2, rate_hz, condition), out, atol=1e-2)
    assert front_end.with_gain(out, 3.0) is out
