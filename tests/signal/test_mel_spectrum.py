"""Mel spectra of frames against sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fdx.signal.mel_spectrum import mel_spectrogram


@pytest.mark.parametrize('power', [1.0, 2.0])
def test_each_value_is_the_weighted_sum_of_one_frames_magnitudes(power):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((50, 2)).astype(np.float32)
    bank = rng.uniform(size=(9, 4))
    out = mel_spectrogram(x, 12, 5, 16, bank, power=power)
    assert (out.shape, out.dtype) == ((8, 4, 2), np.float64)
    for i, m, c in ((0, 0, 0), (3, 2, 1), (7, 3, 0)):
        total = 0.0
        for k in range(9):
            terms = (
                float(x[5 * i + n, c])
                * (0.5 - 0.5 * math.cos(2 * math.pi * n / 12))
                * np.exp(-2j * math.pi * k * n / 16)
                for n in range(12)
            )
            total += abs(sum(terms)) ** power * bank[k, m]
        assert out[i, m, c] == pytest.approx(total, rel=1e-6)


def test_a_signal_shorter_than_the_window_has_no_frames():
    assert mel_spectrogram(np.ones((11, 3), np.float32), 12, 5, 16, np.ones((9, 4))).shape == (0, 4, 3)
