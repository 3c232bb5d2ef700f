"""Probing a frozen network: linear heads on every stage, few labels, the stage chosen on validation windows.

For each fold of a protocol and each draw of labelled windows a head is fitted on every stage's pooled output. The draw
takes windows from recordings in turn (`fdx.data.few_labels`). The stage is chosen in each fold and draw by the
accuracy on the fold's validation windows, and by their log loss where accuracies are equal. Test windows and the
validation windows of other folds play no part. Validation windows need labels, too; the result says how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from fdx.data.protocols.splits import Splits, split_rows
from fdx.data.source import Dataset
from fdx.evaluate.spread import spread
from fdx.signal.scaling import Gain, fit_gain
from fdx.train.forward import Progress, no_progress

from .probe_heads import ALL_LABELS, ChosenHead, ProbePlan, Scored, choice_of, chosen_head, fit_all
from .stage_features import INPUT, Features

CHOSEN = 'chosen on validation'


def probe(
    dataset: Dataset,
    features: Callable[[Gain], Features],
    stages: Sequence[str],
    plan: ProbePlan,
    progress: Progress = no_progress,
    keep: dict[int, ChosenHead] | None = None,
) -> dict[str, Any]:
    """Fits and scores every head.

    Args:
      dataset: whose table the features follow, row by row.
      features: gain -> {stage: float32 [rows of the table, D]}, INPUT among them (benchmarks.stage_features).
      stages: those of the network that the choice is made among; INPUT is scored beside them.
      plan: what to do.
      progress: wraps the list of fits.
      keep: is filled with the chosen head of each fold, where `plan.shots` has ALL_LABELS.

    Returns:
      protocol, folds, leaks, classes, test_windows, validation_windows (both over all folds), train_windows (of each
      fold), shots: list of {shots, draws, rows: list of {stage, values (D, or None for the choice), accuracy, macro_f1,
      validation_accuracy: each {mean, standard_deviation over draws, values}, chosen: how often (None for INPUT)}}.
      The last row, CHOSEN, has the stage chosen on validation. Accuracy and macro F1 pool the folds of a draw; the
      deviation is the sample's, None for one draw.

    Raises:
      SplitError: a protocol that does not fit the data.
    """
    splits = {fold: split_of(dataset, plan, fold) for fold in plan.folds}
    labels = dataset.table[plan.label_key]
    classes = len(dataset.class_names(plan.label_key))
    names = (INPUT, *stages)
    heads: dict[tuple[int, int, int], dict[str, Scored]] = {}
    widths: dict[str, int] = {}
    jobs = [(fold, name) for fold in plan.folds for name in names]
    for fold, name in progress(jobs, total=len(jobs), desc='heads'):
        # A gain needs no labels: it is fitted on all training windows of the fold.
        found = features(fit_gain(dataset.front_end.scaling, dataset.table['peak'][splits[fold].train]))[name]
        widths[name] = found.shape[1]
        # The products are small: threads that wait for each other would take several times as long.
        with threadpool_limits(1):
            scored = fit_all(found, labels, splits[fold], classes, dataset.table, plan)
        for (shots, draw), head in scored.items():
            heads.setdefault((shots, draw, fold), {})[name] = head
    if keep is not None and ALL_LABELS in plan.shots:
        (draw,) = plan.draw_seeds(ALL_LABELS)
        keep |= {fold: chosen_head(heads[ALL_LABELS, draw, fold]) for fold in plan.folds}
    truth = {fold: labels[splits[fold].test] for fold in plan.folds}
    of_shots = [
        {
            'shots': shots,
            'draws': len(plan.draw_seeds(shots)),
            'rows': _rows([[heads[shots, d, f] for f in plan.folds] for d in plan.draw_seeds(shots)], truth, widths),
        }
        for shots in plan.shots
    ]
    return {
        'protocol': plan.protocol,
        'folds': list(plan.folds),
        'leaks': any(s.leaks for s in splits.values()),
        'classes': classes,
        'test_windows': sum(len(s.test) for s in splits.values()),
        'validation_windows': sum(len(s.validation) for s in splits.values()),
        'train_windows': [len(s.train) for s in splits.values()],
        'shots': of_shots,
    }


def split_of(dataset: Dataset, plan: ProbePlan, fold: int) -> Splits:
    """The splits of one fold of a plan."""
    return split_rows(
        dataset.table,
        plan.protocol,
        fold=fold,
        seed=plan.seed,
        label_key=plan.label_key,
        exclude_recordings=plan.exclude_recordings,
    )


def _rows(
    draws: Sequence[Sequence[Mapping[str, Scored]]], truth: Mapping[int, np.ndarray], widths: Mapping[str, int]
) -> list[dict[str, Any]]:
    """One row for each stage, and one for the choice.

    Args:
      draws: for every draw, for every fold, the heads by stage.
      truth: fold -> labels of its test windows.
      widths: stage -> length of its vectors.
    """
    choices = [[choice_of(heads) for heads in folds] for folds in draws]
    counts = Counter(stage for of_draw in choices for stage in of_draw)
    rows = []
    for name in widths:
        picked = [[heads[name] for heads in folds] for folds in draws]
        rows.append({'stage': name, 'values': widths[name], **_score(picked, truth)})
        rows[-1]['chosen'] = None if name == INPUT else counts[name]
    picked = [[heads[s] for heads, s in zip(folds, of_draw)] for folds, of_draw in zip(draws, choices)]
    rows.append({'stage': CHOSEN, 'values': None, **_score(picked, truth), 'chosen': sum(counts.values())})
    return rows


def _score(draws: Sequence[Sequence[Scored]], truth: Mapping[int, np.ndarray]) -> dict[str, Any]:
    labels = np.concatenate(list(truth.values()))
    predicted = [np.concatenate([scored.predicted for scored in folds]) for folds in draws]
    return {
        'accuracy': spread([float((p == labels).mean()) for p in predicted]),
        'macro_f1': spread([float(f1_score(labels, p, average='macro', labels=np.unique(labels))) for p in predicted]),
        'validation_accuracy': spread([float(np.mean([scored.validation[0] for scored in folds])) for folds in draws]),
    }
