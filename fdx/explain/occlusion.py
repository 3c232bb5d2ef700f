"""Occlusion (Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014).

A part of the input is replaced by the baseline; what the score loses is what that part was worth. It needs the forward
pass only, so it also explains exported files.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

CELLS = 12  # along each axis of an image, at most
MAX_CHANNELS = 5  # of which each is covered by itself
Score = Callable[[np.ndarray], np.ndarray]


def cells_of(shape: tuple[int, ...], count: int = CELLS) -> list[tuple[slice, ...]]:
    """The parts of an input, which cover it once.

    Args:
      shape: (H, W, C) of an image, whose channels are parts of their own where there are few; (C,) of a row of a
        table, whose parts are its columns.
      count: parts along each of the first two axes, at most.
    """
    if len(shape) == 1:
        return [(slice(c, c + 1),) for c in range(shape[0])]
    steps = [math.ceil(n / count) for n in shape[:2]]
    rows, columns = ([slice(i, min(i + s, n)) for i in range(0, n, s)] for n, s in zip(shape, steps))
    channels = [slice(c, c + 1) for c in range(shape[2])] if shape[2] <= MAX_CHANNELS else [slice(0, shape[2])]
    return [(r, c, k) for r in rows for c in columns for k in channels]


def occlusion(score: Score, x: np.ndarray, baseline: np.ndarray, count: int = CELLS) -> np.ndarray:
    """What the score loses when a part of an input is replaced by the baseline.

    Args:
      score: inputs float32 [N, ...] -> scores [N].
      x: float32, one input.
      baseline: float32 of the same shape.
      count: see `cells_of`.

    Returns:
      float64 of the shape of x. The loss of a part is shared evenly by its values, so that sums over regions count
      each part once.
    """
    cells = cells_of(x.shape, count)
    covered = np.repeat(x[None].astype(np.float32), len(cells) + 1, axis=0)
    for image, cell in zip(covered, cells):
        image[cell] = baseline[cell]
    scores = np.asarray(score(covered), np.float64)
    values = np.zeros(x.shape, np.float64)
    for cell, covered_score in zip(cells, scores):
        values[cell] = (scores[-1] - covered_score) / values[cell].size
    return values
