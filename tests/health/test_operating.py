"""Operating states: known ones, a law between them, and what lies outside."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.operating import LAW, ONE, STATES, fit_centre, lay_out
from fdx.health.sample import Sample
from fdx.types import DataError


def sample_at(speeds, loads=np.nan, slope=3.0, seed=0) -> Sample:
    rng = np.random.default_rng(seed)
    speeds = np.asarray(speeds, float)
    values = slope * np.log2(speeds / 1000)[:, None] + rng.standard_normal((len(speeds), 4))
    return Sample.of(list(values), None, speeds, loads)


def test_without_speed_and_load_there_is_one_state():
    layout, kept = lay_out(Sample.of(list(np.zeros((8, 3)))))
    assert layout.kind == ONE and kept.all()
    assert layout.outside(1234.0, np.nan) == '' and layout.outside(np.nan, 3.0) == ''


def test_speeds_that_return_are_states_and_a_new_one_is_outside(says):
    sample = sample_at([600] * 6 + [1500, 1510, 1495, 1505, 1500, 1490])
    layout, kept = lay_out(sample)
    assert layout.kind == STATES and kept.all() and layout.words() == '600 and 1490 to 1510 rpm'
    assert layout.state_of(np.array([605.0, 1512.0, 1000.0]), np.full(3, np.nan)).tolist() == [0, 1, -1]
    assert says(layout.outside(1000.0, np.nan), '1000 rpm ... never recorded')
    assert says(layout.outside(np.nan, np.nan), 'speed is not known ... `speed_rpm`')
    centre = fit_centre(layout, sample)
    assert centre.of(sample)[0] == pytest.approx(sample.values[:6].mean(axis=0))


def test_loads_make_states_of_their_own(says):
    sample = sample_at([1500] * 12, [0.0] * 6 + [10.0] * 6)
    layout, _ = lay_out(sample)
    assert len(layout.loads) == 2
    assert says(layout.outside(1500.0, 5.0), 'load 5')
    assert layout.outside(1500.0, 10.2) == ''


def test_a_state_with_too_few_recordings_is_left_out():
    layout, kept = lay_out(sample_at([600] * 20 + [1500] * 2))
    assert layout.kind == STATES and kept.tolist() == [True] * 20 + [False] * 2
    assert layout.outside(1500.0, np.nan)


def test_speeds_that_vary_freely_make_a_law():
    speeds = np.geomspace(600, 3000, 60)
    sample = sample_at(speeds)
    layout, kept = lay_out(sample)
    assert layout.kind == LAW and kept.all()
    rest = sample.values - fit_centre(layout, sample).of(sample)
    assert rest.std() < 1.1 < sample.values.std()
    assert layout.outside(1200.0, np.nan) == '' and layout.outside(4000.0, np.nan)


def test_too_few_for_their_states_say_what_to_do(says):
    with pytest.raises(DataError) as e:
        lay_out(sample_at([600, 900, 1300, 1800, 2400, 3000]))
    assert says(str(e.value), '6 recordings ... 6 operating states ... `piece_s`')


def test_states_in_words_and_what_is_not_known_is_the_one_that_all_have():
    layout, _ = lay_out(sample_at([600] * 6 + [1500] * 6, [3.0] * 12))
    assert layout.words() == '600 and 1500 rpm at load 3'
    assert layout.outside(600.0, np.nan) == '' and layout.outside(600.0, 9.0)
    layout, _ = lay_out(sample_at([1500] * 12, [0.0] * 6 + [10.0] * 6))
    assert layout.words() == '1500 rpm at load 0 and 1500 rpm at load 10'
    assert layout.outside(np.nan, 10.0) == '' and 'load is not known' in layout.outside(1500.0, np.nan)
    assert lay_out(Sample.of(list(np.zeros((12, 2))), None, np.nan, [5.0] * 12))[0].words() == 'load 5'
