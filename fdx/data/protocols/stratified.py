"""Splits of tables of readings: class by class at random, identical readings together."""

from __future__ import annotations

import numpy as np

from fdx.data.blocks import NUM_BLOCKS, fold_blocks


def deal(labels: np.ndarray, groups: np.ndarray, *, fold: int = 0, seed: int = 0) -> dict[str, np.ndarray]:
    """Deals rows into five parts, stratified by class: three train, one validates, one tests, rotated by the fold.

    Rows of a group go to one part together (a reading that was logged twice must not be tested after it was trained
    on); a group counts as the class of its first row. Each class is shuffled by the seed and dealt in turn, so parts
    differ by at most one group per class.

    Args:
      labels: int [N].
      groups: int or str [N].
      fold: 0 to 4.
      seed: decides which rows lie together.

    Returns:
      'train', 'validation', 'test' -> int64 row numbers, ascending.
    """
    _, first, of_row = np.unique(groups, return_index=True, return_inverse=True)
    class_of_group = np.asarray(labels)[first]
    part = np.empty(len(first), np.int64)
    for label in np.unique(class_of_group):
        mine = np.flatnonzero(class_of_group == label)
        mine = np.random.default_rng([seed, int(label)]).permutation(mine)
        part[mine] = np.arange(len(mine)) % NUM_BLOCKS
    return {name: np.flatnonzero(np.isin(part[of_row], parts)) for name, parts in fold_blocks(fold).items()}
