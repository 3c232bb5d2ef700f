"""Criteria that choose a model or a setting for an unlabelled target; of every `_risk`, lower is better.

| criterion | needs | blind to |
|---|---|---|
| `source_risk` | labels of the source | the target |
| `dev_risk` | labels of the source, density ratios (fdx.adapt.criteria_weights) | where the source has no windows |
| `soft_neighbourhood_risk` | outputs on the target | clusters that are compact and of the wrong class |
| `mean_entropy` | outputs on the target | errors that are made with confidence |

None of them reads a label of the target.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr, logsumexp

from fdx.types import ConfigError, DataError

TEMPERATURE = 0.05
ROW_TOLERANCE = 1e-3  # for sums of probabilities that a network computed in float32 or a smaller type
CONSTANT = 1e-8  # weights whose spread over their mean is below this differ by rounding only
SIMILARITIES_AT_ONCE = 4_000_000  # 32 MB of them, whatever the number of windows


def source_risk(source_losses: np.ndarray) -> float:
    """Mean cross-entropy [N] on validation windows of the source, in the unit of the losses (nats).

    Raises:
      DataError: no losses, or some that are not finite.
    """
    return float(_vector('source_losses', source_losses).mean())


def dev_risk(weights: np.ndarray, losses: np.ndarray) -> float:
    """Deep embedded validation: the importance-weighted risk with a control variate.

    You et al., "Towards accurate model selection in deep unsupervised domain adaptation", ICML 2019:
    mean(w l) + eta mean(w) - eta with eta = -cov(w l, w) / var(w). The true mean of w is known to be 1, so the
    deviation of the sample's mean corrects the estimate. With equal weights there is nothing to correct: eta is 0.

    Args:
      weights: float [N], density ratios of target and source at validation windows of the source, not negative.
      losses: float [N], cross-entropy of the same windows.

    Returns:
      An estimate of the target's risk; it may be below 0, as it is not a mean of losses.

    Raises:
      DataError: arrays of different lengths or empty ones, values that are not finite, or negative weights.
    """
    weights, losses = _vector('weights', weights), _vector('losses', losses)
    if len(weights) != len(losses):
        raise DataError(f'{len(weights)} weights and {len(losses)} losses: pass those of the same windows')
    if weights.min() < 0:
        raise DataError(f'the smallest weight is {weights.min():g}: density ratios cannot be negative')
    weighted, mean = weights * losses, weights.mean()
    deviations = weights - mean
    variance = np.mean(np.square(deviations))
    eta = 0.0
    if np.sqrt(variance) > CONSTANT * mean:
        eta = -np.mean((weighted - weighted.mean()) * deviations) / variance
    return float(weighted.mean() + eta * mean - eta)


def mean_entropy(probabilities: np.ndarray) -> float:
    """Mean over windows of -sum_k p_k log p_k, in nats: 0 (certain) to log K.

    Used as a criterion by Morerio et al., "Minimal-entropy correlation alignment for unsupervised deep domain
    adaptation", ICLR 2018.

    Args:
      probabilities: float [N, K].

    Raises:
      DataError: values that are not probabilities.
    """
    return float(entr(checked_probabilities(probabilities)).sum(axis=1).mean())


def soft_neighbourhood_density(target_probabilities: np.ndarray, temperature: float = TEMPERATURE) -> float:
    """How many windows look alike to the network: higher is better (as a risk: `soft_neighbourhood_risk`).

    Saito et al., "Tune it the right way: unsupervised validation of domain adaptation via soft neighborhood density",
    ICCV 2021. Outputs are brought to Euclidean length 1; the similarities S_ij of window i and all others become
    shares by a softmax of S_ij / temperature without i itself; the density is the mean entropy of these shares.

    Args:
      target_probabilities: float [N, K], N at least 2, outputs of the softmax on the target.
      temperature: above 0; 0.05 in the paper.

    Returns:
      0 to log(N - 1) nats. Densities of different numbers of windows cannot be compared. A network that gives every
      window the same output has the highest density: the criterion is meant for trained networks.

    Raises:
      DataError: values that are not probabilities, or fewer than 2 windows.
      ConfigError: a temperature that is not above 0.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ConfigError(f'temperature={temperature} must be above 0; the paper uses {TEMPERATURE}')
    outputs = checked_probabilities(target_probabilities)
    n = len(outputs)
    if n < 2:
        raise DataError(f'{n} window has no neighbours: pass at least 2')
    outputs = outputs / np.linalg.norm(outputs, axis=1, keepdims=True)
    rows = max(1, SIMILARITIES_AT_ONCE // n)
    entropies = []
    for start in range(0, n, rows):
        logits = outputs[start : start + rows] @ outputs.T / temperature
        at = np.arange(len(logits))
        logits[at, start + at] = -np.inf
        shares = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
        entropies.append(entr(shares).sum(axis=1))
    return float(np.concatenate(entropies).mean())


def soft_neighbourhood_risk(target_probabilities: np.ndarray, temperature: float = TEMPERATURE) -> float:
    """-`soft_neighbourhood_density`: lower is better, as for the other risks."""
    return -soft_neighbourhood_density(target_probabilities, temperature)


def _vector(name: str, values: np.ndarray) -> np.ndarray:
    """float64 [N], or DataError."""
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not array.size:
        raise DataError(f'{name} has shape {array.shape}: pass one value per window, of at least one window')
    if not np.isfinite(array).all():
        raise DataError(f'{name}: {int((~np.isfinite(array)).sum())} of {len(array)} values are not finite')
    return array


def checked_probabilities(values: np.ndarray) -> np.ndarray:
    """float64 [N, K] whose rows sum to 1 exactly, or DataError."""
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or not array.size:
        raise DataError(f'probabilities have shape {array.shape}: pass [N, K] of at least one window')
    total = array.sum(axis=1, keepdims=True)
    # `not all` rather than `any` of the opposite, so that NaN is refused too.
    if not (np.all(array >= 0) and np.all(np.abs(total - 1) <= ROW_TOLERANCE)):
        raise DataError(
            f'rows of values from {array.min():g} to {array.max():g} and sums from {total.min():g} to {total.max():g} '
            'are not probabilities: pass the outputs of a softmax'
        )
    return array / total
