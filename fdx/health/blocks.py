"""Blocks of consecutive recordings that are left out together: neighbours in time resemble each other."""

from __future__ import annotations

import numpy as np

from fdx.health.operating import Layout
from fdx.health.sample import Sample

# The longer the stretch that is left out, the more of what changes slowly (running in, temperature) is in the held-out
# scores; but models must still be fitted to most of the recordings.
MOST_BLOCKS, FEWEST_BLOCKS, LENGTH = 10, 4, 5
# With fewer recordings per state, pieces of them make the blocks.
FEWEST_RECORDINGS = 5


def blocks_of(sample: Sample, layout: Layout) -> np.ndarray:
    """The block of every row: int64 [N], from 0: four to ten blocks, of five recordings or more if possible.

    Each operating state is cut into the same number of stretches, so that every state is known without any block. A
    recording lies in one block, except where a state has fewer than FEWEST_RECORDINGS: then its pieces are dealt.
    """
    state = layout.state_of(sample.speed_rpm, sample.load)
    units = np.empty(len(sample), np.int64)
    counts = []
    for s in np.unique(state):
        mine = np.flatnonzero(state == s)
        _, order = np.unique(sample.recording[mine], return_inverse=True)
        if order.max() + 1 < FEWEST_RECORDINGS:
            order = np.arange(len(mine))
        units[mine] = order
        counts.append(int(order.max()) + 1)
    number = min(int(np.clip(sum(counts) // LENGTH, FEWEST_BLOCKS, MOST_BLOCKS)), *counts)
    block = np.empty(len(sample), np.int64)
    for s, count in zip(np.unique(state), counts):
        mine = state == s
        block[mine] = units[mine] * number // count
    return block
