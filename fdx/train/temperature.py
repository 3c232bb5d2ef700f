"""The temperature of a network's probabilities, fitted on validation rows and kept with the checkpoint.

C. Guo et al., "On calibration of modern neural networks", ICML 2017: logits are divided by one number, which makes the
probabilities sharper or softer and changes no decision.
"""

from __future__ import annotations

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.special

# The logarithm of the temperature stays within it, and is thought to be normal around 0 with this deviation: validation
# rows that a network separates without an error would else ask for a temperature of 0, and two rows for anything.
LIMIT = 2.0
DEVIATION = 0.5**0.5


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest cross-entropy of the rows, plus that of the prior.

    Args:
      logits: float [N, K].
      labels: int [N].

    Returns:
      A number above 0; 1 where there are no rows, or logits that are not finite.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    if not len(logits) or not np.isfinite(logits).all():
        return 1.0
    rows = np.arange(len(labels))

    def cost(log_temperature: float) -> float:
        scaled = scipy.special.log_softmax(logits * np.exp(-log_temperature), axis=1)
        return float(-scaled[rows, labels].sum() + log_temperature**2 / (2 * DEVIATION**2))

    found = scipy.optimize.minimize_scalar(cost, bounds=(-LIMIT, LIMIT), method='bounded', options={'xatol': 1e-4})
    # Rounded, so that the last bits of a machine's arithmetic do not show.
    return round(float(np.exp(found.x)), 3)
