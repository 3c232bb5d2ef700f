"""The heads of a probe: what is fitted, how it is scored, and which stage validation windows choose."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import cast

import numpy as np
from sklearn.metrics import log_loss

from fdx.data.few_labels import few_labels
from fdx.data.protocols.splits import Splits
from fdx.data.table import Table
from fdx.train.linear_head import LinearHead, Standardiser
from fdx.types import ConfigError

from .stage_features import INPUT

ALL_LABELS = 0
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
class Scored:
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


def fit_all(
    features: np.ndarray, labels: np.ndarray, splits: Splits, classes: int, table: Table, plan: ProbePlan
) -> dict[tuple[int, int], Scored]:
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
            found[shots, draw] = Scored((hits, -loss), head.probabilities(test, classes).argmax(1), layer)
    return found


def choice_of(heads: Mapping[str, Scored]) -> str:
    """The stage that is best on validation windows."""
    return max((name for name in heads if name != INPUT), key=lambda name: heads[name].validation)


def chosen_head(heads: Mapping[str, Scored]) -> ChosenHead:
    """The head on that stage, of heads that were fitted to all training windows."""
    stage = choice_of(heads)
    scored = heads[stage]
    kernel, bias = cast('tuple[np.ndarray, np.ndarray]', scored.layer)
    accuracy, minus_loss = scored.validation
    return ChosenHead(stage, kernel, bias, accuracy, -minus_loss, scored.predicted)
