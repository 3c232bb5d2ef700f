"""Blocks: five parts of a recording, a guard between them, and no window across an edge."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fdx.data.blocks import NO_BLOCK, Windowing, cut_windows, fold_blocks, time_blocks
from fdx.types import SplitError

LENGTHS = (50, 51, 54, 55, 57, 58, 59, 60, 83, 97, 131, 500, 997)
WINDOWINGS = [Windowing(w, h, g) for w, h, g in itertools.product((1, 7, 10), (1, 3, 10, 12), (0, 1, 2))]


def fits(n, windowing):
    return n >= 5 * windowing.window_length + 4 * windowing.guard_length


@pytest.mark.parametrize('windowing', WINDOWINGS, ids=str)
def test_laws_of_blocks_for_awkward_lengths(windowing):
    window, guard = windowing.window_length, windowing.guard_length
    for n in LENGTHS:
        if not fits(n, windowing):
            continue
        edges = time_blocks(n, windowing)
        assert len(edges) == 5
        assert (edges[0][0], edges[-1][1]) == (0, n)
        assert all(b - a >= window for a, b in edges)
        assert all(after[0] - before[1] == guard for before, after in itertools.pairwise(edges))
        whole = [(b - a) // window for a, b in edges]
        assert max(whole) - min(whole) <= 1
        assert sum(whole) >= (n - 4 * guard) // window

        starts, blocks = cut_windows(n, windowing)
        assert (starts.dtype, blocks.dtype) == (np.int64, np.int32)
        wanted = [(s, i) for i, (a, b) in enumerate(edges) for s in range(a, b - window + 1, windowing.hop_length)]
        assert list(zip(starts.tolist(), blocks.tolist())) == wanted
        # Brute force: samples of two blocks are apart by more than the guard.
        owner = np.full(n, -1)
        for start, block in wanted:
            held = owner[start : start + window]
            assert set(held) <= {-1, block}
            held[:] = block
        for a, b in itertools.pairwise(range(5)):
            assert np.flatnonzero(owner == b).min() - np.flatnonzero(owner == a).max() > guard


def test_windows_overlap_inside_a_block_only_where_the_hop_is_shorter():
    for hop, overlapping in ((10, False), (12, False), (3, True)):
        starts, blocks = cut_windows(500, Windowing(10, hop, 4))
        close = np.diff(starts) < 10
        assert close.any() == overlapping
        assert not close[np.diff(blocks) != 0].any()
        assert set(np.diff(starts)[np.diff(blocks) == 0]) == {hop}


def test_30_s_in_chunks_of_1_6_s_give_18_windows():
    windowing = Windowing(32768, 32768, 2048)
    starts, blocks = cut_windows(30 * 20480, windowing)
    assert len(starts) == 18
    assert np.bincount(blocks).tolist() == [4, 4, 4, 3, 3]


def test_healthy_recording_97_fits_with_a_guard_of_50_ms_and_not_of_100_ms():
    samples = -(-243938 // 4)
    assert samples == 60985
    starts, blocks = cut_windows(samples, Windowing(11700, 1200, 600), '97')
    assert blocks.tolist() == [0, 1, 2, 3, 4]
    assert np.diff(starts).min() >= 11700 + 600
    with pytest.raises(SplitError, match='^97: 60985 samples.*time_blocks.*63300.*by_recording.*`exclude_recordings`'):
        time_blocks(samples, Windowing(11700, 1200, 1200), '97')


@pytest.mark.parametrize('windowing', [Windowing(10, 3, 2), Windowing(7, 7, 0)], ids=str)
def test_one_sample_too_short_is_refused_with_name_need_and_fitting_protocols(windowing):
    needed = 5 * windowing.window_length + 4 * windowing.guard_length
    assert [b - a for a, b in time_blocks(needed, windowing)] == [windowing.window_length] * 5
    with pytest.raises(SplitError) as error:
        time_blocks(needed - 1, windowing, 'pump_12')
    text = str(error.value)
    assert text.startswith(f'pump_12: {needed - 1} samples are too short for time_blocks, which needs {needed} ')
    for protocol in ('by_recording', 'by_bearing', 'by_domain', 'random_windows', 'exclude_recordings'):
        assert protocol in text


def test_a_short_recording_is_cut_as_one_piece_without_blocks():
    starts, blocks = cut_windows(40, Windowing(10, 5, 2))
    assert starts.tolist() == [0, 5, 10, 15, 20, 25, 30]
    assert set(blocks) == {NO_BLOCK}
    assert [len(x) for x in cut_windows(9, Windowing(10, 5, 2))] == [0, 0]


def test_folds_share_out_the_blocks_and_rotate():
    assert fold_blocks(0) == {'train': (0, 1, 2), 'validation': (3,), 'test': (4,)}
    for fold in range(5):
        parts = fold_blocks(fold)
        assert sorted(itertools.chain(*parts.values())) == [0, 1, 2, 3, 4]
        assert [len(parts[s]) for s in ('train', 'validation', 'test')] == [3, 1, 1]
    for split in ('validation', 'test'):
        assert sorted(fold_blocks(f)[split][0] for f in range(5)) == [0, 1, 2, 3, 4]
    for fold in (-1, 5):
        with pytest.raises(SplitError, match=f'fold {fold}: time_blocks has folds 0 to 4'):
            fold_blocks(fold)
