"""The row of the benchmark `unseen` whose judge has also seen real machines, always without the tested one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from fdx.data.simulated import Machines, machine_records
from fdx.predict.evidence_of import Knowledge, good_part, views_of
from fdx.predict.universal.judge import load_judge
from fdx.predict.universal.verdict import call
from fdx.simulate.machine import STATES
from fdx.train.linear_head import PENALTY_C, Standardiser
from fdx.types import DataError, Recording

from .unseen_linear import SOLVER
from .unseen_verdicts import VERDICT_STATES, Verdicts, code_digest, one_by_one

# Simulated machines that neither trained nor calibrated the judge.
SIMULATED = Machines(seed=18_005, first=0, count=600)


class JudgeWithMachines:
    """The networks of the universal judge as they are, with a new last layer.

    It is a logistic regression on their mean logits and the embedding of the first one, fitted to simulated machines
    and to the recordings of all real machines but the tested one. Real and simulated recordings weigh as much in all,
    and so do the states within each.
    """

    name = 'universal_with_machines'
    words = (
        'the networks of the universal judge with a new last layer (logistic regression on logits and embedding), '
        f'fitted to {SIMULATED.count} other simulated machines and to all real machines but the tested one, which '
        "together weigh as much; verdicts by the universal judge's rule"
    )
    draws, learns, reads_speed = False, True, True

    def __init__(self) -> None:
        """Keeps features between calls."""
        self._kept: dict[tuple[str, int, float], np.ndarray] = {}

    def missing(self) -> str:
        """Nothing."""
        return ''

    def asked(self) -> dict[str, Any]:
        """See `Method`."""
        code = ('predict/*evidence*.py', 'predict/universal/**/*', 'signal/*evidence*.py', 'simulate/**/*')
        return {'code': code_digest(code), 'simulated': vars(SIMULATED), 'penalty_c': PENALTY_C, 'solver': SOLVER}

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """As in `Method`."""
        of_simulated, truth = _simulated()
        known = [(self._features(r), STATES.index(r.fault_type)) for r in others if r.fault_type in STATES and _can(r)]
        labels = np.concatenate([truth, [label for _, label in known]]).astype(int)
        features = np.concatenate([of_simulated, *[row[None] for row, _ in known]])
        real = np.arange(len(labels)) >= len(truth)
        standardise = Standardiser(of_simulated)
        classifier = LogisticRegression(C=PENALTY_C, solver=SOLVER, tol=1e-8, max_iter=1000)
        classifier.fit(standardise(features), labels, sample_weight=_weights(labels, real))

        def judge(recording: Recording) -> tuple[np.ndarray, str]:
            found = np.zeros(len(STATES))
            found[classifier.classes_] = classifier.predict_proba(standardise(self._features(recording)[None]))[0]
            called = call(STATES, found)
            row = np.array([found[STATES.index(s)] if s in STATES else 0.0 for s in VERDICT_STATES])
            return row / row.sum(), called.reason if called.state is None else ''

        return one_by_one(tested, judge)

    def _features(self, recording: Recording) -> np.ndarray:
        key = (recording.recording, len(recording.samples), float(recording.speed_rpm))
        if key not in self._kept:
            part = good_part(recording)
            if part.refusal is not None:
                raise DataError(f'{recording.recording}: {part.refusal}')
            self._kept[key] = _of_images(views_of(part.recording, Knowledge())[1])
        return self._kept[key]


def _can(recording: Recording) -> bool:
    """Whether speed and bearing are known."""
    return recording.geometry is not None and bool(np.isfinite(recording.speed_rpm))


def _of_images(images: np.ndarray) -> np.ndarray:
    """Mean over views of [logits, embedding]."""
    return np.concatenate(load_judge().outputs(images), axis=1).mean(axis=0)


@functools.cache
def _simulated() -> tuple[np.ndarray, np.ndarray]:
    """Features [N, D] and labels [N] of SIMULATED."""
    rows = [example for _, example in machine_records(SIMULATED)]
    features = np.stack([_of_images(row['spectrogram'][None]) for row in rows])
    return features, np.array([STATES.index(row['label']) for row in rows])


def _weights(labels: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Weights [N]: half for simulated and half for real ones, and the same for each state within either."""
    weights = np.zeros(len(labels))
    for side in (real, ~real):
        states = np.unique(labels[side])
        for state in states:
            where = side & (labels == state)
            weights[where] = len(labels) / 2 / len(states) / where.sum()
    return weights
