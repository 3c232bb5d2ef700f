"""A linear classifier on feature vectors: it measures what the features of a frozen network are worth."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

# Inverse strength of the L2 penalty on standardised features: scikit-learn's default, which was not tuned.
PENALTY_C = 1.0
MAX_ITERATIONS = 300
# This share of the root mean square of all spreads is added to each spread, so that values which hardly vary (units
# that fire once in a hundred windows) are not blown up to the size of the others. On CWRU, load to load, stage 3 of
# musicnn: from 88 to 96 %.
FLOOR = 0.1
# Logit of a class that was not trained: its probability is 0 beside any other.
ABSENT = -1e4


class Standardiser:
    """Subtracts the mean of reference windows and divides by their spread plus FLOOR.

    The reference windows need no labels. The few labelled windows alone would give poor estimates of mean and spread.
    """

    def __init__(self, reference: np.ndarray):
        """Measures the reference, float [M, D]."""
        self._mean = reference.mean(axis=0, dtype=np.float64)
        spread = reference.std(axis=0, dtype=np.float64)
        floor = FLOOR * np.sqrt(np.mean(np.square(spread)))
        self._scale = spread + floor if floor else np.ones_like(spread)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Float [N, D] -> float64 [N, D]."""
        return (features - self._mean) / self._scale

    def folded(self, weights: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights [D, K] and offsets [K] on standardised features -> those on the features themselves."""
        kernel = weights / self._scale[:, None]
        return kernel, offsets - self._mean @ kernel


class LinearHead:
    """Multinomial logistic regression (scikit-learn, L-BFGS).

    Alain and Bengio, "Understanding intermediate layers using linear classifier probes", ICLR workshop 2017.
    """

    def __init__(self, features: np.ndarray, labels: np.ndarray):
        """Fits to standardised features float64 [N, D] and labels int [N], at least two classes among them."""
        # The penalised optimum lies in the span of the labelled windows (the representer theorem). In coordinates of
        # that span, a fit to ten windows has ten values per class to find instead of thousands, and finds the same.
        self._span = np.linalg.qr(features.T)[0] if len(features) < features.shape[1] else None
        self._classifier = LogisticRegression(C=PENALTY_C, max_iter=MAX_ITERATIONS)
        with warnings.catch_warnings():
            # The optimum of separable windows lies far away; the classes are separated long before it is reached.
            warnings.simplefilter('ignore', ConvergenceWarning)
            self._classifier.fit(self._projected(features), labels)

    def probabilities(self, features: np.ndarray, num_classes: int) -> np.ndarray:
        """Standardised features [N, D] -> float64 [N, num_classes]; 0 for classes that were not trained."""
        found = np.zeros((len(features), num_classes))
        found[:, self._classifier.classes_] = self._classifier.predict_proba(self._projected(features))
        return found

    def folded(self, standardise: Standardiser, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
        """The same classifier as one dense layer on features that are not standardised.

        Returns:
          (kernel float32 [D, num_classes], bias float32 [num_classes]): softmax(features @ kernel + bias) is
          `probabilities(standardise(features), num_classes)`. A class that was not trained has a bias of ABSENT.
        """
        weights, offsets = self._classifier.coef_.T, self._classifier.intercept_
        if len(self._classifier.classes_) == 2:  # One margin, whose sigmoid is the probability of the second class.
            weights, offsets = np.hstack([-weights, weights]) / 2, np.hstack([-offsets, offsets]) / 2
        weights = weights if self._span is None else self._span @ weights
        kernel, bias = np.zeros((len(weights), num_classes)), np.full(num_classes, ABSENT)
        kernel[:, self._classifier.classes_], bias[self._classifier.classes_] = standardise.folded(weights, offsets)
        return kernel.astype(np.float32), bias.astype(np.float32)

    def _projected(self, features: np.ndarray) -> np.ndarray:
        return features if self._span is None else features @ self._span
