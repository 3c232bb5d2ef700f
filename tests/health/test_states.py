"""States: m of n make an alarm, n calm recordings end it."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.feature_plan import Feature
from fdx.health.learn import UNUSUAL, WORSE, Settings, learn
from fdx.health.sample import Sample
from fdx.health.states import ALARM, NORMAL, WATCH, Reading, next_state
from fdx.health.wish import Wish


@pytest.fixture(scope='module')
def baseline():
    rng = np.random.default_rng(0)
    return learn(Sample.of(list(rng.standard_normal((60, 5)))), Settings(wish=Wish(10, 10)))


def run(baseline, scores, rises=None) -> list[str]:
    states, seen = [], []
    for i, score in enumerate(scores):
        reading = Reading(score) if rises is None else Reading(score, rises[i])
        states.append(next_state(baseline, reading, seen[-2:], states[-1] if states else NORMAL))
        seen.append(reading)
    return states


@pytest.fixture(scope='module')
def of_bands():
    """60 recordings of six bands."""
    features = [Feature('bands', 'x', f'{i} Hz') for i in range(6)]
    rows = list(np.random.default_rng(0).standard_normal((60, 6)))
    return learn(Sample.of(rows), Settings(wish=Wish(10, 10), alarm_on=WORSE), features=features)


def test_one_is_watched_two_of_three_are_an_alarm_three_calm_ones_end_it(baseline):
    high, low = baseline.alarm_limit * 1.5, float(np.median(baseline.held_out))
    assert run(baseline, [low, high, low, low]) == [NORMAL, WATCH, NORMAL, NORMAL]
    assert run(baseline, [high, high, low, low, low]) == [WATCH, ALARM, ALARM, ALARM, NORMAL]
    assert run(baseline, [high, low, high, low, low, low]) == [WATCH, NORMAL, ALARM, ALARM, ALARM, NORMAL]
    assert run(baseline, [high, low, low, high]) == [WATCH, NORMAL, NORMAL, WATCH]


def test_watching_begins_no_later_than_alarming(baseline):
    assert baseline.watch_limit <= baseline.alarm_limit


def test_an_alarm_takes_what_has_risen_and_ends_when_that_is_over(of_bands):
    high, low = of_bands.alarm_limit * 1.5, float(np.median(of_bands.held_out))
    up, down = of_bands.rise_limit * 1.5, 0.0
    # Unusual as long as you like, and never worse.
    assert run(of_bands, [high] * 4, [down] * 4) == [WATCH] * 4
    assert run(of_bands, [high] * 3, [up] * 3) == [WATCH, ALARM, ALARM]
    # It stays unusual after the rise is over.
    assert run(of_bands, [high] * 6, [up, up, down, down, down, down]) == [WATCH, ALARM, ALARM, ALARM, WATCH, WATCH]
    assert run(of_bands, [high, high, low, low, low], [up] * 5) == [WATCH, ALARM, ALARM, ALARM, NORMAL]
    # One that is unusual and another that has risen are not two that are both.
    assert run(of_bands, [high, low], [down, up]) == [WATCH, NORMAL]
    assert of_bands.calm_rise <= of_bands.rise_limit


def test_bands_that_rise_are_worse_and_bands_that_move_apart_are_otherwise(of_bands):
    shifts = {'risen': np.full(6, 4.0), 'moved': np.array([8.0, -8, 8, -8, 6, -6]), 'fallen': np.full(6, -4.0)}
    found = dict(zip(shifts, of_bands.scored(Sample.of([rows[None] for rows in shifts.values()]))))
    assert all(scored.p_value < 0.01 for scored in found.values())
    beyond = {name: bool(of_bands.beyond(s.score, s.rise)) for name, s in found.items()}
    assert beyond == {'risen': True, 'moved': False, 'fallen': False}
    assert found['risen'].rise_p < 0.01 and found['moved'].rise_p > 0.1 and found['fallen'].rise_p > 0.9


def test_any_unusual_recording_counts_where_that_is_wished_or_nothing_tells_better_from_worse(baseline):
    features = [Feature('bands', 'x', f'{i} Hz') for i in range(6)]
    rows = list(np.random.default_rng(0).standard_normal((60, 6)))
    wished = learn(Sample.of(rows), Settings(wish=Wish(10, 10), alarm_on=UNUSUAL), features=features)
    shapes = learn(
        Sample.of(rows), Settings(alarm_on=WORSE), features=[Feature('shape', 'x', f.what) for f in features]
    )
    for one in (wished, shapes, baseline):
        assert not one.asks_worse and one.rise_limit == -np.inf
        scored = one.scored(Sample.of([np.full(one.sample.values.shape[1], -9.0)]))[0]
        assert (scored.rise, scored.rise_p) == (np.inf, 0.0) and bool(one.beyond(scored.score, scored.rise))
