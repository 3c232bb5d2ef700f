"""How good a healthy baseline is: areas under curves, detections and false alarms, with recordings as units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats
from sklearn.metrics import roc_auc_score

from fdx.evaluate.intervals import wilson_interval

# Rates of false alarms per recording at which a promise is compared with what comes; the last one decides detection.
RATES = (0.1, 0.05, 0.01)
PROMISED = RATES[-1]
PARTIAL = 0.1
# A measured rate tells whether a promise holds where so many false alarms were expected.
ENOUGH = 5.0
FACTOR = 2.0


def areas(healthy: np.ndarray, faulty: np.ndarray, recording: np.ndarray) -> dict[str, float]:
    """Areas under the ROC curve of units; every faulty recording weighs alike, however many pieces it has.

    Args:
      healthy: float64 [H], scores of healthy units.
      faulty: float64 [N], scores of units of faulty recordings.
      recording: int [N], the recording of each.

    Returns:
      {'roc_auc', 'partial_auc_10': up to 10 % false alarms, scaled so that chance is 0.5 and the best 1 (McClish,
      Medical Decision Making 9:190-195, 1989)}.
    """
    counts = np.bincount(recording)
    weights = np.concatenate([np.full(len(healthy), 1 / len(healthy)), 1 / counts[recording]])
    truth = np.repeat([0, 1], [len(healthy), len(faulty)])
    scores = np.concatenate([healthy, faulty])
    return {
        'roc_auc': float(roc_auc_score(truth, scores, sample_weight=weights)),
        'partial_auc_10': float(roc_auc_score(truth, scores, sample_weight=weights, max_fpr=PARTIAL)),
    }


def auc_interval(area: float, healthy: int, faulty: int) -> list[float]:
    """95 % interval of an area under the ROC curve, wide rather than narrow.

    Its variance is at most A (1 - A) / min(m, n), whatever the laws (Birnbaum and Klose, "Bounds for the variance of
    the Mann-Whitney statistic", Annals of Mathematical Statistics 28:933-945, 1957): that of a proportion of so many
    trials. Wilson's interval of it has a width at 1, too, where a bootstrap would claim certainty.

    Args:
      area: under the curve.
      healthy: number of independent healthy units.
      faulty: number of faulty recordings.
    """
    trials = min(healthy, faulty)
    return list(wilson_interval(area * trials, trials) or (0.0, 1.0))


def detection(p_values: np.ndarray, kinds: Sequence[str]) -> dict[str, Any]:
    """Shares of recordings that are called unusual at PROMISED, for all and by kind.

    Args:
      p_values: float64 [R]; NaN outside the operating range, which does not count.
      kinds: of each recording.

    Returns:
      {'detected', 'detected_interval' (Wilson), 'recordings', 'outside', 'by_kind': {kind: [detected, recordings]}}.
    """
    judged = np.isfinite(p_values)
    hits = judged & (np.nan_to_num(p_values, nan=1.0) <= PROMISED)
    count, found = int(judged.sum()), int(hits.sum())
    of_kind = np.array(kinds)
    by_kind = {
        kind: [int(hits[of_kind == kind].sum()), int(judged[of_kind == kind].sum())] for kind in sorted(set(kinds))
    }
    interval = wilson_interval(found, count)
    return {
        'detected': found / count if count else None,
        'detected_interval': list(interval) if interval else None,
        'recordings': count,
        'outside': int((~judged).sum()),
        'by_kind': by_kind,
    }


def rates(p_values: np.ndarray) -> list[dict[str, Any]]:
    """Promised against measured rates of false alarms on healthy units: one row per rate of RATES.

    Args:
      p_values: float64 [U], finite, of units that the baseline had not seen.
    """
    units = len(p_values)
    exceeded = [int((p_values <= rate).sum()) for rate in RATES]
    return [
        {'promised': rate, 'measured': count / units, 'exceeded': count, 'units': units}
        for rate, count in zip(RATES, exceeded)
    ]


def verdict(promised: float, exceeded: int, units: int) -> str:
    """Whether a promise holds within a factor of two: 'yes', 'no', or 'few' where the units cannot tell.

    With fewer than ENOUGH expected false alarms it is 'no' only where so many are improbable (1 %) at twice the rate.
    """
    expected = promised * units
    if expected >= ENOUGH:
        return 'yes' if expected / FACTOR <= exceeded <= expected * FACTOR else 'no'
    surprising = scipy.stats.binom.sf(exceeded - 1, units, min(1.0, FACTOR * promised)) < 0.01
    return 'no' if surprising else 'few'


def life(alarm: np.ndarray, strengths: np.ndarray, ages: np.ndarray, until: float) -> dict[str, Any]:
    """Alarms in a life.

    Args:
      alarm: bool [R], whether each recording is in alarm, in the order of time.
      strengths: float64 [R], how strong the case for an alarm is.
      ages: float64 [R], share of the life that has passed.
      until: an alarm before this age is false.

    Returns:
      {'false_third', 'false_half': recordings in alarm, 'early': how many there are before `until`, 'lead_share': of
      the life that is left at the first alarm after `until` (None without one), 'equal_lead_share': the same with the
      lowest limit of strengths that no recording before `until` passes}.
    """
    early = ages <= until
    highest = strengths[early].max() if early.any() else -np.inf

    def lead(alarms: np.ndarray) -> float | None:
        later = np.flatnonzero(alarms & ~early)
        return float(1 - ages[later[0]]) if len(later) else None

    return {
        'false_third': int((alarm & early).sum()),
        'false_half': int((alarm & (ages <= 0.5)).sum()),
        'early': int(early.sum()),
        'lead_share': lead(alarm),
        'equal_lead_share': lead(strengths > highest),
    }
