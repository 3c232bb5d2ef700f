"""The first patch of a chunk: cut, freed of its static part, scaled, resampled."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal import patch, resample
from fdx.types import DataError

CHUNK = (np.random.default_rng(0).standard_normal((600, 2)) * (1, 20) + (0, 16000)).astype(np.float32)


def test_the_static_part_is_each_channels_mean_over_the_chunk():
    out = patch.without_static_part(CHUNK)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, CHUNK - CHUNK.astype(np.float64).mean(axis=0), atol=1e-3)
    assert np.abs(out.mean(axis=0)).max() < 1e-4


def test_a_patch_is_the_beginning_of_the_whole_chunk_brought_to_the_rate():
    same = patch.first_patch(CHUNK, 512.0, 512.0, 500, scale='none', name='x')
    np.testing.assert_array_equal(same, CHUNK[:500])
    centred = CHUNK - CHUNK.mean(axis=0, dtype=np.float64)
    wanted = resample.resample((centred / np.abs(centred).max(axis=0)).astype(np.float32), 1024.0, 512.0)[:200]
    got = patch.first_patch(CHUNK, 1024.0, 512.0, 200, scale='peak', name='x', remove_static=True)
    np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_a_short_chunk_is_refused():
    with pytest.raises(DataError, match='600 samples at 1024 Hz .* front end x, .* 601'):
        patch.first_patch(CHUNK, 1024.0, 512.0, 301, scale='none', name='x', remove_static=True)
