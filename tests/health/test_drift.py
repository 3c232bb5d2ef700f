"""Drift: recordings that follow time are told from those that scatter, also where states follow each other."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.health.drift import drift_of
from fdx.health.feature_plan import Feature
from fdx.health.learn import ALARMS, Settings, learn
from fdx.health.operating import lay_out
from fdx.health.sample import Sample
from fdx.types import ConfigError

FEATURES = [Feature('bands', 'x', f'{i} Hz') for i in range(20)]


def rows(count: int, seed: int, slope: float = 0.0) -> np.ndarray:
    """Correlated rows of 20 numbers, of which the first three rise by `slope` from first to last."""
    rng = np.random.default_rng(seed)
    made = rng.standard_normal((count, 20)) + 0.7 * rng.standard_normal((count, 1))
    made[:, :3] += slope * np.linspace(0, 1, count)[:, None]
    return made


def found(sample: Sample):
    layout, kept = lay_out(sample)
    return drift_of(sample.rows(kept), layout, FEATURES)


def test_recordings_that_scatter_seldom_drift_by_chance():
    p_values = [found(Sample.of(list(rows(30, seed)))).p_value for seed in range(40)]
    assert 0.3 < np.mean(p_values) < 0.7 and sum(p <= 0.05 for p in p_values) <= 6


@pytest.mark.parametrize('count', [30, 60])
def test_a_drift_is_told_with_the_numbers_that_follow_time(count, says):
    drift = found(Sample.of(list(rows(count, 1, slope=7.0))))
    assert drift.is_clear and drift.p_value < 0.01
    assert {str(f) for f, _ in drift.most} == {f'bands/x/{i} Hz' for i in range(3)} and drift.most[0][1] > 0.7
    notes = learn(Sample.of(list(rows(40, 1, slope=7.0))), features=FEATURES).about['notes']
    assert any(says(note, 'drift from first to last ... Hz (rises) ... runs in ... from the history') for note in notes)


def test_alarms_ask_for_a_rise_where_healthy_recordings_drift_unless_told_otherwise():
    calm, drifting = (Sample.of(list(rows(40, 1, slope=slope))) for slope in (0.0, 7.0))
    asks = {
        (name, alarm_on): learn(sample, Settings(alarm_on=alarm_on), features=FEATURES).asks_worse
        for name, sample in (('calm', calm), ('drifting', drifting))
        for alarm_on in ALARMS
    }
    assert [name for name, worse in asks.items() if worse] == [
        ('calm', 'worse'), ('drifting', 'auto'), ('drifting', 'worse'),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match='`alarm_on`=loud: choose from auto, worse, unusual'):
        Settings(alarm_on='loud')


def test_pieces_of_a_recording_count_once_and_few_recordings_tell_nothing():
    levels = np.random.default_rng(0).standard_normal((12, 1, 20))
    pieces = [level + 0.01 * rows(9, i) for i, level in enumerate(levels)]
    assert found(Sample.of(pieces)).p_value > 0.05
    assert found(Sample.of(list(rows(7, 0, slope=9.0)))) is None


def test_states_that_follow_each_other_are_no_drift():
    values = rows(40, 0)
    values[20:] += 8.0
    speeds = [600.0] * 20 + [1500.0] * 20
    assert found(Sample.of(list(values), None, speeds)).p_value > 0.05
    # Without speeds nobody can tell a state from a drift.
    assert found(Sample.of(list(values))).is_clear
