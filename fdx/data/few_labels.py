"""Fewer labelled rows, taken from the recordings of a class in turn."""

from __future__ import annotations

import numpy as np

from fdx.data.table import Table


def in_turn(table: Table, rows: np.ndarray, label: int, seed: int) -> np.ndarray:
    """The rows of one class in the order in which `few_labels` takes them: one per recording, then a second, and so on.

    Drawing in turn spreads few labels over the operating conditions, as a person who labels recordings would. Within a
    recording the draw is random. With the same seed, a smaller number of rows is a subset of a larger one.

    Args:
      table: of the dataset.
      rows: int64 [N], all of the class.
      label: number of the class; each class has its own random stream.
      seed: decides the draw.
    """
    rng = np.random.default_rng([seed, label])
    turns = [rng.permutation(rows[table['recording'][rows] == r]) for r in np.unique(table['recording'][rows])]
    turns = [turns[i] for i in rng.permutation(len(turns))]
    return np.array([t[k] for k in range(max(map(len, turns))) for t in turns if k < len(t)], np.int64)


def few_labels(table: Table, rows: np.ndarray, per_class: int, label_key: str, seed: int) -> np.ndarray:
    """Keeps `per_class` rows of each class, drawn in turn from its recordings; 0 keeps all. In table order."""
    if per_class == 0:
        return rows
    labels = table[label_key][rows]
    kept = [in_turn(table, rows[labels == label], int(label), seed)[:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(kept))
