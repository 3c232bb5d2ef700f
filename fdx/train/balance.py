"""Remedies for imbalanced classes: weights in the loss, repeated rows, synthetic vectors; training rows only."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np

from fdx.data.joined import JoinedExamples
from fdx.data.pipeline import ArrayExamples, Examples
from fdx.types import ConfigError, DataError

NEIGHBOURS = 5  # of SMOTE's paper


def _sampler(name: str, **options: Any) -> Any:
    """A sampler of imbalanced-learn, which is imported here: it takes half a second, and few runs ask for it."""
    return getattr(importlib.import_module('imblearn.over_sampling'), name)(**options)


def class_weights(labels: np.ndarray, num_classes: int) -> tuple[float, ...]:
    """Weights of the classes in the loss: N / (K n_c), so that every class counts alike and the mean weight is 1.

    King and Zeng, "Logistic regression in rare events data", Political Analysis 9(2), 2001.

    Args:
      labels: int [N], of the training rows.
      num_classes: K.

    Raises:
      DataError: a class without training rows.
    """
    counts = np.bincount(labels, minlength=num_classes)
    if not counts.all():
        raise DataError(f'`balance`=class_weight: class number {int(counts.argmin())} has no training rows to weigh')
    return tuple(float(w) for w in len(labels) / (num_classes * counts))


def evenly(labels: np.ndarray, seed: int) -> np.ndarray:
    """Random oversampling: numbers of rows with which all classes are as frequent as the most frequent one.

    Args:
      labels: int [N], of the training rows.
      seed: decides which rows are repeated.

    Returns:
      int64 [M]: 0 to N - 1 in order, then the repeated ones.
    """
    if len(np.unique(labels)) < 2:
        return np.arange(len(labels))
    numbers, _ = _sampler('RandomOverSampler', random_state=seed).fit_resample(np.arange(len(labels))[:, None], labels)
    return numbers[:, 0].astype(np.int64)


def oversampled(examples: Examples, seed: int) -> Examples:
    """Training examples in which rows of the rarer classes are repeated, see `evenly`; ConfigError for joined ones."""
    rows = evenly(examples.labels(), seed)
    if isinstance(examples, ArrayExamples):
        return ArrayExamples(examples.inputs[rows], examples.targets[rows])
    if isinstance(examples, JoinedExamples):
        raise ConfigError('generated examples balance the classes already: they are not repeated')
    return dataclasses.replace(examples, rows=examples.rows[rows])


def with_smote(examples: Examples, seed: int, remedy: str = 'smote') -> tuple[ArrayExamples, int]:
    """Training examples with synthetic ones of the rarer classes, as many as make all classes equal.

    Chawla et al., "SMOTE: synthetic minority over-sampling technique", JAIR 16, 2002, as imbalanced-learn does it: a
    synthetic vector lies between a vector and one of its nearest neighbours of the same class. Vectors are
    standardised readings, or embeddings of a frozen network. An embedding that is alone in its class is repeated.

    Args:
      examples: inputs [C].
      seed: decides which neighbours and which points.
      remedy: value of `balance`, for messages: smote or smote_embedding.

    Returns:
      (the real examples in their order, then the synthetic ones; number of the synthetic ones).

    Raises:
      ConfigError: the examples are not vectors.
      DataError: a class of readings has a single row, which has no neighbour.
    """
    inputs = np.stack([examples[i]['inputs'] for i in range(len(examples))])
    labels = examples.labels()
    if inputs.ndim != 2:
        raise ConfigError(_no_vectors(remedy, inputs.shape[1:]))
    classes, counts = np.unique(labels, return_counts=True)
    alone = classes[counts == 1]
    if len(alone) and remedy == 'smote':
        raise DataError('`balance`=smote: a class has a single training row, which has no neighbour; use class_weight')
    rarest = counts[counts > 1].min(initial=counts.max())
    sampler = _sampler(
        'SMOTE',
        sampling_strategy={int(k): int(counts.max()) for k in classes if k not in alone},
        random_state=seed,
        k_neighbors=max(1, min(NEIGHBOURS, int(rarest) - 1)),
    )
    more_inputs, more_labels = inputs, labels
    if counts.max() > 1:
        more_inputs, more_labels = sampler.fit_resample(inputs, labels)
    for label in alone:
        row = np.flatnonzero(labels == label)
        more_inputs = np.concatenate([more_inputs, np.repeat(inputs[row], counts.max() - 1, axis=0)])
        more_labels = np.concatenate([more_labels, np.full(counts.max() - 1, label)])
    return ArrayExamples(more_inputs.astype(np.float32), more_labels.astype(np.int32)), len(more_inputs) - len(inputs)


def _no_vectors(remedy: str, shape: tuple[int, ...]) -> str:
    if remedy == 'smote':
        return (
            f'`balance`=smote is for tables of readings: a point between two images of {shape} does not look like an '
            'image of a machine; use `balance`=class_weight, or `balance`=smote_embedding with a frozen network'
        )
    return f'`balance`=smote_embedding needs embeddings, but the frozen stages give maps of {shape}: use `freeze`=head'
