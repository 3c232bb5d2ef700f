"""Which epoch a criterion chooses: of those at full strength of the method's term, the best one.

An epoch before that is of another training objective: its source risk is low because nothing pulls at the features yet,
and the earliest epochs would win before the domains have met. Where the risk of the source cannot tell epochs apart,
because they differ by less than its standard error, the later one is taken: the term has acted on it for longer (the
rule of one standard error of Breiman et al., "Classification and regression trees", 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.adapt.schedule import FULL_STRENGTH

# Criteria whose history rows have a standard error under NAME_se.
WITH_STANDARD_ERROR = ('source_risk',)
# Below the score of any epoch at full strength.
BEFORE_FULL_STRENGTH = -1e12


def is_at_full_strength(row: dict[str, Any]) -> bool:
    """Whether criteria may choose this epoch; histories of before there was a warm-up say nothing, and all may."""
    return row.get('strength', 1.0) >= FULL_STRENGTH


def score(history: Sequence[dict[str, Any]], criterion: str) -> float | None:
    """Score of the last epoch of a history: the step with the highest score is the one that `chosen` takes.

    It depends on earlier epochs only, so that it can be stored with the checkpoint of the epoch.

    Args:
      history: rows of all epochs so far, at least one.
      criterion: a name of fdx.adapt.config.CRITERIA.

    Returns:
      None for an epoch whose criterion is not finite.
    """
    row = history[-1]
    if criterion == 'last':
        return float(row['step'])
    # Histories of earlier versions lack some criteria.
    if not np.isfinite(row.get(criterion, np.nan)):
        return None
    if not is_at_full_strength(row):
        return BEFORE_FULL_STRENGTH + row['step']
    if criterion not in WITH_STANDARD_ERROR:
        return -float(row[criterion])
    risks = [r[criterion] for r in history if is_at_full_strength(r) and np.isfinite(r.get(criterion, np.nan))]
    # A step that ties with the best one so far counts more than all before it; a later and better one will count more.
    ties = row[criterion] <= min(risks) + row.get(f'{criterion}_se', 0.0)
    return float(row['step']) if ties else -float(row[criterion])


def chosen(history: Sequence[dict[str, Any]], criterion: str) -> dict[str, Any]:
    """The row of the epoch that a criterion chooses; the last one where none has a finite criterion.

    Args:
      history: rows of all epochs, at least one.
      criterion: a name of fdx.adapt.config.CRITERIA.
    """
    scores = [score(history[: i + 1], criterion) for i in range(len(history))]
    known = [s for s in scores if s is not None]
    return history[scores.index(max(known))] if known else history[-1]
