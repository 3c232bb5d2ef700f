"""Amplitude: kept or dropped on purpose (law 4).

    peak   every chunk is divided by its own largest magnitude, so that it lies in [-1, 1]: amplitude is dropped
           (Di Maggio, Sensors 23(1):211, 2023)
    train  all chunks are divided by one number, the largest magnitude among the training chunks: amplitude is kept
    none   samples go in as they were recorded

A magnitude mel spectrum is linear in the signal, so a gain can be applied to log(mel + offset) afterwards, exactly
up to rounding. Records of a `train` config therefore hold the unscaled spectrogram and each chunk's peak; the gain
is fitted when the training rows are known, and stored with the checkpoint.
"""

from __future__ import annotations

import numpy as np

from fdx.types import ConfigError, DataError

SCALINGS = ('peak', 'train', 'none')


def check_scaling(scaling: str) -> str:
    """Returns `scaling`, or raises ConfigError with the known ones."""
    if scaling not in SCALINGS:
        raise ConfigError(f'scaling {scaling!r}; known: {", ".join(SCALINGS)}')
    return scaling


def fit_gain(scaling: str, train_peaks: np.ndarray) -> float:
    """The gain that training data fix.

    Args:
      scaling: one of SCALINGS.
      train_peaks: float [N], largest magnitude of each training chunk, in the recording's unit.

    Returns:
      1 / max(train_peaks) for `train`; 1.0 for `peak` and `none`, which are complete without training data.

    Raises:
      DataError: `train` without training chunks, or with silent ones only.
    """
    check_scaling(scaling)
    if scaling != 'train':
        return 1.0
    peak = float(np.max(train_peaks)) if len(train_peaks) else 0.0
    if not peak > 0:
        raise DataError(f'scaling train: the largest magnitude of {len(train_peaks)} training chunks is {peak}')
    return 1.0 / peak


def scale_samples(x: np.ndarray, scaling: str) -> np.ndarray:
    """Scales one chunk x [T, C] as far as the chunk alone decides: `peak` divides, `train` and `none` return x."""
    if check_scaling(scaling) != 'peak':
        return x
    peak = np.abs(x).max()
    return x / peak if peak > 0 else x


def apply_gain(log_mel: np.ndarray, gain: float, log_offset: float) -> np.ndarray:
    """log(mel + offset) of a signal -> that of the signal times `gain`, float32, same shape."""
    if gain == 1.0:
        return log_mel
    mel = np.maximum(np.exp(log_mel.astype(np.float64)) - log_offset, 0.0)
    return np.log(gain * mel + log_offset).astype(np.float32)
