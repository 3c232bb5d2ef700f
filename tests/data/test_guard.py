"""The guard against a brute-force check of shared samples, on random tables."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.data.guard import guard_splits, measure_leak
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
            with pytest.raises(SplitError, match='share samples of a recording.*must not leak'):
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
    with pytest.raises(SplitError, match='test row 2 and validation row 1 of recording b'):
        guard_splits(table, parts, may_leak=False)


def test_a_row_in_two_splits_is_refused():
    table = table_from(['a', 'b'], [0, 0], 10)
    with pytest.raises(SplitError, match='test row 1 and train row 1'):
        guard_splits(table, {'train': np.array([0, 1]), 'test': np.array([1])}, may_leak=False)
