"""Fingerprints: what they do not depend on, and that they cost little."""

from __future__ import annotations

import time

import numpy as np
import pytest
import scipy.signal

from fdx.data.fingerprint import SIZE, fingerprint

RATE_HZ, WINDOW = 12000, 11700
PINNED = [73447581186961081, 87543663784682020]


@pytest.fixture(scope='module')
def noise() -> np.ndarray:
    """Two seconds of a machine: lines and coloured noise, float32 [T]."""
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    lines = np.sin(2 * np.pi * 29.5 * t) + 0.4 * np.sin(2 * np.pi * 740 * t)
    return (lines + scipy.signal.lfilter([1], [1, -0.9], rng.normal(size=len(t)))).astype(np.float32)


def shared(a: np.ndarray, b: np.ndarray) -> int:
    return len(np.intersect1d(a[a > 0], b[b > 0]))


def rounded(x: np.ndarray, bits: int) -> np.ndarray:
    step = np.abs(x).max() / (2 ** (bits - 1) - 1)
    return (np.rint(x / step) * step).astype(np.float32)


CHANGES = {
    'gain': lambda x: 3 * x,
    'sign': lambda x: -x,
    'offset': lambda x: x + np.float32(10),
    'large offset': lambda x: x + np.float32(1000),
    'drift': lambda x: x + np.linspace(0, 5 * x.std(), len(x), dtype=np.float32),
    '16 bits': lambda x: rounded(x, 16),
    '12 bits': lambda x: rounded(x, 12),
    'counts': lambda x: np.rint(x / np.abs(x).max() * 30000).astype(np.float32),
}


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('trimmed', [0, 1000, 5850])
def test_the_same_samples_have_the_same_landmarks(noise, change, trimmed):
    one = fingerprint(noise[:WINDOW, None])
    other = fingerprint(CHANGES[change](noise)[trimmed : trimmed + WINDOW, None])
    assert (one > 0).sum() == SIZE
    # Half of the window is the same in the last case.
    assert shared(one, other) >= {0: 24, 1000: 22, 5850: 8}[trimmed]


def test_a_shift_by_a_fraction_of_a_sample_leaves_half_of_them(noise):
    finer = scipy.signal.resample_poly(noise, 4, 1).astype(np.float32)
    moved = finer[2 : 4 * WINDOW + 2 : 4]
    assert shared(fingerprint(noise[:WINDOW]), fingerprint(moved)) >= 12


def test_other_moments_and_other_noise_share_nothing(noise):
    rng = np.random.default_rng(1)
    prints = [fingerprint(noise[:WINDOW]), fingerprint(noise[WINDOW : 2 * WINDOW])]
    prints += [fingerprint(rng.normal(size=WINDOW).astype(np.float32)) for _ in range(20)]
    assert all(shared(a, b) == 0 for i, a in enumerate(prints) for b in prints[:i])


def test_landmarks_are_distinct_positive_ascending_and_padded(noise):
    short = fingerprint(noise[:2000])
    count = int((short > 0).sum())
    assert 3 <= count < SIZE
    assert (short.shape, short.dtype) == ((SIZE,), np.int64)
    assert (np.diff(short[:count]) > 0).all()
    assert (short[count:] == 0).all()


def test_channels_count_in_any_order_and_alone(noise):
    other = np.random.default_rng(2).normal(size=len(noise)).astype(np.float32)
    both = np.stack([noise, other], axis=1)[:WINDOW]
    np.testing.assert_array_equal(fingerprint(both), fingerprint(both[:, ::-1]))
    assert shared(fingerprint(both), fingerprint(both[:, :1])) >= 8


@pytest.mark.parametrize(
    'samples',
    [
        np.zeros((WINDOW, 1)),
        np.full((WINDOW, 1), 7.5),
        np.sin(np.arange(WINDOW) * 0.4)[:, None],
        np.tile(np.random.default_rng(0).normal(size=100), 117)[:, None],
        np.random.default_rng(0).normal(size=(300, 1)),
        np.zeros((1, 4)),
        np.zeros((0, 1)),
    ],
    ids=['zeros', 'held', 'sine', 'periodic', 'short', 'one row', 'nothing'],
)
def test_what_has_no_moment_of_its_own_has_no_landmarks(samples):
    assert not fingerprint(samples.astype(np.float32)).any()


def test_landmarks_are_the_same_ones_in_every_version():
    # A change of these numbers hides copies in datasets prepared before: bump the builders' versions with it.
    got = fingerprint(np.random.RandomState(0).normal(size=4000).astype(np.float32))
    assert got[:2].tolist() == PINNED


def test_a_window_costs_less_than_two_milliseconds(noise):
    fingerprint(noise[:WINDOW])
    seconds = []
    for _ in range(9):
        began = time.perf_counter()
        fingerprint(noise[:WINDOW])
        seconds.append(time.perf_counter() - began)
    # The fastest: the others measure who else is using the machine.
    assert min(seconds) < 2e-3
