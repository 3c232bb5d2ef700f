"""Attribution of samples as attribution of frequencies.

The line of integrated gradients from the baseline to a waveform is a line in the frequency domain as well, and a change
of basis keeps inner products. So the same integral says what each frequency was worth, and it adds up to the same sum
(a virtual inspection layer: Vielhaben, Lapuschkin, Montavon and Samek, "Explainable AI for time series via virtual
inspection layers", Pattern Recognition 150:110309, 2024).
"""

from __future__ import annotations

import numpy as np


def attribution_of_frequencies(shift: np.ndarray, mean_gradient: np.ndarray) -> np.ndarray:
    """What each frequency of a waveform was worth.

    Args:
      shift: float [T, ...], the waveform minus the baseline.
      mean_gradient: float [T, ...], see `fdx.explain.integrated_gradients.Integrated`.

    Returns:
      float64 [T // 2 + 1, ...]; its sum is that of shift * mean_gradient.
    """
    length = len(shift)
    worth = (np.fft.rfft(shift, axis=0) * np.conj(np.fft.rfft(mean_gradient, axis=0))).real / length
    # Frequencies between 0 and Nyquist stand for their negative twins, too.
    twice = np.full(len(worth), 2.0)
    twice[0] = 1.0
    if length % 2 == 0:
        twice[-1] = 1.0
    return worth * twice.reshape(-1, *[1] * (worth.ndim - 1))


def frequencies_hz(length: int, rate_hz: float) -> np.ndarray:
    """Frequencies of `attribution_of_frequencies`, float64 [length // 2 + 1]."""
    return np.fft.rfftfreq(length, 1 / rate_hz)
