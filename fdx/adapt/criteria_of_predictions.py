"""Criteria that ask of the predictions for the target to be certain and, together, to name every class.

Entropy alone is lowest where every window gets the same class. Both criteria here fall for that as well as for guesses.
None reads a label; both are blind to classes that are exchanged, and they expect all classes in the target.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from fdx.adapt.criteria import checked_probabilities


def negative_information(probabilities: np.ndarray) -> float:
    """-(H(mean p) - mean H(p)), in nats, from -log K (best) to 0: the mutual information of window and class, negated.

    Bridle, Heading and MacKay, "Unsupervised classifiers, mutual information and phantom targets", NIPS 1991; as the
    objective of discriminative clustering: Krause, Perona and Gomes, NIPS 2010.

    Args:
      probabilities: float [N, K].

    Raises:
      DataError: values that are not probabilities.
    """
    p = checked_probabilities(probabilities)
    return float(entr(p).sum(axis=1).mean() - entr(p.mean(axis=0)).sum())


def negative_nuclear_norm(probabilities: np.ndarray) -> float:
    """Minus the nuclear norm of the predictions, over its largest possible value: -1 (best) to 0.

    Cui et al., "Towards discriminability and diversity: batch nuclear-norm maximization under label insufficient
    situations", CVPR 2020: a sum of singular values is large where rows are certain and many of them differ. It is at
    most sqrt(N min(N, K)).

    Args:
      probabilities: float [N, K].

    Raises:
      DataError: values that are not probabilities.
    """
    p = checked_probabilities(probabilities)
    return float(-np.linalg.norm(p, 'nuc') / np.sqrt(len(p) * min(p.shape)))
