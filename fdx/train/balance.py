"""Imbalanced classes: weights in the loss, or synthetic readings, of the training part alone."""

from __future__ import annotations

import numpy as np
from imblearn.over_sampling import SMOTE

from fdx.data.pipeline import ArrayExamples, Examples
from fdx.types import ConfigError, DataError

NEIGHBOURS = 5  # of SMOTE's paper


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
        raise DataError(f'--balance=class_weight: class number {int(counts.argmin())} has no training rows')
    return tuple(float(w) for w in len(labels) / (num_classes * counts))


def with_smote(examples: Examples, seed: int) -> tuple[ArrayExamples, int]:
    """Training examples with synthetic ones of the rarer classes, as many as make all classes equal.

    Chawla et al., "SMOTE: synthetic minority over-sampling technique", JAIR 16, 2002, by imbalanced-learn: a point on
    the way from a reading to one of its nearest neighbours of the same class, in standardised columns.

    Args:
      examples: of a table: inputs [C].
      seed: decides which.

    Returns:
      (the real examples in their order, then the synthetic ones; number of the synthetic ones).

    Raises:
      ConfigError: examples that are no readings.
      DataError: a class of a single row, which has no neighbour.
    """
    inputs = np.stack([examples[i]['inputs'] for i in range(len(examples))])
    labels = examples.labels()
    if inputs.ndim != 2:
        raise ConfigError(
            f'--balance=smote is for tables of readings: a point between two images of {inputs.shape[1:]} is no image '
            'of a machine; use --balance=class_weight'
        )
    rarest = int(np.bincount(labels)[np.unique(labels)].min())
    if rarest < 2:
        raise DataError('--balance=smote: a class has a single training row and no neighbour; use class_weight')
    sampler = SMOTE(random_state=seed, k_neighbors=min(NEIGHBOURS, rarest - 1))
    more_inputs, more_labels = sampler.fit_resample(inputs, labels)
    return ArrayExamples(more_inputs.astype(np.float32), more_labels.astype(np.int32)), len(more_inputs) - len(inputs)
