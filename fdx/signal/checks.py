"""Checks of a recording before a front end sees it; an error names the file, the channel and the position."""

from __future__ import annotations

import dataclasses
import logging
import math

import numpy as np

from fdx.types import DataError, Recording

logger = logging.getLogger(__name__)

# A converter at its limit repeats its extreme value, so three equal neighbours at the extreme are a clipped peak.
CLIP_RUN = 3


def check_rate(sample_rate_hz: float | None, source: str) -> float:
    """The rate as a float.

    Raises:
      DataError: missing, not a number, not finite, or not above 0.
    """
    if sample_rate_hz is None or not math.isfinite(sample_rate_hz) or sample_rate_hz <= 0:
        raise DataError(
            f'{source}: sample rate is {sample_rate_hz}; a positive number is needed, give it with `sample_rate_hz`'
        )
    return float(sample_rate_hz)


def count_clipped(x: np.ndarray) -> int:
    """Samples of x [T] that lie in runs of CLIP_RUN or more equal values at its maximum or minimum."""
    return sum(count_held_at(x, extreme) for extreme in (x.max(), x.min()))


def count_held_at(x: np.ndarray, extreme: float) -> int:
    """Samples of x [T] that lie in runs of CLIP_RUN or more equal to `extreme`."""
    at = np.concatenate(([0], (x == extreme).view(np.int8), [0]))
    edges = np.flatnonzero(np.diff(at))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CLIP_RUN].sum())


def check_samples(
    samples: np.ndarray, *, min_samples: int, source: str, sample_rate_hz: float | None = None
) -> np.ndarray:
    """Refuses samples that no front end can use.

    Args:
      samples: [T] or [T, C], any real dtype.
      min_samples: fewest samples that make one patch, at the rate of `samples`.
      source: file or recording, for the message.
      sample_rate_hz: the assumed rate, for the message.

    Returns:
      The samples as float32 [T, C].

    Raises:
      DataError: wrong number of axes, shorter than one patch, NaN or infinity (with channel and position), or a
        constant channel. A clipped channel is a warning in the log, with its count.
    """
    x, notes = _checked(samples, min_samples, source, sample_rate_hz)
    for note in notes:
        logger.warning('%s: %s', source, note)
    return x


def _checked(
    samples: np.ndarray, min_samples: int, source: str, sample_rate_hz: float | None
) -> tuple[np.ndarray, list[str]]:
    """(float32 [T, C], notes on clipping) of `check_samples`."""
    x = np.asarray(samples)
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2 or x.shape[1] == 0:
        raise DataError(f'{source}: samples have shape {np.shape(samples)}; [time] or [time, channels] is needed')
    if x.dtype.kind not in 'biuf':
        raise DataError(f'{source}: samples are {x.dtype}; real numbers are needed')
    if x.shape[0] < min_samples:
        believed = ''
        if sample_rate_hz:
            believed = f' ({x.shape[0] / sample_rate_hz:.3g} s at {sample_rate_hz:g} Hz)'
        raise DataError(
            f'{source}: {x.shape[0]} samples are shorter than one patch, which needs {min_samples}{believed}; '
            'record longer, correct the rate, or choose a front end with a shorter patch'
        )
    with np.errstate(over='ignore'):
        x = x.astype(np.float32)
    for c in range(x.shape[1]):
        bad = np.flatnonzero(~np.isfinite(x[:, c]))
        if bad.size:
            raise DataError(
                f'{source}: channel {c} has {bad.size} NaN or infinite samples, the first at sample {bad[0]}; '
                'cut them out or repair the recording'
            )
        if x[:, c].min() == x[:, c].max():
            raise DataError(
                f'{source}: channel {c} is constant ({x[0, c]:g}) from sample 0 to {x.shape[0] - 1}; '
                'the sensor was not connected, or the wrong channel was chosen'
            )
    return x, _clipping(x)


def _clipping(x: np.ndarray) -> list[str]:
    """One sentence for each clipped channel of x [T, C]."""
    counts = [count_clipped(x[:, c]) for c in range(x.shape[1])]
    return [clipping_note(c, n, x.shape[0]) for c, n in enumerate(counts) if n]


def clipping_note(channel: int, clipped: int, samples: int) -> str:
    """The note on a clipped channel."""
    return (
        f'channel {channel} looks clipped: {clipped} of {samples} samples sit at its extreme values; '
        'lower the recording gain'
    )


def check_recording(recording: Recording, min_duration_samples: int) -> Recording:
    """`check_rate` and `check_samples` on a recording; returns it with float32 [T, C] samples and notes on clipping."""
    source = recording.source or recording.recording
    rate_hz = check_rate(recording.sample_rate_hz, source)
    samples, notes = _checked(recording.samples, min_duration_samples, source, rate_hz)
    for note in notes:
        logger.warning('%s: %s', source, note)
    return dataclasses.replace(recording, samples=samples, notes=(*recording.notes, *notes))
