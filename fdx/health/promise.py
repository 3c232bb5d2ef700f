"""What held-out healthy scores can promise, and whether they keep it among themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.health.tail import EXTRAPOLATION, Tail
from fdx.health.wish import Rule, Wish

# What cannot promise less than every second recording promises nothing.
MOST_RATE = 0.5
# Rates at which a baseline is checked against its own held-out blocks.
CHECKED_RATES = (0.1, 0.05, 0.01)
# A check has failed where so many false alarms are as improbable as this at the promised rate.
SURPRISE = 0.05


@dataclasses.dataclass(frozen=True)
class Promise:
    """What can be promised.

    Attributes:
      rate: of false alarms per recording: the wished one, or what the units allow.
      inflation: see fdx.health.baseline.Baseline.
      checks: the rows of `check_rates`.
    """

    rate: float
    inflation: float
    checks: list[dict[str, Any]]

    @classmethod
    def of(cls, held_out: np.ndarray, block: np.ndarray, clusters: np.ndarray, wish: Wish, rule: Rule) -> Promise:
        """The promise of held-out scores.

        Args:
          held_out: float64 [U], of the units.
          block: int64 [U], the block of each unit.
          clusters: int64 [U], the recording of each unit.
          wish: how often a false alarm may come.
          rule: of alarms.
        """
        checks = check_rates(held_out, block)
        inflation = inflation_of(checks)
        least = min(inflation * least_rate(held_out, rule, clusters), MOST_RATE)
        return cls(max(wish.rate, least), inflation, checks)


def inflation_of(checks: list[dict[str, Any]]) -> float:
    """How many times more often held-out blocks pass a limit than its rate says, where that is no chance; else 1."""
    return max([1.0, *(c['measured'] / c['promised'] for c in checks if not c['holds'])])


def effective_units(scores: np.ndarray, clusters: np.ndarray) -> float:
    """How many independent units scores of pieces are worth, at least one per recording.

    Pieces of a recording resemble each other. n pieces in recordings of m are worth n / (1 + (m - 1) r) with r the
    intraclass correlation, by the analysis of variance (Kish, "Survey Sampling", 1965, section 5.4).

    Args:
      scores: float64 [U].
      clusters: int [U], the recording of each.
    """
    names, of_unit, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(names) < 2 or len(names) == len(scores):
        return float(len(scores))
    size = len(scores) / len(names)
    means = np.bincount(of_unit, scores) / counts
    between = float((counts * (means - scores.mean()) ** 2).sum()) / (len(names) - 1)
    within = float(((scores - means[of_unit]) ** 2).sum()) / max(len(scores) - len(names), 1)
    total = between + (size - 1) * within
    alike = max((between - within) / total, 0.0) if total > 0 else 1.0
    return len(scores) / (1 + (size - 1) * alike)


def least_rate(held_out: np.ndarray, rule: Rule, clusters: np.ndarray | None = None) -> float:
    """The smallest rate of false alarms that held-out scores can promise.

    Args:
      held_out: float64 [U], of the units.
      rule: of alarms.
      clusters: int [U], the recording of each unit; None: each is one.
    """
    units = len(held_out) if clusters is None else effective_units(held_out, clusters)
    return min(1 / (EXTRAPOLATION * (units - rule.needed + 2)), MOST_RATE)


def units_for(rate: float, rule: Rule) -> int:
    """How many healthy recordings it takes to promise a rate."""
    return int(np.ceil(1 / (EXTRAPOLATION * rate))) + rule.needed - 2


def check_rates(held_out: np.ndarray, block: np.ndarray) -> list[dict[str, Any]]:
    """Promised against measured rates: each block is judged by limits that were set without it.

    Args:
      held_out: float64 [U], scores.
      block: int64 [U].

    Returns:
      One row per rate of CHECKED_RATES that the number of units can measure: promised, measured, units, exceeded, and
      the 95 % interval of the measured rate (Clopper and Pearson, Biometrika 26:404-413, 1934), which takes the units
      for independent.
    """
    p = np.empty(len(held_out))
    for b in np.unique(block):
        p[block == b] = Tail.of(held_out[block != b]).p_values(held_out[block == b])
    rows = []
    for rate in CHECKED_RATES:
        if rate * len(p) < 1:
            continue
        exceeded = int((p <= rate).sum())
        low, high = scipy.stats.binomtest(exceeded, len(p), rate).proportion_ci(0.95, method='exact')
        surprise = float(scipy.stats.binom.sf(exceeded - 1, len(p), rate))
        rows.append(
            {
                'promised': rate,
                'measured': exceeded / len(p),
                'exceeded': exceeded,
                'units': len(p),
                'interval': [float(low), float(high)],
                'holds': surprise >= SURPRISE,
            }
        )
    return rows
