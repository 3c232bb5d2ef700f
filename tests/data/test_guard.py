"""The guard against a brute-force check of shared samples, on random tables."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fdx.data.protocols.guard import _overlaps, guard_splits, measure_leak
from fdx.data.table import Table
from fdx.types import SplitError


def table_from(recordings, starts, window):
    return Table({'recording': np.array(recordings), 'window_start': np.array(starts)}, window)


def share(table, a, b):
    same = table['recording'][a] == table['recording'][b]
    return same and abs(int(table['window_start'][a]) - int(table['window_start'][b])) < table.window_length


def random_case(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 40))
    table = table_from(
        rng.choice(['a', 'b', 'c'][: rng.integers(1, 4)], n), rng.integers(0, rng.choice([30, 300, 3000]), n), 10
    )
    rows = rng.permutation(n)[: rng.integers(1, n + 1)]
    cuts = np.sort(rng.integers(0, len(rows) + 1, 2))
    parts = dict(zip(('train', 'validation', 'test'), np.split(rows, cuts)))
    if rng.random() < 0.1 and len(parts['train']) and len(parts['test']):
        parts['test'] = np.append(parts['test'], parts['train'][0])
    return table, parts


def brute_force(table, parts):
    scored = np.concatenate([parts['validation'], parts['test']]) if len(parts['train']) else []
    hits = [any(share(table, r, t) for t in parts['train']) for r in scored]
    pairs = [('train', 'validation'), ('train', 'test'), ('validation', 'test')]
    leaks = any(share(table, a, b) for x, y in pairs for a in parts[x] for b in parts[y])
    train_recordings = set(table['recording'][parts['train']])
    same = [table['recording'][r] in train_recordings for r in parts['test']]
    return leaks, np.mean(hits) if len(hits) else 0.0, np.mean(same) if same else 0.0


def test_guard_agrees_with_brute_force_on_random_tables():
    outcomes = set()
    for seed in range(300):
        table, parts = random_case(seed)
        leaks, shared, same = brute_force(table, parts)
        leak = measure_leak(table, parts)
        assert (bool(leak.example), leak.shared, leak.same_recording) == (leaks, pytest.approx(shared), same), seed
        if leaks:
            with pytest.raises(SplitError, match=r'row \d+ .* row \d+ of recording \w .*must not leak'):
                guard_splits(table, parts, may_leak=False)
            assert guard_splits(table, parts, may_leak=True) == leak
        else:
            assert guard_splits(table, parts, may_leak=False) == leak
        outcomes.add(leaks)
    assert outcomes == {True, False}


def test_one_shared_sample_is_refused_and_touching_windows_are_not():
    table = table_from(['a', 'a', 'b'], [0, 10, 0], 10)
    parts = {'train': np.array([0]), 'validation': np.array([2]), 'test': np.array([1])}
    assert guard_splits(table, parts, may_leak=False).shared == 0
    table['window_start'][1] = 9
    with pytest.raises(SplitError) as error:
        guard_splits(table, parts, may_leak=False)
    assert 'test row 1 and train row 0 of recording a start at samples 9 and 0, windows last 10' in str(error.value)


def test_validation_and_test_must_not_share_either():
    table = table_from(['a', 'b', 'b'], [0, 0, 5], 10)
    parts = {'train': np.array([0]), 'validation': np.array([1]), 'test': np.array([2])}
    with pytest.raises(SplitError, match='test row 2 .*validation row 1 .*recording b.* 5 and 0.*must not leak'):
        guard_splits(table, parts, may_leak=False)


def test_a_row_in_two_splits_is_refused():
    table = table_from(['a', 'b'], [0, 0], 10)
    with pytest.raises(SplitError, match='test row 1 and train row 1'):
        guard_splits(table, {'train': np.array([0, 1]), 'test': np.array([1])}, may_leak=False)


def slow_overlaps(table, rows, others):
    """Whether each of `rows` shares a sample with any of `others`, pair by pair."""
    return [any(share(table, r, o) for o in others) for r in rows]


def random_table(seed):
    """Few or as many recordings as rows, equal starts, windows of one sample and longer than a recording."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    window = int(rng.choice([1, 2, 7, 50, 1000]))
    num_recordings = int(rng.choice([1, 3, n, 5 * n]))
    starts = rng.integers(0, int(rng.choice([1, 3, 40, 2000])), n)
    names = np.array([f'reading_{i}' for i in rng.permutation(num_recordings)])
    table = table_from(names[rng.integers(0, num_recordings, n)], starts, window)
    rows = rng.permutation(n)
    cut = int(rng.integers(0, n + 1))
    return table, rows[:cut], rows[cut:]


def test_the_overlaps_are_those_of_every_pair():
    shared, apart, single = 0, 0, 0
    for seed in range(600):
        table, rows, others = random_table(seed)
        found = _overlaps(table, rows, others)
        assert found.dtype == np.int64
        hits = (found >= 0).tolist()
        assert hits == slow_overlaps(table, rows, others), seed
        # The row that is named is one that shares a sample.
        for row, other in zip(rows, found):
            assert other == -1 or (other in others and share(table, row, other))
        shared, apart = shared + sum(hits), apart + len(hits) - sum(hits)
        single += sum(hits) if table.window_length == 1 else 0
    assert min(shared, apart, single) > 100


def test_windows_of_one_sample_overlap_only_themselves():
    table = table_from(['a', 'a', 'b', 'a', 'b'], [0, 1, 0, 1, 2], 1)
    found = _overlaps(table, np.array([0, 1, 2]), np.array([3, 4]))
    assert found.tolist() == [-1, 3, -1]
    leak = measure_leak(table, {'train': np.array([3, 4]), 'test': np.array([0, 1, 2])})
    assert (leak.shared, leak.same_recording) == (pytest.approx(1 / 3), 1.0)
    assert leak.example == 'test row 1 and train row 3 of recording a start at samples 1 and 1, windows last 1'


def test_neighbouring_recordings_do_not_touch():
    """The last window of one recording and the first of the next, in either order of their names."""
    for names in (['a', 'b'], ['b', 'a']):
        for starts in ([1000, 0], [0, 1000], [1000, 1000], [0, 0]):
            table = table_from(names, starts, 500)
            assert _overlaps(table, np.array([0]), np.array([1])).tolist() == [-1]
            assert _overlaps(table, np.array([1]), np.array([0])).tolist() == [-1]


def test_no_rows_overlap_nothing():
    table = table_from(['a'], [0], 1)
    none = np.zeros(0, np.int64)
    assert _overlaps(table, none, np.array([0])).tolist() == []
    assert _overlaps(table, np.array([0]), none).tolist() == [-1]


def test_a_table_of_many_readings_takes_no_time():
    """As many recordings as rows: going through them one by one took minutes at ten thousand rows."""
    n = 200_000
    table = table_from(np.arange(n).astype(str), np.zeros(n, int), 1)
    rows = np.random.default_rng(0).permutation(n)
    parts = {'train': rows[:120_000], 'validation': rows[120_000:160_000], 'test': rows[160_000:]}
    began = time.perf_counter()
    assert guard_splits(table, parts, may_leak=False).shared == 0
    assert time.perf_counter() - began < 30
