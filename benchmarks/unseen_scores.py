"""How good verdicts on one machine are, with recordings as units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from fdx.evaluate.intervals import wilson_interval
from fdx.evaluate.metrics import expected_calibration_error

from .unseen_verdicts import NORMAL, VERDICT_STATES, Verdicts


def score(verdicts: Verdicts, truth: Sequence[str], states: Sequence[str]) -> dict[str, Any]:
    """Scores of verdicts on the recordings of some states.

    A verdict may be any state, also one that is not asked for, and is wrong then. A recording without a verdict counts
    as wrong, except in values `_answered`, where it does not count.

    Args:
      verdicts: on N recordings.
      truth: their states.
      states: those that are asked for; the others' recordings are left out.

    Returns:
      states: those that occur; recordings: how many; balanced_accuracy, its interval [low, high] (95 %) and recalls
      per state; balanced_accuracy_answered: over states with a verdict, None where there is none; specificity and
      specificity_answered: share of healthy recordings that are called so; roc_auc: of the healthy state's probability,
      healthy against faulty, abstained ones included; these three are None where a side has no recordings. abstained:
      share; wrong: share with a wrong verdict; ece: expected calibration error of the verdicts.
    """
    truth_array = np.asarray(truth)
    rows = np.flatnonzero(np.isin(truth_array, list(states)))
    truth_array, answered = truth_array[rows], ~verdicts.abstained[rows]
    probabilities = verdicts.probabilities[rows]
    said = np.array(VERDICT_STATES)[probabilities.argmax(axis=1)]
    right = (said == truth_array) & answered
    present = [state for state in states if (truth_array == state).any()]
    of_state = {state: truth_array == state for state in present}
    recalls = {state: float(right[mine].mean()) for state, mine in of_state.items()}
    of_answered = [float(right[m & answered].mean()) for m in of_state.values() if (m & answered).any()]
    healthy = truth_array == VERDICT_STATES[NORMAL]
    labels = np.array([VERDICT_STATES.index(state) for state in truth_array])
    return {
        'states': present,
        'recordings': len(rows),
        'balanced_accuracy': _mean(list(recalls.values())),
        'interval': balanced_interval([(float(right[m].sum()), int(m.sum())) for m in of_state.values()]),
        'recalls': recalls,
        'balanced_accuracy_answered': _mean(of_answered),
        'specificity': _share(right, healthy),
        'specificity_answered': _share(right, healthy & answered),
        'roc_auc': _roc_auc(probabilities[:, NORMAL], healthy),
        'abstained': float(1 - answered.mean()) if len(rows) else None,
        'wrong': float((answered & ~right).mean()) if len(rows) else None,
        'ece': expected_calibration_error(probabilities[answered], labels[answered]) if answered.any() else None,
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _share(right: np.ndarray, among: np.ndarray) -> float | None:
    return float(right[among].mean()) if among.any() else None


def _roc_auc(normal: np.ndarray, healthy: np.ndarray) -> float | None:
    if healthy.all() or not healthy.any():
        return None
    return float(roc_auc_score(~healthy, -normal))


def balanced_interval(counts: Sequence[tuple[float, int]]) -> list[float] | None:
    """95 % interval of the mean of several recalls, each recording an independent trial.

    Wilson's intervals of the recalls are put together by the method of variance estimates recovery (G. Y. Zou and A.
    Donner, Statistics in Medicine 27(10):1693-1702, 2008). Unlike a bootstrap over recordings, which claims certainty
    where all are right, it has a width at 0 and at 100 %.

    Args:
      counts: (right, of how many) per state.

    Returns:
      [low, high]; None where there are no states.
    """
    if not counts:
        return None
    shares = np.array([right / number for right, number in counts])
    bounds = np.array([wilson_interval(right, number) for right, number in counts], np.float64)
    below, above = ((np.square(shares - bounds[:, i])).sum() ** 0.5 / len(counts) for i in (0, 1))
    centre = shares.mean()
    return [float(max(centre - below, 0.0)), float(min(centre + above, 1.0))]


def rows_of(cell: Mapping[str, Any], questions: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Rows of the page's file: one for each question, and one for each stratum of the graded faults.

    Args:
      cell: what `unseen_run.run_cell` returns.
      questions: states that are asked for together; one whose states all occur in an earlier one is left out.
    """
    verdicts, truth = Verdicts.from_json(cell['verdicts']), cell['truth']
    head = {'suite': cell['suite'], 'machine': cell['machine'], 'method': cell['method'], 'seed': cell['seed']}
    rows: list[dict[str, Any]] = []
    for states in questions:
        found = score(verdicts, truth, states)
        if found['recordings'] and found['states'] not in [row['states'] for row in rows]:
            rows.append({**head, 'stratum': 'all', **found, 'seconds': cell['seconds']})
    grades = np.array(cell['strata'])
    for grade in dict.fromkeys(g for g in cell['strata'] if g and g != 'healthy'):
        mine = np.flatnonzero(grades == grade)
        part = Verdicts(
            verdicts.probabilities[mine], verdicts.abstained[mine], tuple(verdicts.reasons[i] for i in mine)
        )
        for states in questions:
            found = score(part, [truth[i] for i in mine], states)
            if found['recordings']:
                rows.append({**head, 'stratum': grade, **found, 'seconds': cell['seconds']})
    return rows
