"""Adapts the first convolution if weights and recordings have different numbers of channels.

From 3 to 1, the kernel is summed over its input channels. From 1 to 3, it is copied into three and divided by 3. In
both cases an image with the same content in all channels gives the same output as before, up to rounding, because a sum
over c of k_c * x is (sum of k_c) * x. A sum instead of a mean keeps activations at the size that the running statistics
of the next batch norm expect. The same rule is in timm (Wightman, pytorch-image-models, `adapt_input_conv`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from fdx.types import WeightsError

logger = logging.getLogger(__name__)

STEM_KERNEL = 'stem/conv/kernel'
CHANGES = {
    (3, 1): 'the stem kernel is summed over its 3 input channels for 1 channel',
    (1, 3): 'the stem kernel of 1 input channel is copied to 3 and divided by 3',
}


def _kernel(params: Mapping[str, Any]) -> Any:
    """The array `stem/conv/kernel` [7, 7, C, C'], or None in a tree without this 4-D array."""
    node: Any = params
    for part in STEM_KERNEL.split('/'):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node if getattr(node, 'ndim', 0) == 4 else None


def stem_change(params: Mapping[str, Any], channels: int) -> str | None:
    """What `adapt_stem` does to these parameters, in words for a log or a report; None if it changes nothing.

    Raises:
      WeightsError: numbers of channels that the rule does not cover.
    """
    kernel = _kernel(params)
    if kernel is None or kernel.shape[2] == channels:
        return None
    given = kernel.shape[2]
    if (given, channels) not in CHANGES:
        raise WeightsError(
            f'{STEM_KERNEL} takes {given} input channels, the examples have {channels}: fdx turns 3 into 1 and 1 into '
            f'3 only; give weights made for {channels} channels, or start at random'
        )
    return CHANGES[given, channels]


def adapt_stem(params: Mapping[str, Any], channels: int) -> dict[str, Any]:
    """Parameters whose first convolution takes `channels` input channels.

    Args:
      params: nested dict of arrays; only the kernel `stem/conv/kernel` [7, 7, C, C'] is changed. A tree without it (or
        with another rank) is returned unchanged, so that the strict merge reports it.
      channels: number of channels of the examples.

    Returns:
      A new nested dict; every other array is the same object. The kernel keeps its dtype.

    Raises:
      WeightsError: a change other than 3 to 1 and 1 to 3.
    """
    change = stem_change(params, channels)
    if change is None:
        return dict(params)
    logger.info('%s', change)
    kernel = np.asarray(_kernel(params))
    # Summed in double precision, so that the order of the channels does not matter.
    total = kernel.astype(np.float64).sum(axis=2, keepdims=True)
    new = np.repeat(total / channels, channels, axis=2).astype(kernel.dtype)
    stem = params['stem']
    return {**params, 'stem': {**stem, 'conv': {**stem['conv'], 'kernel': new}}}
