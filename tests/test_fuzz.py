"""Damaged recordings: a small, seeded part of benchmarks.fuzz (which has weights and checkpoints, too)."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from fdx.benchmarks import fuzz
from fdx.benchmarks.fuzz_bases import BASES
from fdx.benchmarks.fuzz_damage import damaged
from fdx.data.raw.files import read_raw_file
from fdx.types import DataError

FILES = {'mat': 110, 'csv': 60, 'npy': 60, 'wav': 70}


def test_300_damaged_recordings_end_in_samples_or_one_line():
    """In a child process: a segmentation fault would end that one, and be counted."""
    began, total = time.perf_counter(), 0
    for kind, num in FILES.items():
        counts, faults = fuzz.fuzz_kind(kind, num, seed=15)
        assert not faults, faults[:3]
        assert counts['files'] == num
        assert counts['refused'] + counts['read'] == num
        assert counts['refused'] > num // 20  # else the damage would be none
        total += num
    assert total == 300
    assert time.perf_counter() - began < 60  # 10 s where nothing else runs


def rows_of_child(monkeypatch, program: str) -> list[dict]:
    """What the parent makes of a child that is this program."""
    start = subprocess.Popen
    monkeypatch.setattr(fuzz.subprocess, 'Popen', lambda command, **kw: start([sys.executable, '-c', program], **kw))
    monkeypatch.setattr(fuzz, 'START_S', 20.0)
    monkeypatch.setattr(fuzz, 'GIVE_UP_S', 1.0)
    return list(fuzz._rows('mat', 0, 3, 5))


BEGAN = """print('{"n": 3, "base": "v5", "began": true}', flush=True); """


@pytest.mark.parametrize(
    ('program', 'result', 'faults', 'word'),
    [
        (f'import os; {BEGAN}os.kill(os.getpid(), 11)', 'crash', ['crashes'], 'SIGSEGV'),
        (f'import os; {BEGAN}os._exit(3)', 'crash', ['crashes'], 'exit code 3'),
        (f'import time; {BEGAN}time.sleep(60)', 'slow', ['over_10_s'], ''),
    ],
)
def test_a_child_that_dies_or_hangs_is_counted(monkeypatch, program, result, faults, word):
    (row,) = rows_of_child(monkeypatch, program)
    assert (row['n'], row['result']) == (3, result)
    assert fuzz._faults_of(row) == faults
    assert word in row.get('text', '')


def test_a_child_that_cannot_begin_is_no_result(monkeypatch):
    with pytest.raises(RuntimeError, match='ZeroDivisionError'):
        rows_of_child(monkeypatch, '1 / 0')


def test_what_a_reader_must_not_do_is_found(tmp_path):
    """read_one on readers that misbehave, one for each column."""
    from fdx.benchmarks.fuzz_readers import read_one

    base, sound = BASES['npy'](tmp_path)[0], [np.arange(3)]

    def raises(error: Exception, cause: Exception | None = None):
        def read(path):
            raise error from cause

        return read

    for read, result, faults in (
        (lambda path: [np.arange(3)], 'same', []),
        (lambda path: [np.arange(4)], 'differs', []),
        (raises(DataError('one line')), 'refused', []),
        (raises(DataError('two\nlines')), 'traceback', ['tracebacks']),
        (raises(KeyError('x')), 'traceback', ['tracebacks']),
        (raises(DataError('one line'), MemoryError()), 'refused', ['over_2_gb']),
    ):
        row = read_one(read, tmp_path, base, sound)
        assert (row['result'], fuzz._faults_of(row)) == (result, faults)
    checked = BASES['mat'](tmp_path)[1]
    assert checked.checked
    assert fuzz._faults_of(read_one(lambda path: [np.arange(4)], tmp_path, checked, sound)) == ['wrong']
    boundary = read_one(raises(DataError('a cannot be read (KeyError: x)'), KeyError('x')), tmp_path, base, sound)
    assert (boundary['result'], boundary['unforeseen']) == ('refused', True)


def test_damage_follows_from_the_seed_and_changes_most_files():
    content = bytes(range(256)) * 8
    made = [damaged(content, np.random.default_rng([1, n])) for n in range(200)]
    assert made == [damaged(content, np.random.default_rng([1, n])) for n in range(200)]
    assert len(set(made)) > 150
    assert sum(m != content for m in made) > 180
    assert {len(m) < len(content) for m in made} == {True, False}
    assert damaged(b'', np.random.default_rng(0)) == b''


@pytest.mark.parametrize('rows', [1, 2])
def test_one_bad_cell_in_a_wide_table_costs_no_time(tmp_path, rows):
    """24,000 columns: once 14 s, a call of Arrow and a set for each."""
    cells = [f'{i * 0.37 % 1:.4f}' for i in range(24000)]
    cells[700] = '0.3x00'
    (tmp_path / 'a.csv').write_text((','.join(cells) + '\n') * rows)
    began = time.process_time()
    with pytest.raises(DataError, match=r"'0\.3x00' is not a number"):
        read_raw_file(tmp_path / 'a.csv', sample_rate_hz=1000)
    assert time.process_time() - began < 3
