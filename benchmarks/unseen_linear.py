"""Rows of the benchmark `unseen` with logistic regression on mean spectra and on features of a frozen network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from sklearn.linear_model import LogisticRegression

from fdx.data.pipeline import ArrayExamples
from fdx.models.truncated import pool_bands
from fdx.signal.front_ends import create_front_end
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.forward import forward_all
from fdx.train.linear_head import PENALTY_C, Standardiser
from fdx.train.model_setup import set_up_model
from fdx.train.partition import join_variables
from fdx.types import Recording, WeightsError
from fdx.weights.published import fetch_published

from .unseen_images import MOST_WINDOWS, NO_DATASET, Images, all_answered, common_rate_hz, labels_of
from .unseen_machines import STATES
from .unseen_verdicts import Verdicts

SOLVER = 'newton-cg'
WEIGHTS, STAGE = 'musicnn_mtt', 'stage1'


def logistic(features: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Probabilities [N, STATES] of logistic regression on standardised features, every state weighing alike.

    Args:
      features: float [M, D] with labels int [M].
      labels: numbers in STATES.
      asked: float [N, D].
    """
    standardise = Standardiser(features)
    known, unknown = standardise(features), standardise(asked)
    if len(known) < known.shape[1]:
        # The penalised optimum lies in the span of the labelled recordings (the representer theorem).
        span = np.linalg.qr(known.T)[0]
        known, unknown = known @ span, unknown @ span
    # L-BFGS with its usual tolerance stops where features that differ in the seventh digit move probabilities of
    # another machine by 0.07. Newton's method reaches the optimum.
    classifier = LogisticRegression(C=PENALTY_C, class_weight='balanced', solver=SOLVER, tol=1e-8, max_iter=1000)
    classifier.fit(known, labels)
    found = np.zeros((len(asked), len(STATES)))
    found[:, classifier.classes_] = classifier.predict_proba(unknown)
    return found


class LinearMel:
    """Mean log-mel spectra of whole recordings and logistic regression."""

    name = 'log_mel_linear'
    words = (
        'log-mel over the whole common band (`band_mel`), mean over time and windows, one vector per recording, '
        'logistic regression with states weighing alike'
    )
    draws, learns, reads_speed = False, True, False

    def __init__(self) -> None:
        """Keeps images between calls."""
        self._images = Images('band_mel')

    def missing(self) -> str:
        """Nothing."""
        return ''

    def asked(self) -> dict[str, Any]:
        """See `Method`."""
        return {'front_end': self._images.front_end, 'windows': MOST_WINDOWS, 'penalty_c': PENALTY_C, 'solver': SOLVER}

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """As in `Method`."""
        rate = common_rate_hz([*others, *tested])
        time = create_front_end(self._images.front_end, rate).axes.index('T')
        known, asked = (
            np.stack([images.mean(axis=(0, 1 + time)).ravel() for images in self._images(part, rate)])
            for part in (others, tested)
        )
        return all_answered(logistic(known, labels_of(others), asked))


class FrozenMusicnn:
    """A frozen musicnn and logistic regression on the features of one of its stages."""

    name = 'musicnn_linear'
    words = (
        'frozen musicnn (`musicnn_mtt`), mean of its first stage over time and windows, one vector per recording, '
        'logistic regression with states weighing alike. The stage is the one that validation windows chose most often '
        'in the benchmark `pretraining`'
    )
    draws, learns, reads_speed = False, True, False

    def __init__(self) -> None:
        """Keeps features between calls."""
        self._images = Images('musicnn')
        self._vectors: dict[tuple[str, int, float], np.ndarray] = {}
        self._network: tuple[Callable, dict] | None = None

    def missing(self) -> str:
        """Why the weights cannot be had."""
        try:
            fetch_published(WEIGHTS)
        except WeightsError as e:
            return f'the weights {WEIGHTS} cannot be had: {e}'
        return ''

    def asked(self) -> dict[str, Any]:
        """See `Method`."""
        return {'weights': WEIGHTS, 'stage': STAGE, 'windows': MOST_WINDOWS, 'penalty_c': PENALTY_C, 'solver': SOLVER}

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """As in `Method`."""
        rate = common_rate_hz([*others, *tested])
        known, asked = self._features(others, rate), self._features(tested, rate)
        return all_answered(logistic(known, labels_of(others), asked))

    def _features(self, recordings: Sequence[Recording], rate_hz: float) -> np.ndarray:
        keys = [(r.recording, len(r.samples), rate_hz) for r in recordings]
        new = [r for r, key in zip(recordings, keys) if key not in self._vectors]
        if new:
            images = self._images(new, rate_hz)
            found = self._forward(np.concatenate(images))
            parts = np.split(found, np.cumsum([len(i) for i in images])[:-1])
            for recording, part in zip(new, parts):
                self._vectors[recording.recording, len(recording.samples), rate_hz] = part.mean(axis=0)
        return np.stack([self._vectors[key] for key in keys])

    def _forward(self, images: np.ndarray) -> np.ndarray:
        if self._network is None:
            front_end = create_front_end(self._images.front_end, None)
            config = TrainConfig(NO_DATASET, model='musicnn_vgg', init=WEIGHTS)
            setup = set_up_model(config, len(STATES), images.shape[1:])
            stop = setup.model.STAGES.index(STAGE) + 1
            forward = parallel.compile_forward(_make_vectors(setup.model, stop, front_end.axes.index('T')))
            self._network = forward, join_variables(setup.prefix, setup.params, setup.stats)
        examples = ArrayExamples(images, np.zeros(len(images), np.int32))
        return forward_all(*self._network, examples)


def _make_vectors(model: nn.Module, stop: int, time_axis: int) -> Callable:
    """Builds forward(variables, batch) -> float32 [B, D], mean over time of a stage; for `parallel.compile_forward`."""

    def forward(variables: dict, batch: dict) -> jax.Array:
        _, found = model.apply(variables, batch['inputs'], train=False, stop=stop)
        return parallel.gather(pool_bands(found[STAGE], time_axis))

    return forward
