"""Scores of recordings on one scale: standard normal while the machine is healthy, whatever law they follow."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.types import ConfigError, DataError

FEWEST_REFERENCE = 8
MOST_CORRELATION = 0.9
# Normal quantiles of p-values end here.
HIGHEST_QUANTILE = 8.0


def normal_scores(scores: np.ndarray, reference: np.ndarray, method: str = 'rank') -> np.ndarray:
    """Scores as if they were standard normal while the machine is healthy.

    Args:
      scores: float [N]; higher is worse.
      reference: float [M], scores of healthy recordings that nothing was fitted to.
      method: 'rank': the normal quantile of the share of the reference that is at least as high (no law is assumed, and
        nothing is higher than M allow); 'normal': Student's t of a reference that is normal itself (of levels, take the
        logarithm), which has no upper end.

    Returns:
      float64 [N].

    Raises:
      DataError: fewer than eight finite scores in the reference, or all of them equal.
      ConfigError: another method.
    """
    healthy = np.sort(np.asarray(reference, np.float64))
    if len(healthy) < FEWEST_REFERENCE or not np.isfinite(healthy).all() or healthy[0] == healthy[-1]:
        raise DataError(
            f'{len(healthy)} healthy scores: at least {FEWEST_REFERENCE} finite ones that differ are needed to know '
            'how much a healthy machine varies'
        )
    return standardiser(healthy[None], method)(np.asarray(scores, np.float64)[None])[0]


def standardiser(healthy: np.ndarray, method: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function from scores [R] (or [1, N]) to normal scores, for references [R, M], sorted."""
    count = healthy.shape[1]
    if method == 'rank':
        if len(healthy) == 1:
            return lambda x: (
                -scipy.stats.norm.ppf(
                    (1 + count - np.searchsorted(healthy[0], x, side='left')) / (count + 1) - 0.5 / (count + 1)
                )
            )
        table = -scipy.stats.norm.ppf((np.arange(count, -1, -1) + 0.5) / (count + 1))
        return lambda x: table[(healthy < x[:, None]).sum(axis=1)]
    if method != 'normal':
        raise ConfigError(f'`method`={method!r}: rank or normal')
    middle, spread = healthy.mean(axis=1), healthy.std(axis=1, ddof=1) * math.sqrt(1 + 1 / count)
    if len(healthy) == 1:
        middle, spread = middle[:, None], spread[:, None]
    return lambda x: -scipy.stats.norm.ppf(scipy.stats.t.sf((x - middle) / spread, count - 1))


def normal_of_p(p_values: np.ndarray) -> np.ndarray:
    """Normal quantiles of p-values [N], within -8 and 8: a small p-value gives a large number."""
    z = scipy.stats.norm.isf(np.asarray(p_values, np.float64))
    return np.clip(z, -HIGHEST_QUANTILE, HIGHEST_QUANTILE)


def serial_correlation(z: np.ndarray) -> float:
    """Correlation of neighbouring healthy scores [N]; 0 where it is not clearly above 0, at most MOST_CORRELATION."""
    z = np.asarray(z, np.float64)
    if len(z) < FEWEST_REFERENCE or z.std() == 0:
        return 0.0
    centred = z - z.mean()
    found = float(centred[1:] @ centred[:-1] / (centred @ centred))
    return min(found, MOST_CORRELATION) if found > 2 / math.sqrt(len(z)) else 0.0


def innovations(z: np.ndarray, correlation: float) -> np.ndarray:
    """What each score adds to what the one before lets expect, of a standard normal law again: float64 [N]."""
    if not correlation:
        return np.asarray(z, np.float64)
    return np.concatenate([z[:1], (z[1:] - correlation * z[:-1]) / math.sqrt(1 - correlation**2)])
