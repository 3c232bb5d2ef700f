"""The matrix form of a polyphase filter: SciPy's numbers, whole and in pieces, whatever the threads of the BLAS."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.signal

from fdx.signal import resample
from fdx.signal.polyphase import polyphase

RATES = [(20_480, 16_000), (12_000, 16_000), (48_000, 12_000), (44_100, 16_000), (97_656, 16_000), (533.05, 16_000)]


def noise(count: int) -> np.ndarray:
    """White noise [count]."""
    return np.random.default_rng(0).standard_normal(count).astype(np.float32)


def low_pass(from_hz: float, to_hz: float) -> tuple[np.ndarray, int, int]:
    """(taps, up, down) of the filter between two rates."""
    up, down = resample.rational_ratio(from_hz, to_hz)
    return resample._low_pass(from_hz * up, min(from_hz, to_hz) / 2, 1.0), up, down


@pytest.mark.parametrize(('from_hz', 'to_hz'), RATES)
@pytest.mark.parametrize('count', [1, 999, 20_000])
def test_it_equals_scipy(from_hz, to_hz, count):
    taps, up, down = low_pass(from_hz, to_hz)
    found = polyphase(taps, up, down)(noise(count))
    wanted = scipy.signal.resample_poly(noise(count).astype(np.float64), up, down, window=taps.astype(np.float64))
    assert (found.dtype, found.shape) == (np.float32, wanted.shape)
    np.testing.assert_allclose(found, wanted, atol=4e-6)


def test_a_filter_that_takes_too_much_memory_is_left_to_scipy():
    taps, up, down = low_pass(48_000, 50)
    assert polyphase(taps, up, down) is None
    x = noise(9600)
    wanted = scipy.signal.resample_poly(x, up, down, window=taps)
    np.testing.assert_array_equal(resample.resample(x, 48_000, 50), wanted)


@pytest.mark.parametrize(('from_hz', 'to_hz'), RATES[:4])
def test_a_piece_that_begins_at_a_block_is_rounded_as_the_whole(from_hz, to_hz):
    taps, up, down = low_pass(from_hz, to_hz)
    filtered, x = polyphase(taps, up, down), noise(40_000)
    reach = len(taps) // down + 1
    whole, piece = filtered(x), filtered(x[filtered.grid : 36_000])
    first = filtered.grid * up // down
    np.testing.assert_array_equal(piece[reach : len(piece) - reach], whole[first + reach : first + len(piece) - reach])


def test_the_number_of_threads_changes_no_bit():
    """With two threads OpenBLAS would cut larger products elsewhere and round differently."""
    program = (
        'import hashlib, numpy as np; from fdx.signal.resample import resample; '
        "x = np.random.default_rng(0).standard_normal(90_000).astype('f'); "
        'print(*(hashlib.sha256(resample(x, a, b)).hexdigest() for a, b in ((48_000, 12_000), (44_100, 16_000))))'
    )

    def digests(threads: str) -> str:
        return subprocess.run(
            [sys.executable, '-c', program],
            env={**os.environ, 'OPENBLAS_NUM_THREADS': threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    one = digests('1')
    assert one == digests('2')
    assert one.split()[0] == hashlib.sha256(resample.resample(noise(90_000), 48_000, 12_000)).hexdigest()
