"""Density ratios of target and source by a classifier of domains: what reweights source losses for the target."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from fdx.adapt.a_distance import SOURCE, TARGET, checked_features
from fdx.train.linear_head import MAX_ITERATIONS
from fdx.types import DataError

# Inverse strengths of the L2 penalty, the strongest first: of equal likelihoods it wins, as its ratios vary least.
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
HELD_OUT = 0.2  # of both domains, to choose the penalty
LEAST_WINDOWS = 5  # of a domain: one of them is held out
# Log-ratios beyond +-LARGEST_LOGIT are cut there: of domains that a hyperplane separates they would overflow.
LARGEST_LOGIT = 30.0


def importance_weights(
    source_train_features: np.ndarray,
    target_features: np.ndarray,
    source_validation_features: np.ndarray,
    seed: int,
) -> np.ndarray:
    """w(x) = p_target(x) / p_source(x) at the validation windows of the source.

    Bickel et al., "Discriminative learning for differing training and test distributions", ICML 2007; You et al., ICML
    2019. By Bayes' rule a classifier of domains gives w(x) = P(target | x) / P(source | x) * n_source / n_target. It
    is a logistic regression on standardised features, its penalty chosen by the likelihood of a held-out fifth and
    then fitted to all.

    The validation windows of the source should come from other recordings than its training windows: those of the same
    recordings look like the source more than their distribution does.

    Args:
      source_train_features: float [N, D], N at least 5.
      target_features: float [M, D] of the unlabelled target, M at least 5.
      source_validation_features: float [V, D], where the ratios are wanted.
      seed: of the held-out windows.

    Returns:
      float64 [V], above 0; their mean over source windows is about 1 where the classifier fits.

    Raises:
      DataError: fewer than 5 windows in a domain, other shapes, or values that are not finite.
    """
    source, target, validation = checked_features(
        source_train_features=source_train_features,
        target_features=target_features,
        source_validation_features=source_validation_features,
    )
    if min(len(source), len(target)) < LEAST_WINDOWS:
        raise DataError(
            f'{len(source)} training windows of the source and {len(target)} of the target: at least {LEAST_WINDOWS} '
            'of each are needed'
        )
    both = np.concatenate([source, target])
    domains = np.repeat([SOURCE, TARGET], [len(source), len(target)])
    standardise = StandardScaler().fit(both).transform
    both = standardise(both)
    classifier = _fitted(both, domains, _chosen_penalty(both, domains, seed))
    logits = classifier.decision_function(standardise(validation))
    return np.exp(np.clip(logits, -LARGEST_LOGIT, LARGEST_LOGIT)) * (len(source) / len(target))


def _chosen_penalty(features: np.ndarray, domains: np.ndarray, seed: int) -> float:
    """The inverse strength of PENALTIES under which held-out windows are likeliest."""
    train, test, of_train, of_test = train_test_split(
        features, domains, test_size=HELD_OUT, stratify=domains, random_state=seed
    )
    losses = [log_loss(of_test, _fitted(train, of_train, c).predict_proba(test), labels=[0, 1]) for c in PENALTIES]
    return PENALTIES[int(np.argmin(losses))]


def _fitted(features: np.ndarray, domains: np.ndarray, penalty_c: float) -> LogisticRegression:
    classifier = LogisticRegression(C=penalty_c, max_iter=MAX_ITERATIONS)
    # The products are small: threads that wait for each other would take two to three times as long.
    with threadpool_limits(1), warnings.catch_warnings():
        # Separable domains have their optimum far away; the held-out likelihood has judged them by then.
        warnings.simplefilter('ignore', ConvergenceWarning)
        return classifier.fit(features, domains)
