"""Open-set domain adaptation by backpropagation (OSBP): one output more, for windows of classes the source lacks.

    loss = -t mean log p(unknown) - (1 - t) mean log(1 - p(unknown)), of target windows, t = 0.5

Saito et al., "Open set domain adaptation by backpropagation", ECCV 2018. The classifier lowers it, and so gives every
window of the target an even chance to be unknown; with `reversal.reverse_gradient` between features and classifier the
same step moves the features of a window away from the even chance: towards the source's classes, or away from all
of them. Together with the cross-entropy of the source, the unknown output learns a boundary that no label drew.
"""

from __future__ import annotations

import jax

from fdx.adapt.terms.masks import masked_mean, without_padding
from fdx.types import ConfigError, DataError

THRESHOLD = 0.5  # t of the paper


def osbp(target_logits: jax.Array, target_mask: jax.Array, threshold: float = THRESHOLD) -> jax.Array:
    """Binary cross-entropy between p(unknown) and `threshold`.

    Args:
      target_logits: float32 [B, K + 1] of features whose gradient is reversed; the last output is `unknown`.
      target_mask: float32 [B], 1 for real examples, 0 for padding.
      threshold: chance of `unknown` at which the loss is lowest, in (0, 1).

    Returns:
      Scalar in nats, at least the entropy of the threshold (log 2 for 0.5); 0 without real examples.

    Raises:
      DataError: fewer than two known classes.
      ConfigError: a threshold outside of (0, 1).
    """
    if target_logits.ndim != 2 or target_logits.shape[1] < 3:
        raise DataError(f'osbp of logits {list(target_logits.shape)}: pass [B, K + 1] of at least two known classes')
    if not 0 < threshold < 1:
        raise ConfigError(f'osbp: threshold={threshold} must lie in (0, 1); the paper uses {THRESHOLD}')
    logits = without_padding(target_logits, target_mask)
    total = jax.nn.logsumexp(logits, axis=1)
    # In logarithms, so that gradients stay finite where a chance rounds to 0 or 1.
    unknown, known = logits[:, -1] - total, jax.nn.logsumexp(logits[:, :-1], axis=1) - total
    return masked_mean(-threshold * unknown - (1 - threshold) * known, target_mask)
