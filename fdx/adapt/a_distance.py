"""How far apart two domains lie in a feature space: the proxy of the A-distance."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import StandardScaler

from fdx.train.linear_head import LinearHead
from fdx.types import DataError

LEAST_WINDOWS = 4  # per domain: two to learn from and two to test on
SOURCE, TARGET = 0, 1


def checked_features(**named: np.ndarray) -> list[np.ndarray]:
    """float64 [N, D] of each array, in the order given.

    Args:
      **named: feature vectors of domains or splits; messages use the names.

    Raises:
      DataError: an array is not [N, D] with N and D at least 1, values are not finite, or D differs.
    """
    arrays = {name: np.asarray(array, np.float64) for name, array in named.items()}
    for name, array in arrays.items():
        if array.ndim != 2 or not array.size:
            raise DataError(f'{name} has shape {array.shape}: pass feature vectors [N, D] of at least one window')
        if not np.isfinite(array).all():
            bad = int((~np.isfinite(array)).any(axis=1).sum())
            raise DataError(f'{name}: {bad} of {len(array)} windows have values that are not finite: leave them out')
    sizes = {name: array.shape[1] for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f'features have different sizes, {sizes}: take one feature of one network')
    return list(arrays.values())


def proxy_a_distance(source_features: np.ndarray, target_features: np.ndarray, seed: int = 0) -> float:
    """2 (1 - 2 e), where e is the error of a linear classifier that tells the domains apart.

    Ben-David et al., "Analysis of representations for domain adaptation", NIPS 19, 2007; Ganin et al.,
    "Domain-adversarial training of neural networks", JMLR 17, 2016. The larger domain is thinned at random to the size
    of the smaller. Each half of the windows is tested by a logistic regression that the other half trained (features
    standardised by all windows), and e is the share of errors in both.

    Windows of one recording lie in both halves, so differences between recordings count as distance too.

    Args:
      source_features: float [N, D], N at least 4.
      target_features: float [M, D], M at least 4.
      seed: of the thinning and of the halves.

    Returns:
      0 (the classifier does no better than chance) to 2 (it makes no error). No labels are needed.

    Raises:
      DataError: fewer than 4 windows in a domain, other shapes, or values that are not finite.
    """
    domains = checked_features(source_features=source_features, target_features=target_features)
    size = min(map(len, domains))
    if size < LEAST_WINDOWS:
        given = ' and '.join(str(len(domain)) for domain in domains)
        raise DataError(f'{given} windows of source and target: at least {LEAST_WINDOWS} of each are needed')
    rng = np.random.default_rng(seed)
    # With an odd number one window is left out, so that the halves are equal and hold both domains equally.
    half = size // 2
    drawn = [domain[rng.permutation(len(domain))[: 2 * half]] for domain in domains]
    # Without the floor of `linear_head.Standardiser`: a value that separates the domains may be small beside others.
    standardise = StandardScaler().fit(np.concatenate(drawn)).transform
    halves = [standardise(np.concatenate([domain[part] for domain in drawn])) for part in (np.s_[:half], np.s_[half:])]
    labels = np.repeat([SOURCE, TARGET], half)
    errors = [_error(halves[0], halves[1], labels), _error(halves[1], halves[0], labels)]
    return float(np.clip(2 * (1 - 2 * np.mean(errors)), 0.0, 2.0))


def _error(train: np.ndarray, test: np.ndarray, labels: np.ndarray) -> float:
    """Share of `test` that a classifier trained on `train` gets wrong; `labels` are the domains of both."""
    probabilities = LinearHead(train, labels).probabilities(test, num_classes=2)
    return float(np.mean(probabilities.argmax(axis=1) != labels))
