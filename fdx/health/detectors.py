"""How unusual a row is: detectors of scikit-learn behind one interface.

A detector is fitted to standardised rows of a machine in good order and gives a score per row: the higher, the more
unusual. Scores of different detectors are not comparable; `fdx.health.tail` makes p-values of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

Scores = Callable[[np.ndarray], np.ndarray]
NEIGHBOURS = 5


def gaussian(rows: np.ndarray, seed: int) -> Scores:
    """Mahalanobis distance with a shrunk covariance (Ledoit and Wolf, J. Multivariate Analysis 88:365-411, 2004)."""
    # scikit-learn takes a second to import, and programs show their help without it.
    from sklearn.covariance import LedoitWolf  # noqa: PLC0415

    model = LedoitWolf().fit(rows)
    return lambda x: np.sqrt(model.mahalanobis(x))


def nearest_neighbours(rows: np.ndarray, seed: int) -> Scores:
    """Mean distance to the nearest rows (Ramaswamy, Rastogi and Shim, SIGMOD 2000), over the root of their length."""
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415

    model = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(rows))).fit(rows)
    return lambda x: model.kneighbors(x)[0].mean(axis=1) / np.sqrt(x.shape[1])


def isolation_forest(rows: np.ndarray, seed: int) -> Scores:
    """How few random cuts isolate a row (Liu, Ting and Zhou, ICDM 2008)."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415

    model = IsolationForest(n_estimators=100, random_state=seed).fit(rows)
    return lambda x: -model.score_samples(x)


def local_outlier_factor(rows: np.ndarray, seed: int) -> Scores:
    """How much thinner the rows lie around it than around its neighbours (Breunig et al., SIGMOD 2000)."""
    from sklearn.neighbors import LocalOutlierFactor  # noqa: PLC0415

    model = LocalOutlierFactor(n_neighbors=max(1, min(20, len(rows) - 1)), novelty=True).fit(rows)
    return lambda x: -model.score_samples(x)


def one_class_svm(rows: np.ndarray, seed: int) -> Scores:
    """Distance from a surface around most rows (Schoelkopf et al., Neural Computation 13:1443-1471, 2001)."""
    from sklearn.svm import OneClassSVM  # noqa: PLC0415

    # A wide kernel: with scikit-learn's default, 1 / D, all rows beyond the healthy ones get one and the same score.
    model = OneClassSVM(nu=0.1, gamma=0.1 / rows.shape[1]).fit(rows)
    return lambda x: -model.decision_function(x)


# Name -> fit(rows float64 [N, D], seed) -> scores of rows [M, D] as float64 [M].
DETECTORS: Mapping[str, Callable[[np.ndarray, int], Scores]] = MappingProxyType(
    {
        'gaussian': gaussian,
        'nearest_neighbours': nearest_neighbours,
        'isolation_forest': isolation_forest,
        'local_outlier_factor': local_outlier_factor,
        'one_class_svm': one_class_svm,
    }
)
