"""Amplitude: kept or dropped on purpose (law 4), channel by channel.

    peak   every channel of a chunk is divided by its own largest magnitude, so that it lies in [-1, 1]: amplitude is
           dropped (Di Maggio, Sensors 23(1):211, 2023)
    rms    every channel of a chunk is brought to a root mean square of 0.1 (20 dB below full scale, a level of music):
           amplitude is dropped, and a single impact changes the level less than it changes the peak
    standard  every channel of a chunk is brought to mean 0 and standard deviation 1: amplitude is dropped
    train  a channel of all chunks is divided by one number, its largest magnitude among the training chunks:
           amplitude is kept
    none   samples stay as they were recorded
    zscore for readings of a table, not signals: every column loses its mean over the training rows and is divided by
           its standard deviation over them

A magnitude mel spectrum is linear in the signal, so a gain can be applied to log(mel + offset) afterwards, exactly
up to rounding. Records of a `train` config therefore hold the unscaled spectrogram and each chunk's peak; the gain
is fitted when the training rows are known, and stored with the checkpoint. It is a float for recordings of one
channel, a tuple of one float per channel for others, and for `zscore` two such tuples: means and deviations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fdx.types import ConfigError, DataError

SCALINGS = ('peak', 'rms', 'standard', 'train', 'none', 'zscore')
RMS_LEVEL = 0.1
Gain = float | tuple[float, ...] | tuple[tuple[float, ...], tuple[float, ...]]


def check_scaling(scaling: str) -> str:
    """Returns `scaling`, or raises ConfigError with the known ones."""
    if scaling not in SCALINGS:
        raise ConfigError(f'scaling {scaling!r}; known: {", ".join(SCALINGS)}')
    return scaling


def as_gain(gain: npt.ArrayLike) -> Gain:
    """A gain as fdx stores it: a float, or tuples of floats in place of JSON's lists or NumPy's arrays."""

    def plain(values: Any) -> Any:
        return float(values) if np.ndim(values) == 0 else tuple(plain(v) for v in values)

    return plain(gain)


def fit_gain(scaling: str, train_peaks: np.ndarray) -> Gain:
    """Fits the gain to training data.

    Args:
      scaling: one of SCALINGS.
      train_peaks: float [N], or [N, C] for several channels: largest magnitude of each training chunk, in the
        recording's unit; for `zscore` the readings themselves.

    Returns:
      1 / max(train_peaks) for `train`, channel by channel; 1.0 for the others, which do not depend on training data. A
      float for [N], a tuple of C floats for [N, C]. For `zscore` (means, deviations), C floats each.

    Raises:
      DataError: `train` without training chunks, or with a channel that is silent in all of them; `zscore` with a
        column that is constant.
    """
    check_scaling(scaling)
    peaks = np.asarray(train_peaks, np.float64)
    if scaling == 'zscore':
        return _fit_zscore(peaks)
    if scaling != 'train':
        return as_gain(np.ones(peaks.shape[1:]))
    highest = peaks.max(axis=0, initial=0.0)
    for c, peak in enumerate(np.atleast_1d(highest)):
        if not peak > 0:
            of = f' of channel {c}' if peaks.ndim > 1 else ''
            raise DataError(f'scaling train: the largest magnitude{of} of {len(peaks)} training chunks is {peak}')
    return as_gain(1.0 / highest)


def _fit_zscore(readings: np.ndarray) -> Gain:
    deviations = readings.std(axis=0)
    for c, deviation in enumerate(deviations):
        if not deviation > 0:
            raise DataError(
                f'scaling zscore: column {c} is {readings[0, c]:g} in all {len(readings)} training rows: leave it out'
            )
    return as_gain((readings.mean(axis=0), deviations))


def peak_magnitudes(x: np.ndarray) -> np.ndarray:
    """Largest magnitude of each channel of a chunk x [T, C]: [C]."""
    return np.abs(x).max(axis=0)


def scale_samples(x: np.ndarray, scaling: str) -> np.ndarray:
    """Scales one chunk x [T, C] for `peak`, `rms` or `standard`, which need the chunk only; others return x."""
    if check_scaling(scaling) not in ('peak', 'rms', 'standard'):
        return x
    if scaling == 'standard':
        x = x - x.mean(axis=0, dtype=np.float64).astype(x.dtype)
    if scaling == 'peak':
        levels = peak_magnitudes(x)
    else:
        level = RMS_LEVEL if scaling == 'rms' else 1.0
        levels = (np.sqrt(np.mean(np.square(x), axis=0, dtype=np.float64)) / level).astype(x.dtype)
    return x / np.where(levels > 0, levels, 1)


def apply_gain(log_mel: np.ndarray, gain: Gain, log_offset: float) -> np.ndarray:
    """log(mel + offset) of a signal -> that of the signal times `gain`, float32, same shape.

    Args:
      log_mel: float32 [..., C], channels last.
      gain: one number, or one per channel.
      log_offset: the offset.

    Raises:
      DataError: the number of gains is not that of the channels.
    """
    gains = np.asarray(gain, np.float64)
    if gains.ndim and gains.shape != log_mel.shape[-1:]:
        raise DataError(f'{gains.size} gains do not fit a spectrogram of {log_mel.shape[-1]} channels')
    if (gains == 1.0).all():
        return log_mel
    mel = np.maximum(np.exp(log_mel.astype(np.float64)) - log_offset, 0.0)
    return np.log(gains * mel + log_offset).astype(np.float32)


def is_neutral(gain: Gain) -> bool:
    """Whether a gain changes nothing (1 in every channel)."""
    values = np.asarray(gain)
    return values.ndim < 2 and bool((values == 1).all())
