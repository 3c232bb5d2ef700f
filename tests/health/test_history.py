"""The history: once per content, whoever writes, and whatever kills a writer."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from fdx.health.history import HISTORY, History
from fdx.health.history_rows import Content, Finding
from fdx.health.states import ALARM, NORMAL, OUTSIDE, UNUSABLE, Reading
from fdx.types import DataError


def content(i: int, sha: str = '') -> Content:
    return Content(f'/data/{i:05d}.wav', sha or f'sha{i}', 10 + i, 20 + i)


def finding(score: float, state: str = '') -> Finding:
    return Finding(score, 0.5, state, {'moved': [], 'note': math.nan}, np.full((2, 3), score), 1e9 + score, 1500.0)


def by_count(now: Reading, before: list[Reading], state: str) -> str:
    """An alarm where the two scores before were above 1, too."""
    return ALARM if len(before) == 2 and min(r.score for r in (*before, now)) > 1 else NORMAL


def add(history: History, i: int, score: float, state: str = '', baseline: int = 1):
    return history.add(content(i), finding(score, state), baseline, 2, by_count)


def test_a_row_comes_back_as_it_was_written(tmp_path):
    with History(tmp_path) as history:
        row, new = add(history, 0, 0.25)
        assert new and row['id'] == 1 and row['score'] == 0.25 and row['state'] == NORMAL and row['load'] is None
        assert row['note'] is None and row['rows'].shape == (2, 3) and row['speed_rpm'] == 1500
        assert history.rows() and len(history) == 1
        assert history.knows('/data/00000.wav', 10, 20) and not history.knows('/data/00000.wav', 11, 20)


def test_a_content_of_a_path_has_one_row(tmp_path):
    with History(tmp_path) as history:
        first, _ = add(history, 0, 0.25)
        again, new = history.add(content(0), finding(9.0), 1, 2, by_count)
        assert not new and again['id'] == first['id'] and again['score'] == 0.25
        other, new = history.add(content(0, 'another'), finding(9.0), 1, 2, by_count)
        assert new and other['id'] == 2


def test_states_follow_from_the_rows_before_of_the_same_baseline(tmp_path):
    with History(tmp_path) as history:
        for i in range(2):
            add(history, i, 5.0)
        add(history, 2, math.nan, OUTSIDE)
        assert add(history, 3, 5.0)[0]['state'] == ALARM
        assert add(history, 4, 5.0, baseline=2)[0]['state'] == NORMAL
        assert [r['state'] for r in history.rows(baseline=1)] == [NORMAL, NORMAL, OUTSIDE, ALARM]
        assert [r['id'] for r in history.rows(last=2)] == [4, 5]


def test_a_file_that_could_not_be_used_gets_another_chance(tmp_path):
    with History(tmp_path) as history:
        assert add(history, 0, math.nan, UNUSABLE)[1]
        assert not add(history, 0, math.nan, UNUSABLE)[1]
        row, new = add(history, 0, 0.5)
        assert new and row['state'] == NORMAL and len(history) == 1
        assert not add(history, 0, math.nan, UNUSABLE)[1]


def test_ten_thousand_rows_stay_quick(tmp_path):
    with History(tmp_path) as history:
        history._db.execute('BEGIN')
        for i in range(10_000):
            history._db.execute(
                'INSERT INTO recordings (file, sha256, size, mtime_ns, recorded_at, scored_at, baseline, state, score, '
                "p_value, said, rows, pieces) VALUES (?, ?, 1, 1, 1.0, 1.0, 1, 'normal', 0.5, 0.5, '{}', ?, 1)",
                (f'/data/{i}', f's{i}', bytes(400)),
            )
        history._db.execute('COMMIT')
        start = time.perf_counter()
        for i in range(20):
            add(history, 20_000 + i, 0.5)
            assert history.knows('/data/77', 1, 1)
        assert (time.perf_counter() - start) / 20 < 0.1
        start = time.perf_counter()
        assert len(history.rows()) == 10_020
        assert time.perf_counter() - start < 3


def test_several_writers_write_each_file_once(tmp_path):
    History(tmp_path).close()
    fresh: list[int] = []

    def work() -> None:
        with History(tmp_path) as history:
            fresh.extend(i for i in range(25) if add(history, i, float(i))[1])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fresh) == list(range(25))
    with History(tmp_path) as history:
        assert len(history) == 25


WRITER = """
import sys
sys.path.insert(0, {tests!r})
from fdx.health.history import History
import test_history as t
with History({folder!r}) as history:
    for i in range(100000):
        t.add(history, i, float(i))
        print(i, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, 'SIGKILL'), reason='this system has no SIGKILL')
def test_a_kill_at_any_moment_loses_nothing_that_was_told(tmp_path):
    code = WRITER.format(tests=os.path.dirname(__file__), folder=str(tmp_path))
    for wait_s in (0.0, 0.013, 0.05):
        process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
        told = [process.stdout.readline()]
        time.sleep(wait_s)
        process.kill()
        told += process.stdout.read().split('\n')
        process.wait()
        told = [int(line) for line in told if line.strip()]
        with History(tmp_path) as history:
            rows = history.rows()
            assert history._db.execute('PRAGMA integrity_check').fetchone()[0] == 'ok'
            assert {f'/data/{i:05d}.wav' for i in told} <= {row['file'] for row in rows}
            assert len({(row['file'], row['sha256']) for row in rows}) == len(rows)


def test_a_damaged_file_is_said_to_be_one(tmp_path, says):
    (tmp_path / HISTORY).write_bytes(b'no database' * 1000)
    with pytest.raises(DataError) as e:
        History(tmp_path)
    assert says(str(e.value), f'{HISTORY} is damaged')


def test_a_newer_format_is_refused(tmp_path, says):
    History(tmp_path).close()
    with sqlite3.connect(tmp_path / HISTORY) as db:
        db.execute('UPDATE about SET format = 99')
    with pytest.raises(DataError) as e:
        History(tmp_path)
    assert says(str(e.value), 'format 99 ... update fdx')
