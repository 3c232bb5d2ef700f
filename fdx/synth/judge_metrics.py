"""How close generated samples are to real ones, how much of them they cover, and whether they are copies.

All functions take embeddings, float [N, D], and compute in float64.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.spatial.distance import cdist

from fdx.types import DataError

NEIGHBOURS = 3  # the k of `manifold_precision_recall`


@dataclasses.dataclass(frozen=True)
class Memorisation:
    """Distances to the nearest training sample.

    Attributes:
      generated: median over generated samples.
      among_train: median over training samples of the distance to their nearest other one; NaN if there is only one.
      held_out: median over real samples that were not learned from; NaN where none are given.
      ratio: `generated` over `held_out`, or over `among_train` without held-out samples; well under 1 means copies.
      share_closer: share of generated samples that lie within half of `among_train` of a training sample; NaN where
        `among_train` is NaN.
    """

    generated: float
    among_train: float
    held_out: float
    ratio: float
    share_closer: float


def _checked(*sets: np.ndarray) -> list[np.ndarray]:
    """The sets as float64.

    Raises:
      DataError: an empty set, different widths, or values that are not finite.
    """
    found = [np.asarray(x, np.float64) for x in sets]
    for x in found:
        if x.ndim != 2 or not len(x) or x.shape[1] != found[0].shape[1]:
            shapes = ' and '.join(str(y.shape) for y in found)
            raise DataError(f'embeddings of shapes {shapes} cannot be compared: pass [N, D] and [M, D], neither empty')
        if not np.isfinite(x).all():
            raise DataError('embeddings that are not finite cannot be compared: the network that made them diverged')
    return found


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Frechet distance of two normal distributions with the means and covariances of two sets.

    |mu_a - mu_b|^2 + tr A + tr B - 2 tr (A B)^(1/2); Dowson and Landau, J. Multivariate Analysis 12, 1982; as a figure
    of generators Heusel et al., NeurIPS 2017. The last trace is the sum of the singular values of the product of the
    centred sets, which needs no matrix root and is exact even with fewer samples than dimensions. Only the triangular
    factors of their QR decompositions are needed, so that many samples cost no more than as many as dimensions. A
    single sample has no spread. Few samples make the distance too large: compare it with that of other sets of this
    size.

    Args:
      a: float [N, D].
      b: float [M, D].

    Raises:
      DataError: see `_checked`.
    """
    a, b = _checked(a, b)
    apart = a.mean(0) - b.mean(0)
    # NumPy's stub gives the result of mode 'reduced' for every mode.
    a, b = (np.linalg.qr((x - x.mean(0)) / np.sqrt(max(len(x) - 1, 1)), mode='r') for x in (a, b))  # type: ignore[assignment]
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(0.0, float(apart @ apart + (a**2).sum() + (b**2).sum() - 2 * cross))


def manifold_precision_recall(real: np.ndarray, generated: np.ndarray, k: int = NEIGHBOURS) -> tuple[float, float]:
    """Share of generated samples within the real manifold, and of real samples within the generated one.

    Kynkaanniemi et al., NeurIPS 2019: a manifold is the union of balls around its samples, each of which reaches to the
    k-th nearest other sample. With few samples k is lowered to what they allow; for a single sample the share is NaN.

    Args:
      real: float [N, D].
      generated: float [M, D].
      k: number of neighbours, at least 1.

    Raises:
      DataError: see `_checked`.
    """
    real, generated = _checked(real, generated)
    return _covered(generated, real, k), _covered(real, generated, k)


def _covered(points: np.ndarray, spanning: np.ndarray, k: int) -> float:
    if len(spanning) < 2:
        return float('nan')
    radii = _nearest_others(spanning, min(k, len(spanning) - 1))[:, -1]
    return float((cdist(points, spanning) <= radii).any(1).mean())


def _nearest_others(points: np.ndarray, k: int) -> np.ndarray:
    """float64 [N, k]: distances of each point to its k nearest others, ascending."""
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, :k]


def memorisation(train: np.ndarray, generated: np.ndarray, held_out: np.ndarray | None = None) -> Memorisation:
    """Whether generated samples are closer to training samples than new real samples are.

    Args:
      train: float [N, D], samples that the generator learned from.
      generated: float [M, D].
      held_out: float [L, D], real samples that it did not see; None: there are none.

    Raises:
      DataError: see `_checked`.
    """
    train, generated = _checked(train, generated)
    distances = cdist(generated, train).min(1)
    among = float(np.median(_nearest_others(train, 1))) if len(train) > 1 else float('nan')
    unseen = float('nan')
    if held_out is not None:
        unseen = float(np.median(cdist(_checked(train, held_out)[1], train).min(1)))
    median, scale = float(np.median(distances)), among if np.isnan(unseen) else unseen
    closer = float('nan') if np.isnan(among) else float((distances <= among / 2).mean())
    return Memorisation(median, among, unseen, median / scale if scale > 0 else float('nan'), closer)


def jittered(images: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """Images with Gaussian noise of `noise` times their standard deviation, float32 of the same shape."""
    rng = np.random.default_rng(seed)
    return (images + noise * images.std() * rng.standard_normal(images.shape)).astype(np.float32)
