"""Monitoring files: rows, verdicts, exactly once, after a kill, and learning anew."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import threading

import numpy as np
import pytest
import scipy.io.wavfile

from fdx.health.baseline_file import load_baseline
from fdx.health.history import History
from fdx.health.known import Known
from fdx.health.monitor import Monitor
from fdx.health.relearn import relearn
from fdx.health.states import ALARM, NORMAL, OUTSIDE, UNUSABLE, WATCH
from fdx.health.watch import watch
from fdx.predict.watch_settings import Settings
from fdx.types import ConfigError, DataError


@pytest.fixture
def own(pump, tmp_path) -> pathlib.Path:
    """A copy of the workdir, with its recordings."""
    shutil.copytree(pump, tmp_path / 'pump')
    return tmp_path / 'pump'


def test_healthy_files_are_normal_and_faults_become_an_alarm(own, machine, tmp_path):
    healthy = machine.write(tmp_path / 'new', range(100, 112))
    faulty = machine.write(tmp_path / 'new', range(200, 204), impacts=4.0)
    with Monitor(own) as monitor:
        rows = [monitor.file(file)[0] for file in [*healthy, *faulty]]
    assert sum(row['state'] != NORMAL for row in rows[:12]) <= 1
    assert [row['state'] for row in rows[12:]] == [WATCH, ALARM, ALARM, ALARM]
    assert rows[13]['p_value'] < 1e-3 and rows[13]['score'] > rows[0]['score']
    moved = {m['what'] for m in rows[13]['moved'][:4]}
    assert moved & {'2000 Hz', '2500 Hz', '3150 Hz'}, moved
    assert all(m['deviations'] > 0 for m in rows[13]['moved'][:2])
    assert 'verdict' not in rows[0] and rows[13]['verdict'] is None  # No bearing is known.
    # These healthy recordings do not drift: nobody asks for a rise, and no number stands in for it.
    assert not load_baseline(own).baseline.asks_worse and rows[13]['rise'] is rows[13]['rise_p'] is None


@pytest.mark.parametrize(('judge', 'asked'), [('changes', [1, 0, 0]), ('not_normal', [1, 1, 1]), ('never', [0, 0, 0])])
def test_the_judge_is_asked_when_it_is_worth_it(own, machine, tmp_path, monkeypatch, judge, asked):
    monkeypatch.setattr('fdx.health.monitor.judge_verdict', lambda *args: {'state': 'outer_race', 'reason': ''})
    files = machine.write(tmp_path / 'new', range(200, 203), impacts=8.0)
    with Monitor(own, Known(judge=judge)) as monitor:
        rows = [monitor.file(file)[0] for file in [*machine.write(tmp_path / 'new', range(1)), *files]]
    assert [int('verdict' in row) for row in rows] == [0, *asked]


def test_a_speed_that_was_never_seen_is_no_alarm(own, machine, tmp_path, says):
    file = machine.write(tmp_path / 'new', range(1), speed_rpm=2400.0)[0]
    with Monitor(own, Known(speed_rpm=2400.0)) as monitor:
        row, _ = monitor.file(file)
    assert row['state'] == OUTSIDE and row['p_value'] is None and says(row['reason'], '2400 rpm ... 1500 rpm')


@pytest.mark.parametrize('stranger', ['noise', 'constant', 'silence', 'text', 'missing', 'stereo', 'short'])
def test_strangers_are_no_healthy_machine(own, tmp_path, stranger):
    rng = np.random.default_rng(0)
    file = tmp_path / 'stranger.wav'
    made = {
        'noise': 0.1 * rng.standard_normal(8000),
        'constant': np.full(8000, 0.5),
        'silence': np.zeros(8000),
        'stereo': 0.1 * rng.standard_normal((8000, 2)),
        'short': 0.1 * rng.standard_normal(100),
    }
    if stranger == 'text':
        file.write_text('this is no sound')
    elif stranger != 'missing':
        scipy.io.wavfile.write(file, 8000, made[stranger].astype(np.float32))
    with Monitor(own) as monitor:
        row, _ = monitor.file(file)
    if stranger == 'noise':
        assert row['state'] == WATCH and row['p_value'] < 0.01
    else:
        assert row['state'] == UNUSABLE and row['reason'] and row['rows'] is None
        assert ('dead' in row.get('sensor', '')) == (stranger in ('constant', 'silence'))


def test_a_content_is_scored_once_also_by_two_monitors(own, machine, tmp_path):
    files = machine.write(tmp_path / 'new', range(8))
    fresh: list[str] = []

    def work() -> None:
        with Monitor(own) as monitor:
            for file in files:
                row, new = monitor.file(file)
                if new:
                    fresh.append(row['file'])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fresh) == sorted(map(str, files))
    with Monitor(own) as monitor:
        os.utime(files[0], (1, 1))
        assert not monitor.file(files[0])[1]
        machine.write(tmp_path / 'new', range(50, 51), name='000.wav')
        assert monitor.file(files[0])[1]
        assert len(monitor.history) == 9


def test_a_watch_takes_what_is_there_and_what_comes(own, machine, tmp_path):
    folder = tmp_path / 'incoming'
    machine.write(folder, range(2))
    (folder / 'notes.md').write_text('x')
    shown, told = [], []
    settings = Settings((str(folder),), str(own), settle_s=0.05, poll_s=0.01, for_s=20.0)

    def show(row, new) -> None:
        shown.append(row['file'])
        if len(shown) == 2:
            machine.write(folder, range(2, 3))

    with Monitor(own) as monitor:
        watch(monitor, settings, show, lambda: len(shown) == 3, tell=lambda name, why: told.append(name))
        again: list[str] = []
        once = dataclasses.replace(settings, once=True)
        watch(monitor, once, lambda row, new: again.append(row['file']), lambda: False)
    assert [os.path.basename(f) for f in shown] == ['000.wav', '001.wav', '002.wav']
    assert not again and any('notes.md' in name for name in told)


def test_learning_anew_keeps_the_old_one_and_forgets_the_alarm(own, machine, tmp_path, says):
    # After maintenance another resonance is excited for ever: the machine is healthy and reads otherwise.
    name = '2024-05-{:02d}.wav'
    before = machine.write(tmp_path / 'new', range(1, 6), impacts=4.0, name='2024-04-{:02d}.wav')
    after = machine.write(tmp_path / 'new', range(1, 26), impacts=4.0, name=name)
    with Monitor(own) as monitor:
        states = [monitor.file(file)[0]['state'] for file in [*before, *after]]
    assert states[-1] == ALARM
    with pytest.raises(DataError) as e:
        relearn(own, _seconds('2024-05-20'))
    assert says(str(e.value), '6 healthy recordings ... 14 more')
    saved = relearn(own, _seconds('2024-05-01'))
    assert saved.number == 2 and len(saved.baseline.sample.names) == 25
    with Monitor(own) as monitor:
        assert monitor.saved.number == 2
        row, _ = monitor.file(machine.write(tmp_path / 'new', range(26, 27), impacts=4.0, name=name)[0])
        assert row['state'] == NORMAL and row['baseline'] == 2
    with History(own) as history:
        assert len(history.rows(baseline=1)) == 30
    with pytest.raises(DataError):
        relearn(own, _seconds('2030-01-01'))


def _seconds(date: str) -> float:
    from fdx.health.dates import parse_date

    return parse_date(date, 'reset_from')


def test_files_are_taken_in_the_order_of_time():
    from fdx.health.dates import in_time

    names = ['p_2024-02-01.wav', 'q_2024-01-01.wav', 'a_2024-03-01.wav']
    assert in_time(names) == [1, 0, 2]
    assert in_time(['10.wav', '2.wav', 'x.wav', '1.wav']) == [3, 1, 0, 2]
    assert in_time(['b/1.wav', 'a/10.wav', 'a/9.wav']) == [2, 1, 0]


def test_dates_come_from_names_or_files(tmp_path, says):
    from fdx.health.dates import parse_date, recorded_at

    at = parse_date('2004-02-12T10:32:39', 'reset_from')
    for name in (
        '2004.02.12.10.32.39',
        'pump_20040212T103239.wav',
        '2004-02-12_10-32-39.csv',
        'x2004_02_12 10:32:39.mat',
    ):
        assert recorded_at(tmp_path / name) == at, name
    file = tmp_path / 'acc_00123.csv'
    assert recorded_at(file) is None
    file.write_text('1')
    os.utime(file, (1000, 1000))
    assert recorded_at(file) == 1000
    with pytest.raises(ConfigError) as e:
        parse_date('yesterday', 'reset_from')
    assert says(str(e.value), '`reset_from`=yesterday ... 2024-01-31')
