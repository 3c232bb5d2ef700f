"""Zeros, held values and the flicker of the last bit are no vibration."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.signal.dead import dead_samples

RATE_HZ = 12000.0


def noise(seconds=2.0, channels=1, seed=0):
    return np.random.default_rng(seed).standard_normal((int(seconds * RATE_HZ), channels)).astype(np.float32)


def flicker(n, step=1e-6, at=0.01):
    return at + step * np.random.default_rng(1).choice([-1, 1], n)


STRETCHES = {
    'zeros': lambda n: np.zeros(n),
    'held': lambda n: np.full(n, 0.37),
    'held far out': lambda n: np.full(n, -9.9),
    'flicker': flicker,
    'flicker of three values': lambda n: np.random.default_rng(2).integers(-1, 2, n) * 0.1,
    'silent': lambda n: 1e-4 * np.random.default_rng(3).standard_normal(n),
    'silent on a ramp': lambda n: np.linspace(0, 5, n) + 1e-5 * np.random.default_rng(3).standard_normal(n),
}


@pytest.mark.parametrize('kind', STRETCHES)
@pytest.mark.parametrize(('first', 'length'), [(12000, 12000), (0, 9000), (5000, 240), (600, 23000)])
def test_a_dead_stretch_is_found_to_the_piece(kind, first, length):
    x = noise(channels=2)
    x[first : first + length, 1] = STRETCHES[kind](length)
    dead = dead_samples(x, RATE_HZ)
    inside = np.zeros(len(x), bool)
    inside[first : first + length] = True
    # Silent pieces are 60 samples long and lie on a grid.
    assert dead[first + 60 : first + length - 60].all()
    assert not dead[~inside].any()


def test_what_works_is_alive():
    t = np.arange(24000) / RATE_HZ
    rng = np.random.default_rng(0)
    impacts = 50 * np.exp(-((t * 20) % 1) * 60) * np.sin(2 * np.pi * 3000 * t) + 0.5 * rng.standard_normal(len(t))
    signals = {
        'noise': noise()[:, 0],
        'impacts with quiet between': impacts,
        'coarse converter': np.round(3 * noise()[:, 0]),
        'a tone': np.sin(2 * np.pi * 30 * t) + 1e-3 * rng.standard_normal(len(t)),
        'a machine that runs up': noise()[:, 0] * np.linspace(0.02, 1, len(t)),
        'clipped': np.clip(noise()[:, 0], -0.5, 0.5),
    }
    for name, x in signals.items():
        assert not dead_samples(x.astype(np.float32)[:, None], RATE_HZ).any(), name


def test_lost_packets_filled_with_zeros_are_dead():
    x = noise()
    for start in range(0, len(x) - 240, 1200):
        x[start : start + 240] = 0
    dead = dead_samples(x, RATE_HZ)
    assert dead.mean() == pytest.approx(0.2, abs=0.02)


def test_short_recordings_and_low_rates():
    assert not dead_samples(noise()[:10], RATE_HZ).any()
    assert dead_samples(np.zeros((20, 1), np.float32), 512.0).all()
    slow = np.random.default_rng(0).standard_normal((5000, 3)).astype(np.float32)
    assert not dead_samples(slow, 512.0).any()


def test_hard_impacts_on_a_quiet_bench_leave_nothing_dead_between_them():
    """A slow bearing, nearly 60 dB from its impacts down to the floor: the silence between them is the machine's."""
    t = np.arange(24000) / RATE_HZ
    ringing = np.exp(-((t * 8) % 1) * 200) * np.sin(2 * np.pi * 3000 * t)
    x = ringing + 0.01 * ringing.std() * np.random.default_rng(0).standard_normal(len(t))
    assert not dead_samples(x.astype(np.float32)[:, None], RATE_HZ).any()
