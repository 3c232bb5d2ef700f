"""States: m of n make an alarm, n calm recordings end it."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.learn import Settings, learn
from fdx.health.sample import Sample
from fdx.health.states import ALARM, NORMAL, WATCH, next_state
from fdx.health.wish import Wish


@pytest.fixture(scope='module')
def baseline():
    rng = np.random.default_rng(0)
    return learn(Sample.of(list(rng.standard_normal((60, 5)))), Settings(wish=Wish(10, 10)))


def run(baseline, scores) -> list[str]:
    states, seen = [], []
    for score in scores:
        states.append(next_state(baseline, score, seen[-2:], states[-1] if states else NORMAL))
        seen.append(score)
    return states


def test_one_is_watched_two_of_three_are_an_alarm_three_calm_ones_end_it(baseline):
    high, low = baseline.alarm_limit * 1.5, float(np.median(baseline.held_out))
    assert run(baseline, [low, high, low, low]) == [NORMAL, WATCH, NORMAL, NORMAL]
    assert run(baseline, [high, high, low, low, low]) == [WATCH, ALARM, ALARM, ALARM, NORMAL]
    assert run(baseline, [high, low, high, low, low, low]) == [WATCH, NORMAL, ALARM, ALARM, ALARM, NORMAL]
    assert run(baseline, [high, low, low, high]) == [WATCH, NORMAL, NORMAL, WATCH]


def test_watching_begins_no_later_than_alarming(baseline):
    assert baseline.watch_limit <= baseline.alarm_limit
