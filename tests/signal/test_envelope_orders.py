"""The envelope spectrum in shaft orders: lines where they belong at any speed and rate, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from fdx.signal.front_ends import create_front_end, front_end_from_config
from fdx.signal.patch import Condition
from fdx.types import ConfigError, DataError

ORDERS = 17.0 / 1024 * np.arange(1, 1025)


def struck(order, speed_rpm, rate_hz, seconds=1.0):
    """A resonance struck `order` times a turn, in noise: float32 [T, 1]."""
    samples = round(seconds * rate_hz)
    at = np.arange(0, seconds, 60 / speed_rpm / order)
    train = np.bincount((at * rate_hz).astype(int), minlength=samples)[:samples]
    t = np.arange(int(0.005 * rate_hz)) / rate_hz
    ringing = np.exp(-t / 8e-4) * np.sin(2 * np.pi * 0.22 * rate_hz * t)
    noise = 0.02 * np.random.default_rng(1).standard_normal(samples)
    return (np.convolve(train, ringing)[:samples] + noise).astype(np.float32)[:, None]


@pytest.mark.parametrize(('speed_rpm', 'rate_hz'), [(1797.0, 12000.0), (700.0, 20480.0), (2900.0, 9999.5)])
@pytest.mark.parametrize('order', [1.0, 3.585, 5.415])
def test_lines_lie_at_the_order_and_its_multiples_whatever_speed_and_rate(order, speed_rpm, rate_hz):
    front_end = create_front_end('envelope_spectrum', rate_hz)
    out = front_end(struck(order, speed_rpm, rate_hz), rate_hz, Condition(speed_rpm))
    assert (out.shape, out.dtype) == ((1024, 1, 1), np.float32)
    # Half a bin of 1 s, and half a point: the spectrum's own resolution.
    resolution = 0.5 / (speed_rpm / 60) + 17 / 1024
    for h in range(1, int(17 / order)):
        near = np.abs(ORDERS - h * order) < 0.45 * order
        found = ORDERS[near][out[near, 0, 0].argmax()]
        assert found == pytest.approx(h * order, abs=resolution), h
        assert out[near].max() > 3, h


def test_values_are_the_logarithms_of_a_plain_squared_envelope_over_their_median():
    speed_rpm, rate_hz = 1772.0, 12000.0
    x = struck(3.585, speed_rpm, rate_hz)
    # 0 Hz to 0.9 of Nyquist by SciPy's Hilbert transform at the full rate, padded to twice the length.
    # The ends of the window are brought to 0 over a tenth of its length.
    spectrum = np.fft.rfft((x[:, 0] - x.mean(dtype=np.float64)) * scipy.signal.windows.tukey(12000, 0.1))
    spectrum[0], spectrum[5400:] = 0, 0
    squared = np.abs(scipy.signal.hilbert(np.fft.irfft(spectrum, 12000))) ** 2
    log = np.log(np.maximum(np.abs(np.fft.rfft((squared - squared.mean()) * np.hanning(12001)[:-1], 24000)), 1e-30))
    hz = np.arange(12001) * 0.5
    below = (hz > 0) & (hz <= 17 * speed_rpm / 60)
    wanted = np.interp(ORDERS * speed_rpm / 60, hz, log) - np.median(log[below])
    out = create_front_end('envelope_spectrum', rate_hz)(x, rate_hz, Condition(speed_rpm))
    np.testing.assert_allclose(out[:, 0, 0], wanted, atol=1e-3)


def test_amplitude_and_offset_have_no_part_in_it():
    front_end, x, condition = create_front_end('envelope_spectrum', 12000.0), struck(4, 1800, 12000), Condition(1800.0)
    out = front_end(x, 12000.0, condition)
    np.testing.assert_allclose(front_end(-256 * x, 12000.0, condition), out, atol=1e-5)
    np.testing.assert_allclose(front_end(x + 4, 12000.0, condition), out, atol=1e-2)
    assert front_end.with_gain(out, 3.0) is out
    assert front_end.hop_s == pytest.approx(17 / 1024)


def test_what_it_cannot_take_is_an_error():
    front_end, x = create_front_end('envelope_spectrum', 12000.0), struck(4, 1800, 12000)
    for speed_rpm in (np.nan, 0.0, -5.0):
        with pytest.raises(DataError, match=f'front end envelope_spectrum .*speed .* {speed_rpm} rpm'):
            front_end(x, 12000.0, Condition(speed_rpm))
    with pytest.raises(DataError, match='takes one channel'):
        front_end(np.ones((12000, 3), np.float32), 12000.0, Condition(1800.0))
    with pytest.raises(DataError, match='11699 samples .*0.975 s'):
        front_end(x[:11699], 12000.0, Condition(1800.0))
    # 0.9 x 500 Hz hold order 17 of 1500 rpm, not of 1800 rpm.
    slow = np.random.default_rng(0).standard_normal((1000, 1)).astype(np.float32)
    assert front_end(slow, 1000.0, Condition(1500.0)).shape == (1024, 1, 1)
    with pytest.raises(DataError, match='1000 Hz .*order 17 .*1800 rpm'):
        front_end(slow, 1000.0, Condition(1800.0))
    with pytest.raises(ConfigError, match='cannot take recordings of 3'):
        front_end.output_shape(3)


@pytest.mark.parametrize('change', [{'points': 0}, {'max_order': 0.0}, {'window_s': -1.0}])
def test_impossible_parameters_are_refused(change):
    ((name, value),) = change.items()
    with pytest.raises(ConfigError, match=f'{name}={value}'):
        front_end_from_config({**create_front_end('envelope_spectrum', 12000.0).config(), **change})
