"""The protocol of users who have dealt their recordings themselves, in the column `split` of a manifest."""

from __future__ import annotations

import numpy as np

from fdx.data.protocols.domains import Rows
from fdx.data.table import GIVEN_SPLIT, SPLITS, Table
from fdx.types import SplitError

# Of every class, this part of the training recordings validates where the manifest names none for it.
VALIDATION_PART = 5


def given_split(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Recordings as the manifest deals them: train, validation and test.

    Recordings without a split are left out. Where none is marked for validation, a fifth of the training recordings of
    every class validates, at least one, chosen by the seed.

    Raises:
      SplitError: no recording is marked as train or as test, or a class has a single training recording and none is
        marked for validation.
    """
    del fold
    marks = table.columns.get(GIVEN_SPLIT)
    marked = set() if marks is None else set(marks)
    missing = [name for name in ('train', 'test') if name not in marked]
    if marks is None or missing:
        raise SplitError(
            f'protocol given_split: no recording is marked {" or ".join(missing)}; fill the column `split` of the '
            'manifest with train, validation and test, or take another protocol'
        )
    where = marks.astype('U10')  # as long as the longest name; a narrower type would cut it off
    if 'validation' not in marked:
        where[np.isin(table['recording'], _validating(table, marks == 'train', seed, label_key))] = 'validation'
    return {name: np.flatnonzero(where == name) for name in SPLITS}


def _validating(table: Table, trains: np.ndarray, seed: int, label_key: str) -> list[str]:
    chosen: list[str] = []
    for label in np.unique(table[label_key][trains]):
        mine = np.unique(table['recording'][trains & (table[label_key] == label)])
        if len(mine) < 2:
            raise SplitError(
                f'protocol given_split: class number {label} of {label_key} has one training recording ({mine[0]}) '
                'and none that validates; mark another one validation, or take time_blocks'
            )
        order = np.random.default_rng([seed, int(label)]).permutation(mine)
        chosen += list(order[: max(1, len(mine) // VALIDATION_PART)])
    return chosen
