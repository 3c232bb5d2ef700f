"""The waterfall: lines of the shaft stand at their orders, the envelope shows bursts, short recordings have none."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.order_map import MOST_ROWS, order_map
from fdx.types import DataError

RATE_HZ, SHAFT_HZ = 8000.0, 25.0


def test_lines_of_the_shaft_stand_at_their_orders():
    t = np.arange(int(8 * RATE_HZ)) / RATE_HZ
    x = np.sin(2 * np.pi * 3 * SHAFT_HZ * t) + 0.01 * np.random.default_rng(0).standard_normal(len(t))
    found = order_map(x, RATE_HZ, 10.0, SHAFT_HZ)
    assert found.in_orders and found.spectrum.shape == (len(found.times_s), len(found.axis))
    assert found.axis[found.spectrum.argmax(axis=1)] == pytest.approx(3.0, abs=0.05)
    assert found.axis[-1] == pytest.approx(10.0, abs=0.1)
    assert 0 < found.times_s[0] < found.times_s[-1] < 8


def test_the_envelope_shows_bursts_from_when_they_begin():
    t = np.arange(int(8 * RATE_HZ)) / RATE_HZ
    bursts = np.where((t > 4) & (np.mod(t * 3.6 * SHAFT_HZ, 1) < 0.15), 4.0, 1.0)
    found = order_map(np.random.default_rng(1).standard_normal(len(t)) * bursts, RATE_HZ, 12.0, SHAFT_HZ)
    line = found.envelope[:, np.abs(found.axis - 3.6).argmin()]
    assert np.median(line[found.times_s > 4.5]) > np.median(line[found.times_s < 3.5]) + 1.5


def test_without_a_speed_the_axis_is_in_hz():
    t = np.arange(int(4 * RATE_HZ)) / RATE_HZ
    found = order_map(np.sin(2 * np.pi * 1000 * t), RATE_HZ, 4000.0)
    assert not found.in_orders
    assert found.axis[found.spectrum[3].argmax()] == pytest.approx(1000.0, abs=5)


def test_long_and_short_recordings():
    rng = np.random.default_rng(2)
    assert len(order_map(rng.standard_normal(600_000), RATE_HZ, 10.0, SHAFT_HZ).times_s) == MOST_ROWS
    assert order_map(rng.standard_normal(2560), 25600.0, 10.0, 30.0) is None
    assert order_map(rng.standard_normal(100), 25600.0, 10000.0) is None
    assert np.isfinite(order_map(np.zeros(80_000), RATE_HZ, 10.0, SHAFT_HZ).spectrum).all()
    with pytest.raises(DataError, match='channel'):
        order_map(rng.standard_normal((100, 2)), RATE_HZ, 10.0)
