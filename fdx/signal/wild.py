"""Wild samples: single values far from their neighbours, which no vibration makes.

A glitch of the converter or of the transmission is one sample, or two. An impact is not: it rings the machine's
resonances and the sensor's, so its neighbours are large, too. A spectrum cannot tell: one wild sample per second is as
flat and as strong as a fault.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.ndimage

# Samples to each side that an impact's ringing is looked for in.
NEIGHBOURS = 8
# A wild sample and its likes near it: so many may be in one neighbourhood.
MOST_TOGETHER = 2
# Over the largest of the other neighbours' distances from their median. The largest that a real recording reaches
# (CWRU, MFPT, ADI, HIT, FEMTO and SOON, 376 channels) is 8.2.
ISOLATION = 12.0
# Over the median distance of all samples from their neighbourhood's median.
DISTANCE = 8.0


@dataclasses.dataclass(frozen=True)
class WildSamples:
    """What was found in a recording.

    Attributes:
      samples: float32 [T, C], the recording with its wild samples replaced by lines between their neighbours.
      wild: bool [T], where a sample of any channel was replaced.
    """

    samples: np.ndarray
    wild: np.ndarray

    @property
    def count(self) -> int:
        """Instants at which a sample was replaced."""
        return int(self.wild.sum())


def replace_wild_samples(x: np.ndarray) -> WildSamples:
    """Finds wild samples by their isolation and puts interpolated values in their place.

    Args:
      x: float32 [T, C], finite.

    Returns:
      WildSamples; `samples` is x itself where none is wild.
    """
    wild: np.ndarray = np.stack([_wild(x[:, c]) for c in range(x.shape[1])], axis=1)
    if not wild.any():
        return WildSamples(x, np.zeros(len(x), bool))
    repaired, t = x.copy(), np.arange(len(x))
    for c in np.flatnonzero(wild.any(axis=0)):
        bad = wild[:, c]
        repaired[bad, c] = np.interp(t[bad], t[~bad], x[~bad, c])
    return WildSamples(repaired, np.asarray(wild.any(axis=1)))


def _wild(x: np.ndarray) -> np.ndarray:
    """Where x [T] is wild: bool [T]."""
    found = np.zeros(len(x), bool)
    width = 2 * NEIGHBOURS + 1
    if len(x) < width:
        return found
    x = x.astype(np.float64)
    distance = np.abs(x - scipy.ndimage.median_filter(x, width, mode='mirror'))
    candidates = np.flatnonzero(distance > max(DISTANCE * float(np.median(distance)), np.finfo(np.float32).tiny))
    # Few at a time: impulsive recordings have many candidates, each with its neighbourhood.
    for part in np.array_split(candidates, 1 + len(candidates) // 65536):
        # At the ends of a recording the neighbourhood lies to one side.
        first = np.clip(part - NEIGHBOURS, 0, len(x) - width)
        around = x[first[:, None] + np.arange(width)]
        apart = np.abs(around - np.median(around, axis=1, keepdims=True))
        own = apart[np.arange(len(part)), part - first]
        # The largest distances may be those of the wild samples themselves; the next one is the ringing's, if any.
        ringing = np.partition(apart, -1 - MOST_TOGETHER, axis=1)[:, -1 - MOST_TOGETHER]
        found[part] = own > ISOLATION * ringing
    return found
