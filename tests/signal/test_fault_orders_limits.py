"""What fault_orders refuses, what it leaves at 0, and how one cell is read."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fdx.signal import envelope
from fdx.signal.bearings import BEARINGS
from fdx.signal.fault_orders import picture
from fdx.signal.front_ends import create_front_end, front_end_from_config
from fdx.signal.patch import Condition
from fdx.types import ConfigError, DataError

G = BEARINGS['skf_6205']


def test_bands_too_narrow_for_a_harmonic_hold_0():
    rate_hz, order_hz = 4000.0, G.bpfi * 30
    x = np.random.default_rng(0).standard_normal((4000, 1)).astype(np.float32)
    out = create_front_end('fault_orders', rate_hz)(x, rate_hz, Condition(1800.0, G))[..., 0]
    widths_hz = np.repeat(1800 / np.array([1, 2, 3, 4, 6, 8]), [1, 2, 3, 4, 6, 8])
    for h in (1, 2, 3):
        reached = widths_hz > (h + 0.5) * order_hz
        np.testing.assert_array_equal(out[:, 2 * h - 2 : 2 * h] != 0, np.stack([reached, reached], 1), err_msg=str(h))
    assert (out[:, 4] != 0).sum() == 6


def test_silence_is_a_finite_picture():
    out = create_front_end('fault_orders', 12000.0)(np.zeros((12000, 1), np.float32), 12000.0, Condition(1800.0, G))
    np.testing.assert_array_equal(out, 0)


@pytest.mark.parametrize('name', ['fault_orders', 'fault_orders_shaft', 'fault_orders_stacked', 'envelope_spectrum'])
def test_too_few_turns_are_an_error_with_the_window_that_would_do(name):
    front_end, rate_hz = create_front_end(name, 12000.0), 12000.0
    x = np.random.default_rng(0).standard_normal((60000, 1)).astype(np.float32)
    with pytest.raises(DataError, match=f'front end {name}: 1 s at 353 rpm .* 5.9 turns.* 1.7 s or') as e:
        front_end(x[:12000], rate_hz, Condition(353.0, G))
    needed = float(re.search(r'windows of ([\d.]+) s', str(e.value))[1])
    assert front_end(x[: int(needed * rate_hz * 1.001)], rate_hz, Condition(353.0, G)).shape == front_end.output_shape()


def test_what_it_needs_and_does_not_get_is_an_error():
    front_end, x = create_front_end('fault_orders', 12000.0), np.ones((12000, 1), np.float32)
    for speed_rpm in (np.nan, 0.0, -5.0, np.inf):
        with pytest.raises(DataError, match=f'speed of the shaft, .* {speed_rpm} rpm.*speed_rpm'):
            front_end(x, 12000.0, Condition(speed_rpm, G))
    with pytest.raises(DataError, match="needs the bearing's geometry.*bearing"):
        front_end(x, 12000.0, Condition(1800.0))
    with pytest.raises(DataError, match='geometry.*bearing'):
        front_end(x, 12000.0)
    with pytest.raises(DataError, match=r'one channel, .*shape \(12000, 2\)'):
        front_end(np.ones((12000, 2), np.float32), 12000.0, Condition(1800.0, G))
    with pytest.raises(DataError, match='11699 samples .*0.975 s'):
        front_end(x[:11699], 12000.0, Condition(1800.0, G))
    with pytest.raises(ConfigError, match='cannot take recordings of 3'):
        front_end.output_shape(3)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'channels': ['inner_race', 'gear']}, r"channels=\('inner_race', 'gear'\) .*inner_race, outer_race"),
        ({'channels': []}, r'channels=\(\)'),
        ({'slip': 0.3}, 'slip=0.3 lies between 0 and 0.25'),
        ({'slip': 0.0}, 'slip=0.0'),
        ({'harmonics': 0}, 'harmonics=0'),
        ({'cells': 0}, 'cells=0'),
        ({'window_s': 0.0}, 'window_s=0.0'),
        ({'layout': 'tiled'}, "layout='tiled' is image or stacked"),
        ({'layout': 'stacked', 'harmonics': 4}, r'3 channels of 8 columns .* at most 21 columns'),
    ],
)
def test_impossible_parameters_are_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        front_end_from_config({**create_front_end('fault_orders', 12000.0).config(), **change})


def test_a_picture_alone_takes_the_largest_value_of_a_cell_over_the_local_median():
    log = np.zeros((2, 400))
    log[0, [98, 99, 101, 102, 200]] = (1, 1, 3, 3, 2)
    log[1] = 5.0
    spectra = envelope.EnvelopeSpectra(np.exp(log), 1.0)
    np.testing.assert_allclose(picture(spectra, 100.0, harmonics=2), [[1, 3, 2, 2], [0, 0, 0, 0]], atol=1e-12)
