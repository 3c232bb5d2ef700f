"""Reports about a machine's history: they stand alone, say the state and since when, and stay small and quick."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fdx.evaluate import canvas, machine_report_history
from fdx.evaluate.machine_report_history import history_page, newest_deviations
from fdx.evaluate.machine_report_history_tables import date, one_in, span
from fdx.health.course import Limit
from fdx.health.history import HISTORY, History
from fdx.types import CheckpointError, ConfigError
from tests.evaluate.standalone_page import PIXEL, check_standalone
from tests.health.machine_history import FEATURES, HOUR_S, START_S, add, learned, make, rows_of

BAD = np.where(np.arange(100) < 50, 0.0, 2.0 + 0.06 * np.arange(-50, 50))


@pytest.fixture(scope='module', autouse=True)
def coarse_pictures():
    """What the pictures show is looked at by eye; here they are coarse and not laid out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, 'DPI', 40)
        patch.setattr(canvas, 'LAYOUT', None)
        yield


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures are made and not drawn: the words are what is tested."""
    monkeypatch.setattr(machine_report_history, 'figure_to_data_uri', lambda figure: PIXEL)


def page_of(workdir, limit=None):
    return check_standalone(history_page(workdir, limit))


def test_an_alarm_says_since_when_what_moved_and_until_when(tmp_path):
    verdict = {'state': 'outer_race', 'probability': 0.83, 'reason': '', 'channel': 'x'}
    make(tmp_path / 'pump7', rows_of(100, 1, BAD), verdict=verdict)
    page = page_of(tmp_path / 'pump7', Limit(80.0))
    for words in (
        'pump7',
        'Alarm',
        'in alarm since',
        'The scores have changed since about',
        'doubles in',
        'Extrapolated',
    ):
        assert words in page.text, words
    assert 'bands: 400 Hz' in page.text and 'a fault of the outer race, 83% probable' in page.text
    assert 'The judge sees a fault of the outer race' in page.text
    assert len(page.attributes('img', 'src')) == 3
    onset = date(START_S + 50 * HOUR_S)[:10]
    assert onset in page.text.split('The scores have changed since about')[1][:20]


def test_a_machine_in_good_order_is_said_to_be_so(tmp_path, undrawn):
    make(tmp_path, rows_of(80, 2))
    page = page_of(tmp_path)
    assert 'The machine is as in good order' in page.text and 'No lasting change is found' in page.text
    assert 'Go on recording' in page.text and 'Extrapolated' not in page.text
    assert 'What the judge of bearings says' not in page.text


def test_everything_that_moved_alike_may_be_the_sensor(tmp_path, undrawn):
    rows = rows_of(40, 3)
    rows[-6:] += 8.0
    make(tmp_path / 'a', rows)
    assert 'moved the same way' in page_of(tmp_path / 'a').text
    make(tmp_path / 'b', rows, sensor='drifted: all bands are +8 dB')
    text = page_of(tmp_path / 'b').text
    assert 'The sensor is in doubt' in text and 'Check the sensor' in text


def test_what_cannot_be_judged_is_told_with_its_reason(tmp_path, undrawn):
    saved = make(tmp_path, rows_of(40, 4))
    with History(tmp_path) as history:
        add(history, saved, rows_of(2, 5), first=40, state='outside operating range', reason='1 rpm was never seen')
    page = page_of(tmp_path)
    assert 'outside the operating range' in page.text and '1 rpm was never seen' in page.text
    assert 'was normal' in page.text and 'Recordings that were not judged' in page.text
    assert '2 recordings of 42 could not be judged' in page.text


def test_a_baseline_without_history_has_a_page_and_begins_none(tmp_path):
    make(tmp_path, np.zeros((0, 10)))
    page = page_of(tmp_path)
    assert 'The history is empty' in page.text and 'Baseline 1 was learned' in page.text
    assert not (tmp_path / HISTORY).exists() and not page.attributes('img', 'src')


@pytest.mark.parametrize('count', [1, 2, 4])
def test_a_short_history(tmp_path, count):
    make(tmp_path, rows_of(count, 6))
    assert f'{count} recording' in page_of(tmp_path).text


def test_names_of_files_are_text(tmp_path, undrawn):
    make(tmp_path / '<b>&$x$', rows_of(20, 7), reason='<script>alert(1)</script>')
    assert '<b>&$x$' in page_of(tmp_path / '<b>&$x$').text


def test_deviations_are_those_of_the_newest(tmp_path):
    saved = make(tmp_path, rows_of(60, 8, np.where(np.arange(60) < 50, 0.0, 6.0)))
    with History(tmp_path) as history:
        deviations = newest_deviations(history.rows(), saved.baseline)
    assert deviations[: len(FEATURES) // 2] == pytest.approx(6.0, abs=1.5)
    assert np.abs(deviations[len(FEATURES) // 2 :]).max() < 2
    assert newest_deviations([], saved.baseline) is None


def test_thousands_of_recordings_are_quick_and_small(tmp_path):
    saved = make(tmp_path, np.zeros((0, 10)))
    with History(tmp_path) as history:
        add(history, saved, rows_of(1500, 9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, 'DPI', 130)
        before = time.process_time()
        page = page_of(tmp_path)
        assert time.process_time() - before < 15
    assert '1,500 recordings' in page.text


def test_what_is_refused(tmp_path):
    with pytest.raises(CheckpointError):
        history_page(tmp_path)
    make(tmp_path, rows_of(20, 10))
    with pytest.raises(ConfigError, match='no feature'):
        history_page(tmp_path, Limit(1.0, 'levels/0/rms'))


def test_numbers_in_words():
    assert [one_in(p) for p in (0.34, 0.001)] == ['34 of 100 recordings', '1 of 1,000 recordings']
    assert one_in(0.0).startswith('fewer than')
    assert [span(d) for d in (1 / 24 / 60 / 60, 3 / 24, 2.5, 800.0)] == [
        '1 seconds',
        '3 hours',
        '2.5 days',
        '2.2 years',
    ]
    assert learned().rate >= learned().wish.rate
