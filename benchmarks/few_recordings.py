"""A machine with few labelled recordings: what a frozen network is worth there, with the recording as the unit.

In each draw some recordings of every class are labelled, and all others are tested, so that no test recording shares a
window with a labelled one. A linear head is fitted to the windows of the labelled recordings, and its probabilities are
averaged over the windows of a test recording. So few labels leave nothing to choose a network's stage with: the stage
is the one that did best on another machine, with as many labels. Test recordings play no part in standardising.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import scipy.special
from sklearn.metrics import balanced_accuracy_score, f1_score
from threadpoolctl import threadpool_limits

from fdx.evaluate.spread import spread
from fdx.train.linear_head import LinearHead, Standardiser
from fdx.types import DataError

from .probe import CHOSEN
from .probe_heads import DRAWS_A_SEED
from .stage_features import INPUT

SCORES = ('balanced_accuracy', 'macro_f1')
# Stage or verdict -> score of SCORES -> one value per draw.
Scores: TypeAlias = dict[str, dict[str, list[float]]]


@dataclasses.dataclass(frozen=True)
class MachineVectors:
    """What a network makes of the recordings of one machine.

    Attributes:
      labels: int [N], class numbers.
      stages: stage -> N arrays float32 [W, D], one vector per window; INPUT may be among them.
      verdicts: name -> probabilities [N, K] of something that needs no labels.
    """

    labels: np.ndarray
    stages: Mapping[str, Sequence[np.ndarray]]
    verdicts: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def choices(self) -> list[str]:
        """The stages of the network; the input where there is none."""
        return [name for name in self.stages if name != INPUT] or [INPUT]


def draw_labelled(labels: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Which recordings are labelled, bool [N]: `per_class` of each class, or all but one where there are no more.

    Args:
      labels: int [N].
      per_class: at least 1.
      seed: of the draw; fewer labels with the same seed are a subset of more.

    Raises:
      DataError: a class has a single recording, which cannot be labelled and tested.
    """
    drawn = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        if len(own) < 2:
            raise DataError(f'class {label} has a single recording: it cannot be labelled and tested')
        order = np.random.default_rng([seed, int(label)]).permutation(own)
        drawn[order[: min(per_class, len(own) - 1)]] = True
    return drawn


def verdicts_of(vectors: Sequence[np.ndarray], labels: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Probabilities [N, K] of all recordings, by a head on the windows of those that are labelled.

    Args:
      vectors: N arrays float32 [W, D].
      labels: int [N], of which only those of labelled recordings are read.
      drawn: bool [N], which are labelled.
    """
    known = np.concatenate([vectors[i] for i in np.flatnonzero(drawn)])
    truth = np.concatenate([np.full(len(vectors[i]), labels[i]) for i in np.flatnonzero(drawn)])
    standardise = Standardiser(known)
    # Standardising as part of the head takes half of the time of standardising all windows.
    kernel, bias = LinearHead(standardise(known), truth).folded(standardise, int(labels.max()) + 1)
    found = scipy.special.softmax(np.concatenate(vectors) @ kernel + bias, axis=1)
    ends = np.cumsum([len(v) for v in vectors])[:-1]
    return np.stack([part.mean(axis=0) for part in np.split(found, ends)])


def score_draws(machine: MachineVectors, per_class: int, seeds: Sequence[int]) -> Scores:
    """The scores of every stage and verdict, one value per draw."""
    scores: Scores = {}
    for seed in seeds:
        drawn = draw_labelled(machine.labels, per_class, seed)
        found = dict(machine.verdicts)
        # The products are small: threads that wait for each other would take several times as long.
        with threadpool_limits(1):
            found |= {name: verdicts_of(v, machine.labels, drawn) for name, v in machine.stages.items()}
        truth = machine.labels[~drawn]
        for name, probabilities in found.items():
            called = probabilities[~drawn].argmax(axis=1)
            of_stage = scores.setdefault(name, {score: [] for score in SCORES})
            of_stage['balanced_accuracy'].append(float(balanced_accuracy_score(truth, called)))
            of_stage['macro_f1'].append(float(f1_score(truth, called, average='macro', labels=np.unique(truth))))
    return scores


def score_machine(machine: MachineVectors, shots: Sequence[int], draws: int, seed: int) -> dict[int, Scores]:
    """Labelled recordings of each class -> `score_draws` of all stages and verdicts.

    Args:
      machine: as a network sees it.
      shots: labelled recordings of each class.
      draws: how often they are drawn.
      seed: of the draws.
    """
    seeds = [DRAWS_A_SEED * seed + i for i in range(draws)]
    return {per_class: score_draws(machine, per_class, seeds) for per_class in shots}


def few_recordings(
    own: Mapping[int, Scores], other: Mapping[int, Scores], stages: Sequence[str], draws: int
) -> list[dict[str, Any]]:
    """Scores of all stages, and of the one that is chosen on the other machine.

    Args:
      own: of `score_machine`, for the machine that is tested.
      other: for the machine on which the stage is chosen.
      stages: those that the choice is made among.
      draws: how often labels were drawn.

    Returns:
      In the form of `shots` of benchmarks.probe.probe: {shots, draws, rows: list of {stage, balanced_accuracy,
      macro_f1: each {mean, standard_deviation over draws, values}, chosen: how often (None for INPUT and verdicts)}}.
    """
    parts = []
    for per_class, found in own.items():
        best = max(stages, key=lambda name, k=per_class: float(np.mean(other[k][name]['balanced_accuracy'])))
        rows = [
            {'stage': name, **_spreads(scores), 'chosen': draws * (name == best) if name in stages else None}
            for name, scores in found.items()
        ]
        rows.append({'stage': CHOSEN, **_spreads(found[best]), 'chosen': draws})
        parts.append({'shots': per_class, 'draws': draws, 'rows': rows})
    return parts


def _spreads(scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    return {name: spread([round(value, 6) for value in values]) for name, values in scores.items()}
