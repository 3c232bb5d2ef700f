"""Density ratios of target and source from a classifier of domains; they reweight source losses for the target."""

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

# Inverse strengths of the L2 penalty. The strongest penalty comes first: it wins where likelihoods are equal, as its
# ratios vary least.
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
HELD_OUT = 0.2  # share of both domains that chooses the penalty
LEAST_WINDOWS = 5  # per domain: one of them is held out
# Log-ratios are clipped to +-LARGEST_LOGIT: they would overflow for domains that a hyperplane separates.
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

    The validation windows of the source should come from other recordings than its training windows: windows of the
    same recordings look more like the training windows than new windows of the source would.

    Args:
      source_train_features: float [N, D], N at least 5.
      target_features: float [M, D] of the unlabelled target, M at least 5.
      source_validation_features: float [V, D], where the ratios are wanted.
      seed: decides which windows are held out.

    Returns:
      float64 [V], above 0; their mean over source windows is about 1 if the classifier fits well.

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
    """The inverse strength of PENALTIES under which the held-out windows are most likely."""
    train, test, of_train, of_test = train_test_split(
        features, domains, test_size=HELD_OUT, stratify=domains, random_state=seed
    )
    losses = [log_loss(of_test, _fitted(train, of_train, c).predict_proba(test), labels=[0, 1]) for c in PENALTIES]
    return PENALTIES[int(np.argmin(losses))]


def _fitted(features: np.ndarray, domains: np.ndarray, penalty_c: float) -> LogisticRegression:
    classifier = LogisticRegression(C=penalty_c, max_iter=MAX_ITERATIONS)
    # The matrix products are small: with several threads, which wait for each other, a fit takes two to three times as
    # long.
    with threadpool_limits(1), warnings.catch_warnings():
        # The optimum of separable domains lies far away; held-out windows judge the fit as it is.
        warnings.simplefilter('ignore', ConvergenceWarning)
        return classifier.fit(features, domains)
