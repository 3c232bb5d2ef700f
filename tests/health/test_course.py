"""The course of a history: no change in good order, its onset, growth and remaining life where there is one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.health.course import Limit, course_of, feature_values
from fdx.health.history import History
from fdx.types import ConfigError
from tests.health.machine_history import HOUR_S, START_S, add, make, rows_of


def course(tmp_path, rows, limit=None, **said):
    saved = make(tmp_path, rows, **said)
    with History(tmp_path) as history:
        return course_of(saved.baseline, history.rows(), limit)


def test_a_machine_in_good_order_has_no_change(tmp_path):
    found = course(tmp_path, rows_of(150, 1))
    assert found.changes.found == () and found.growth is None and found.onset is None and found.life is None
    assert found.times_s[:2] == pytest.approx([START_S, START_S + HOUR_S])
    assert found.index.values.mean() == pytest.approx(100, abs=40)
    assert found.logarithmic and found.changes.run_length == 720


def test_a_step_and_growth_are_dated(tmp_path):
    shift = np.where(np.arange(120) < 60, 0.0, 2.0 + 0.05 * np.arange(-60, 60))
    found = course(tmp_path, rows_of(120, 2, shift), Limit(30.0))
    change = found.changes.lasting
    assert change.earliest <= 60 <= change.latest + 1 and change.alarm < 66
    assert found.growth.is_clear and found.growth.low > 0
    assert found.index.values[-1] < 0 < found.index.values[10]
    assert 'Extrapolated' in found.life.words() or 'reached' in found.life.words()


def test_a_repair_ends_the_change(tmp_path):
    shift = np.where((np.arange(200) > 60) & (np.arange(200) < 90), 4.0, 0.0)
    found = course(tmp_path, rows_of(200, 3, shift), Limit(50.0))
    assert found.changes.lasting is None and found.changes.found[0].end is not None
    assert found.life.low_days is None and 'no lasting change' in found.life.reason


def test_the_limit_of_a_feature(tmp_path):
    shift = np.where(np.arange(100) < 40, 0.0, 0.2 * np.arange(-40, 60))
    found = course(tmp_path, rows_of(100, 4, shift), Limit.parse('bands/x/400 Hz=20'))
    # The shift is 11.8 at the end and grows by 0.2 an hour: 41 hours are left.
    assert found.life.low_days * 24 < 41 < found.life.high_days * 24
    with pytest.raises(ConfigError, match='no feature'):
        course(tmp_path / 'b', rows_of(30, 4), Limit(1.0, 'bands/z/1 Hz'))


def test_pieces_that_resemble_each_other_are_worth_less(tmp_path):
    saved = make(tmp_path, rows_of(60, 1))
    with History(tmp_path) as history:
        rows = history.rows()
    pieces = dataclasses.replace(saved.baseline, about={**saved.baseline.about, 'effective_units': 9.0})
    thresholds = [course_of(baseline, rows).changes.threshold for baseline in (saved.baseline, pieces)]
    assert thresholds[1] > 1.1 * thresholds[0]


def test_limits_are_parsed():
    assert Limit.parse('40') == Limit(40.0) and Limit.parse(' levels/0/rms = -12') == Limit(-12.0, 'levels/0/rms')
    for text in ('', 'high', 'rms=', 'rms=nan'):
        with pytest.raises(ConfigError, match='`limit`'):
            Limit.parse(text)


def test_rows_that_were_not_judged_have_no_say(tmp_path):
    saved = make(tmp_path, rows_of(30, 5))
    with History(tmp_path) as history:
        add(history, saved, rows_of(5, 6, 50.0), first=30, state='outside operating range', reason='too fast')
        found = course_of(saved.baseline, history.rows())
    assert len(found.scores) == 30 and not found.changes.found


def test_recordings_are_put_into_the_order_of_time(tmp_path):
    saved = make(tmp_path, np.zeros((0, 10)))
    rows = rows_of(80, 7, np.where(np.arange(80) < 40, 0.0, 4.0))
    with History(tmp_path) as history:
        add(history, saved, rows[40:], first=40)
        add(history, saved, rows[:40])
        found = course_of(saved.baseline, history.rows())
    assert (np.diff(found.times_s) > 0).all() and 37 <= found.onset <= 41


def test_recordings_without_a_date_are_named(tmp_path):
    assert '30 recordings have no date' in course(tmp_path, rows_of(30, 8), undated=True).notes[0]


def test_no_history_and_no_kept_numbers(tmp_path):
    saved = make(tmp_path, np.zeros((0, 10)))
    empty = course_of(saved.baseline, [])
    assert len(empty.scores) == 0 and empty.index is None and empty.changes.found == ()
    assert np.isnan(feature_values([{'rows': None}], saved.baseline, 'bands/x/100 Hz')).all()
