"""What the order of a table's rows does to a split: whether it leaks, what counts once, and what a report says."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.data.protocols.row_dependence import Dependence, row_dependence
from fdx.data.protocols.row_stretches import stretches_of
from fdx.data.protocols.rows import in_file_order
from fdx.data.table import GROUP, Table

# Groups leak where this share of the test rows follows a training row of another group that is alike.
LEAST_SHARE = 0.2
# What makes a pair alike: rank correlation of the median reading, and of the label.
PAIR_READINGS, PAIR_LABELS = 0.8, 0.5
ROW_UNIT, GROUP_UNIT, STRETCH_UNIT = 'row', 'group of rows', 'stretch of rows'


@dataclasses.dataclass(frozen=True)
class RowLeak:
    """Whether a split of a table leaks by the order of its rows.

    Attributes:
      leaks: whether it does.
      share: of the test rows whose neighbour in the file is trained on.
      reason: in words, '' where it does not.
    """

    leaks: bool = False
    share: float = 0.0
    reason: str = ''


def dependence_of(table: Table, label_key: str = 'label') -> Dependence:
    """`row_dependence` of a table of readings in the order of the user's file."""
    order = in_file_order(table)
    return row_dependence(table['peak'][order], table[label_key][order], getattr(table, 'column_names', ()))


def row_leak(table: Table, protocol: str, train: np.ndarray, test: np.ndarray, label_key: str = 'label') -> RowLeak:
    """Looks for test rows whose neighbours in the file are trained on, and like them.

    Args:
      table: of readings.
      protocol: `row_blocks` cuts where the log does and is clean; `by_group` leaks where neighbours of different groups
        are alike in readings and label; any other deals rows one by one and leaks where rows are dependent at all.
      train: int64 [N], rows that are trained on.
      test: int64 [M], rows that are scored.
      label_key: the classes.
    """
    order = in_file_order(table)
    pairs = _neighbours(order, train, test)
    share = len(np.unique(pairs[:, 0])) / max(len(test), 1)
    if protocol == 'row_blocks':
        return RowLeak(share=share)
    if protocol == 'by_group':
        alike = share >= LEAST_SHARE and _pairs_alike(table, pairs, label_key)
        reason = (
            'neighbouring rows of different groups are alike in readings and label, so the groups cut runs: name a '
            'coarser column with `group_column`'
        )
        return RowLeak(alike, share, reason if alike else '')
    found = dependence_of(table, label_key)
    if not found:
        return RowLeak(share=share)
    return RowLeak(
        True,
        share,
        f'protocol {protocol} deals rows one by one, but rows that follow each other are not independent: '
        f'{found.words()}; use `protocol=row_blocks`, or `group_column`',
    )


def row_units(table: Table, protocol: str, label_key: str = 'label') -> tuple[np.ndarray, str]:
    """The units that count once in an interval: their names as texts [N], and what these name.

    A group where groups are held together, a stretch of a log whose rows are dependent, else each row.
    """
    if protocol == 'by_group' and GROUP in table.columns:
        return table[GROUP], GROUP_UNIT
    order = in_file_order(table)
    found = stretches_of(table['peak'][order], table[label_key][order])
    if not found.dependent:
        return np.array([f'row {i}' for i in range(len(table))]), ROW_UNIT
    names = np.empty(len(table), object)
    names[order] = found.names()
    return names.astype(str), STRETCH_UNIT


def row_notes(table: Table, protocol: str, rows: dict[str, np.ndarray], label_key: str = 'label') -> list[str]:
    """What a report says of the split of a table."""
    notes = []
    left_out = len(table) - sum(map(len, rows.values()))
    if protocol == 'row_blocks':
        order = in_file_order(table)
        found = stretches_of(table['peak'][order], table[label_key][order])
        if not found.dependent:
            how = f'Rows show no dependence on the rows before; they lie in {len(found)} blocks that follow the file.'
        else:
            how = f'Rows are not independent: {dependence_of(table, label_key).words()}; the log was cut into '
            how += f'{len(found)} stretches where it jumps'
            if not found.natural.all() and found.memory:
                how += (
                    f' or its label changes, and training rows within {found.memory} rows of a scored one are left out'
                )
            how += '.' if found.natural.all() or found.memory else ' or at equal distances.'
        notes.append(f'{how} A stretch lies in one split as a whole.')
    elif protocol == 'by_group' and GROUP in table.columns:
        notes.append(f'Whole groups of rows lie in one split: {len(np.unique(table[GROUP]))} groups.')
    if left_out:
        notes.append(f'{left_out} rows are in no split: too near a scored row, or the same readings as one.')
    return notes


def _neighbours(order: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """int64 [P, 2]: (test row, training row) that follow each other in the file, either way round."""
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    trained = np.zeros(len(order) + 2, bool)
    trained[position[train] + 1] = True
    at = position[test]
    pairs = [np.stack([test[trained[at + 1 + d]], order[at[trained[at + 1 + d]] + d]], 1) for d in (-1, 1)]
    return np.concatenate(pairs)


def _pairs_alike(table: Table, pairs: np.ndarray, label_key: str) -> bool:
    """Whether the rows of pairs are alike in most readings and in the label."""
    values, labels = table['peak'], table[label_key].astype(np.float64)

    def correlation(column: np.ndarray) -> float:
        ranks = scipy.stats.rankdata(column)
        a, b = ranks[pairs[:, 0]], ranks[pairs[:, 1]]
        return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0

    # Pairs of the same two groups are not independent evidence: their likeness counts, not their number.
    readings = np.median([correlation(column) for column in values.T])
    return readings >= PAIR_READINGS and correlation(labels) >= PAIR_LABELS
