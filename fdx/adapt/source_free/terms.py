"""What the target alone can teach: certain and varied predictions, and pseudo-labels from centroids.

    IM = mean_i H(p_i) - H(mean_i p_i)                       (nats, from -log K to 0)
    loss = IM + 0.3 mean_i -log p_i[y_i],   y: `pseudo_labels`

Liang, Hu and Feng, "Do we really need to access the source data? Source hypothesis transfer for unsupervised domain
adaptation" (SHOT), ICML 2020, with the strengths of its code (object/image_target.py): 1 for both entropies and 0.3 for
the pseudo-labels. The code adds 1e-5 inside its logarithms; here they come from log_softmax, which needs none.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from fdx.adapt.terms.entropy import entropies, mean_entropy
from fdx.adapt.terms.masks import masked_mean, without_padding
from fdx.types import DataError

PSEUDO_WEIGHT = 0.3


def information(logits: jax.Array, mask: jax.Array) -> jax.Array:
    """IM: mean entropy of the predictions minus the entropy of their mean.

    It is smallest where every prediction is certain and all classes are equally frequent. With the second part alone
    missing, one class for everything would be the best answer.

    Args:
      logits: float32 [B, K].
      mask: float32 [B], 1 for real examples, 0 for padding.

    Returns:
      scalar in nats, from -log K to 0; 0 without real examples.
    """
    logits = without_padding(logits, mask)
    probabilities = jax.nn.softmax(logits) * (mask > 0)[:, None]
    mean = probabilities.sum(0) / jnp.maximum(mask.sum(), 1)
    # The gradient of x log x at 0 is not finite, and its limit is 0.
    safe = jnp.where(mean > 0, mean, 1)
    return mean_entropy(logits, mask) + (safe * jnp.log(safe)).sum()


def shot_loss(logits: jax.Array, labels: jax.Array, mask: jax.Array, pseudo_weight: float) -> tuple[jax.Array, dict]:
    """(IM + pseudo_weight * cross-entropy with the pseudo-labels, {'infomax', 'pseudo_loss'}).

    Args:
      logits: float32 [B, K].
      labels: int32 [B], pseudo-labels.
      mask: float32 [B].
      pseudo_weight: PSEUDO_WEIGHT in the paper.
    """
    im = information(logits, mask)
    log_p = jax.nn.log_softmax(without_padding(logits, mask))
    cross = masked_mean(-jnp.take_along_axis(log_p, labels[:, None], axis=1)[:, 0], mask)
    return im + pseudo_weight * cross, {'infomax': im, 'pseudo_loss': cross}


def tent_loss(logits: jax.Array, labels: jax.Array, mask: jax.Array) -> tuple[jax.Array, dict]:
    """(mean entropy of the predictions, {'entropy'}); labels are not read.

    Wang et al., "Tent: fully test-time adaptation by entropy minimization", ICLR 2021, with its strength of 1.
    """
    del labels
    entropy = masked_mean(entropies(without_padding(logits, mask)), mask)
    return entropy, {'entropy': entropy}


def pseudo_labels(features: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Pseudo-labels of all windows of the target from centroids of their features.

    As in the paper: features get a 1 appended and length 1; the centroid of a class is the mean of all features,
    weighted by the predicted probability of the class; every window takes the class of the nearest centroid by cosine
    distance; and once more with centroids of the windows of each class. A class that no prediction names keeps no
    centroid, so that no window is pulled to it.

    Args:
      features: float [N, D], outputs of the layer in front of the classifier.
      probabilities: float [N, K].

    Returns:
      int32 [N].

    Raises:
      DataError: shapes that do not fit, or values that are not finite.
    """
    x, p = np.asarray(features, np.float64), np.asarray(probabilities, np.float64)
    if x.ndim != 2 or p.ndim != 2 or len(x) != len(p) or not len(x):
        raise DataError(f'pseudo_labels: features {x.shape}, probabilities {p.shape}; give [N, D] and [N, K], N >= 1')
    if not (np.isfinite(x).all() and np.isfinite(p).all()):
        raise DataError('pseudo_labels: features or probabilities are not finite')
    x = _of_length_1(np.concatenate([x, np.ones((len(x), 1))], axis=1))
    named = np.unique(p.argmax(axis=1))
    labels = _nearest(x, p, named)
    return _nearest(x, np.eye(p.shape[1])[labels], named).astype(np.int32)


def _nearest(x: np.ndarray, weights: np.ndarray, named: np.ndarray) -> np.ndarray:
    """The class of `named` whose weighted centroid has the least cosine distance to each row of x [N, D]."""
    centroids = _of_length_1(weights.T @ x / (1e-8 + weights.sum(axis=0)[:, None]))
    return named[(x @ centroids[named].T).argmax(axis=1)]


def _of_length_1(x: np.ndarray) -> np.ndarray:
    """Rows of Euclidean length 1; a row of zeros stays."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(length > 0, length, 1)
