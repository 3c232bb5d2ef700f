"""What a checkpoint remembers of its training data, and what lies outside of it."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from fdx.data.training_range import TrainingRange, signal_range, table_range
from fdx.types import Recording

RANGE = signal_range(np.linspace(0.1, 1.0, 91), np.array([1730.0, math.nan, 1797.0]), 'g', ())


def recording(**changes):
    return dataclasses.replace(Recording(np.zeros((2, 1), np.float32), 1.0, 'r', '', '', '', ''), **changes)


def test_quantiles_of_each_channel():
    levels = np.stack([np.arange(101.0), 10 * np.arange(101.0)], axis=1)
    found = signal_range(levels, np.full(101, math.nan), 'counts', ('x', 'y'))
    assert found.level == ((0.0, 5.0, 50.0, 95.0, 100.0), (0.0, 50.0, 500.0, 950.0, 1000.0))
    assert found.speed_rpm is None
    assert TrainingRange.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert RANGE.speed_rpm == (1730.0, 1797.0)


@pytest.mark.parametrize(
    ('level', 'words'),
    [
        (0.5, ()),
        (1.9, ()),
        (9.8, ("level 9.8 x training's maximum",)),
        (1000.0, ("level 1e+03 x training's maximum",)),
        (0.06, ()),
        (0.001, ("level 0.01 x training's minimum",)),
        (math.nan, ()),
    ],
)
def test_levels_outside_training_are_named(level, words):
    assert RANGE.outside_level(np.array([level])) == words


def test_windows_and_recording_are_judged_by_themselves():
    levels = np.array([[0.5], [20.0], [0.5], [math.nan]])
    windows, whole = RANGE.outside_windows_and_recording(levels, recording(unit='g', speed_rpm=1750.0))
    assert windows == ((), ("level 20 x training's maximum",), (), ())
    assert whole == ()
    _, whole = RANGE.outside_windows_and_recording(20 * levels[:1], recording(unit='counts', speed_rpm=1000.0))
    assert whole == (
        "level 10 x training's maximum",
        'unit counts, training had g',
        "speed 1000 rpm, training's were 1730 to 1797",
    )
    # Within five percent of the speeds; of dead windows and of an older checkpoint nothing is said.
    assert RANGE.outside_windows_and_recording(levels[:1], recording(speed_rpm=1850.0))[1] == ()
    assert RANGE.outside_windows_and_recording(levels[3:], recording())[1] == ()
    empty = TrainingRange.from_json(None)
    assert empty.outside_windows_and_recording(1e9 * levels, recording(unit='counts'))[1] == ()


def test_channels_are_named():
    found = signal_range(np.ones((5, 3)), np.full(5, math.nan), '', ('AccX', 'AccY', 'AccZ'))
    assert found.outside_level(np.array([1.0, 5.0, 0.1])) == (
        "level of AccY 5 x training's maximum",
        "level of AccZ 0.1 x training's minimum",
    )


def test_columns_of_a_table():
    found = table_range(np.array([[1000.0, 20.0], [2000.0, 40.0]]), ('rpm', 'temperature_c'))
    assert TrainingRange.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.outside_columns({'rpm': 2090.0, 'temperature_c': 18.5}) == []
    assert found.outside_columns({'rpm': 3e38, 'temperature_c': 10.0}) == [
        "rpm 3e+38 above training's maximum 2000",
        "temperature_c 10 below training's minimum 20",
    ]
