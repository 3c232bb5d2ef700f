"""Probing a frozen network: linear heads on every stage, few labels, the stage chosen on validation windows.

For each fold of a protocol and each draw of labelled windows a head is fitted on every stage's pooled output. The draw
takes windows from recordings in turn (`fdx.data.few_labels`). The stage is chosen in each fold and draw by the
accuracy on the fold's validation windows, and by their log loss where accuracies are equal. Test windows and the
validation windows of other folds play no part. Validation windows need labels, too; the result says how many.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from sklearn.metrics import f1_score, log_loss
from threadpoolctl import threadpool_limits

from fdx.data.few_labels import few_labels
from fdx.data.protocols.splits import Splits, split_rows
from fdx.data.source import Dataset
from fdx.data.table import Table
from fdx.evaluate.spread import spread
from fdx.signal.scaling import Gain, fit_gain
from fdx.train.forward import Progress, no_progress
from fdx.train.linear_head import LinearHead, Standardiser
from fdx.types import ConfigError

from .stage_features import INPUT, Features

ALL_LABELS = 0
CHOSEN = 'chosen on validation'
# Seeds of draws are this far apart, so that the draws of one seed are not those of the next.
DRAWS_A_SEED = 1000


@dataclasses.dataclass(frozen=True)
class ProbePlan:
    """What is probed.

    Attributes:
      protocol: key of fdx.data.protocols.splits.
      folds: which of its folds; they are pooled.
      shots: labelled windows of each class; ALL_LABELS for all training windows.
      draws: how often few labels are drawn.
      label_key: `label` or `fault_type`.
      seed: of the draws and of what is random in the protocol.
      exclude_recordings: ids of recordings to leave out.
    """

    protocol: str = 'time_blocks'
    folds: tuple[int, ...] = (0,)
    shots: tuple[int, ...] = (1, 2, 5, ALL_LABELS)
    draws: int = 20
    label_key: str = 'label'
    seed: int = 0
    exclude_recordings: tuple[str, ...] = ()

    def __post_init__(self):
        if not self.shots or min(self.shots) < 0 or len(set(self.shots)) < len(self.shots):
            raise ConfigError(f'`shots`={self.shots}: counts of labelled windows per class, each once; 0 for all')
        if not 1 <= self.draws < DRAWS_A_SEED:
            raise ConfigError(f'`draws`={self.draws}: from 1 to {DRAWS_A_SEED - 1}')

    def draw_seeds(self, shots: int) -> list[int]:
        """Seeds of the draws; with all labels there is nothing to draw."""
        return [DRAWS_A_SEED * self.seed + i for i in range(1 if shots == ALL_LABELS else self.draws)]


@dataclasses.dataclass(frozen=True, eq=False)
class _Scored:
    """One head: its hits on validation and its verdicts on the test windows.

    Attributes:
      validation: (accuracy, -log loss): the greater, the better.
      predicted: int [N], of the test windows.
      layer: the head as kernel and bias of a dense layer; None for few labels.
    """

    validation: tuple[float, float]
    predicted: np.ndarray
    layer: tuple[np.ndarray, np.ndarray] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class ChosenHead:
    """The head of a fold on the stage that its validation windows chose, from all training windows.

    Attributes:
      stage: name of the stage.
      kernel: float32 [D, K], of a dense layer on the stage's pooled output; standardising is part of it.
      bias: float32 [K].
      validation_accuracy: share of validation windows that are right.
      validation_loss: mean negative log probability of their true classes.
      predicted: int [N], class numbers of the fold's test windows.
    """

    stage: str
    kernel: np.ndarray
    bias: np.ndarray
    validation_accuracy: float
    validation_loss: float
    predicted: np.ndarray


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
    heads: dict[tuple[int, int, int], dict[str, _Scored]] = {}
    widths: dict[str, int] = {}
    jobs = [(fold, name) for fold in plan.folds for name in names]
    for fold, name in progress(jobs, total=len(jobs), desc='heads'):
        # A gain needs no labels: it is fitted on all training windows of the fold.
        found = features(fit_gain(dataset.front_end.scaling, dataset.table['peak'][splits[fold].train]))[name]
        widths[name] = found.shape[1]
        # The products are small: threads that wait for each other would take several times as long.
        with threadpool_limits(1):
            scored = _fit_all(found, labels, splits[fold], classes, dataset.table, plan)
        for (shots, draw), head in scored.items():
            heads.setdefault((shots, draw, fold), {})[name] = head
    if keep is not None and ALL_LABELS in plan.shots:
        (draw,) = plan.draw_seeds(ALL_LABELS)
        keep |= {fold: _chosen_head(heads[ALL_LABELS, draw, fold]) for fold in plan.folds}
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


def _fit_all(
    features: np.ndarray, labels: np.ndarray, splits: Splits, classes: int, table: Table, plan: ProbePlan
) -> dict[tuple[int, int], _Scored]:
    """(shots, draw) -> head, for the features [rows of the table, D] of one stage in one fold."""
    standardise = Standardiser(features[splits.train])
    train, validation, test = (standardise(features[r]) for r in (splits.train, splits.validation, splits.test))
    truth, found = labels[splits.validation], {}
    for shots in plan.shots:
        for draw in plan.draw_seeds(shots):
            drawn = few_labels(table, splits.train, shots, plan.label_key, draw)
            head = LinearHead(train[np.searchsorted(splits.train, drawn)], labels[drawn])
            probabilities = head.probabilities(validation, classes)
            hits = float((probabilities.argmax(1) == truth).mean())
            loss = float(log_loss(truth, probabilities, labels=np.arange(classes)))
            layer = head.folded(standardise, classes) if shots == ALL_LABELS else None
            found[shots, draw] = _Scored((hits, -loss), head.probabilities(test, classes).argmax(1), layer)
    return found


def _choice(heads: Mapping[str, _Scored]) -> str:
    """The stage that is best on validation windows."""
    return max((name for name in heads if name != INPUT), key=lambda name: heads[name].validation)


def _chosen_head(heads: Mapping[str, _Scored]) -> ChosenHead:
    stage = _choice(heads)
    scored = heads[stage]
    kernel, bias = cast('tuple[np.ndarray, np.ndarray]', scored.layer)
    accuracy, minus_loss = scored.validation
    return ChosenHead(stage, kernel, bias, accuracy, -minus_loss, scored.predicted)


def _rows(
    draws: Sequence[Sequence[Mapping[str, _Scored]]], truth: Mapping[int, np.ndarray], widths: Mapping[str, int]
) -> list[dict[str, Any]]:
    """One row for each stage, and one for the choice.

    Args:
      draws: for every draw, for every fold, the heads by stage.
      truth: fold -> labels of its test windows.
      widths: stage -> length of its vectors.
    """
    choices = [[_choice(heads) for heads in folds] for folds in draws]
    counts = Counter(stage for of_draw in choices for stage in of_draw)
    rows = []
    for name in widths:
        picked = [[heads[name] for heads in folds] for folds in draws]
        rows.append({'stage': name, 'values': widths[name], **_score(picked, truth)})
        rows[-1]['chosen'] = None if name == INPUT else counts[name]
    picked = [[heads[s] for heads, s in zip(folds, of_draw)] for folds, of_draw in zip(draws, choices)]
    rows.append({'stage': CHOSEN, 'values': None, **_score(picked, truth), 'chosen': sum(counts.values())})
    return rows


def _score(draws: Sequence[Sequence[_Scored]], truth: Mapping[int, np.ndarray]) -> dict[str, Any]:
    labels = np.concatenate(list(truth.values()))
    predicted = [np.concatenate([scored.predicted for scored in folds]) for folds in draws]
    return {
        'accuracy': spread([float((p == labels).mean()) for p in predicted]),
        'macro_f1': spread([float(f1_score(labels, p, average='macro', labels=np.unique(labels))) for p in predicted]),
        'validation_accuracy': spread([float(np.mean([scored.validation[0] for scored in folds])) for folds in draws]),
    }
