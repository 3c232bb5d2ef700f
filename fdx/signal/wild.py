"""Wild samples: single values far from their neighbours, which no vibration makes.

A glitch of the converter or of the transmission lasts one sample or two. An impact lasts longer: it rings the
resonances of the machine and of the sensor, so its neighbours are large, too. A spectrum cannot distinguish them: with
one wild sample per second it is as flat and as strong as with a fault.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.ndimage

# Samples on each side that are searched for an impact's ringing.
NEIGHBOURS = 8
# Most wild samples that one neighbourhood may hold.
MOST_TOGETHER = 2
# Least ratio of a wild sample's distance from the median to the largest distance of its other neighbours. Real
# recordings (CWRU, MFPT, ADI, HIT, FEMTO and SOON, 376 channels) reach 8.2 at most.
ISOLATION = 12.0
# Least ratio of that distance to the median distance of all samples from the median of their neighbourhood.
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
    # In parts, because impulsive recordings have many candidates, each with its neighbourhood in memory.
    for part in np.array_split(candidates, 1 + len(candidates) // 65536):
        # At the ends of a recording the neighbourhood is not centred.
        first = np.clip(part - NEIGHBOURS, 0, len(x) - width)
        around = x[first[:, None] + np.arange(width)]
        apart = np.abs(around - np.median(around, axis=1, keepdims=True))
        own = apart[np.arange(len(part)), part - first]
        # The largest distances may belong to wild samples; the next one measures the ringing, if there is any.
        ringing = np.partition(apart, -1 - MOST_TOGETHER, axis=1)[:, -1 - MOST_TOGETHER]
        found[part] = own > ISOLATION * ringing
    return found
