"""The frame-count law and framing, against loops that know nothing of it."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal import frames
from fdx.types import ConfigError


def count_by_loop(n, window, hop):
    count = start = 0
    while start + window <= n:
        count, start = count + 1, start + hop
    return count


@pytest.mark.parametrize(('window', 'hop'), [(1, 1), (4, 1), (4, 3), (4, 4), (4, 7), (400, 160)])
def test_law_framing_and_starts_agree_with_a_loop(window, hop):
    lengths = {0, 1, window - 1, window, window + 1, window + hop - 1, window + hop, 2 * window + 5 * hop + 1, 977}
    for n in sorted(lengths):
        wanted = [list(range(i * hop, i * hop + window)) for i in range(count_by_loop(n, window, hop))]
        assert frames.num_frames(n, window, hop) == len(wanted), n
        framed = frames.frame(np.arange(n), window, hop)
        assert framed.shape == (len(wanted), window)
        assert framed.tolist() == wanted
        starts = frames.window_starts(n, window, hop, first=1000)
        assert starts.dtype == np.int64
        assert starts.tolist() == [1000 + w[0] for w in wanted]


def test_samples_for_frames_is_the_least_that_holds_them():
    for window, hop in ((4, 3), (3, 4), (400, 160)):
        assert frames.samples_for_frames(0, window, hop) == 0
        for count in (1, 2, 96):
            n = frames.samples_for_frames(count, window, hop)
            assert (count_by_loop(n, window, hop), count_by_loop(n - 1, window, hop)) == (count, count - 1)


def test_frame_keeps_leading_axes_and_cannot_be_written_to():
    x = np.arange(2 * 3 * 10).reshape(2, 3, 10)
    framed = frames.frame(x, 4, 3)
    assert framed.shape == (2, 3, 3, 4)
    np.testing.assert_array_equal(framed[1, 2, 2], x[1, 2, 6:10])
    assert frames.frame(x, 11, 1).shape == (2, 3, 0, 11)
    with pytest.raises(ValueError, match='read-only'):
        framed[0, 0, 0, 0] = 1


@pytest.mark.parametrize(('n', 'window', 'hop'), [(10, 0, 1), (10, 4, 0), (10, 4, -1), (-1, 4, 1)])
def test_impossible_framing_is_refused_with_its_numbers(n, window, hop):
    with pytest.raises(ConfigError, match=f'{n} samples with window_length={window}, hop_length={hop}'):
        frames.num_frames(n, window, hop)
