"""Open sets: how little a window may look like a known class before it is rejected, without labels of the target.

The boundaries of fdx.adapt.terms.one_vs_all are drawn between the source's classes. Windows of further classes, which
no loss has seen, mostly lie beside them: on the side of the known classes, but far nearer to the boundary than windows
of the source. So the kept network rejects below half the log-odds of a typical validation window of the source. The
threshold is added to the bias of the output `unknown`: the network rejects by itself, wherever it is run.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.adapt.step import HEAD_BIAS, AdaptState
from fdx.models.staged import HEAD
from fdx.train import parallel

# Where to reject, between the boundary (0) and the median of the source (1).
HALF_WAY = 0.5


def rejection_threshold(logits: np.ndarray) -> float:
    """Log-odds of `known` below which a window is rejected.

    Args:
      logits: float32 [N, K + 1] of validation windows of the source; the last output is `unknown`.

    Returns:
      Half the median of max_k z_k - z_unknown; 0, the boundary itself, where the median is below 0 or not finite.
    """
    typical = float(np.median(logits[:, :-1].max(axis=1) - logits[:, -1]))
    return max(0.0, HALF_WAY * typical) if np.isfinite(typical) else 0.0


def rejecting(state: AdaptState, threshold: float) -> AdaptState:
    """The state whose output `unknown` is larger by `threshold` for every window; training goes on from `state`."""
    bias = np.array(state.params[HEAD]['bias'])
    bias[-1] += threshold
    head = {**state.params[HEAD], 'bias': parallel.replicate(bias)}
    return dataclasses.replace(state, params={**state.params, HEAD: head})


def kept_bias(params: dict) -> dict:
    """What a state keeps besides the network: the classifier's bias without the threshold, to go on from."""
    return {HEAD_BIAS: np.array(params[HEAD]['bias'])}
