"""Protocols of tables whose rows are a log or come in groups: whole stretches, or whole groups, in one split each."""

from __future__ import annotations

import functools
import warnings

import numpy as np

from fdx.data.blocks import NUM_BLOCKS
from fdx.data.protocols.domains import Rows
from fdx.data.protocols.row_stretches import LEAST_OF_CLASS, Stretches, least_stretches, stretches_of
from fdx.data.table import GROUP, ROW, Table
from fdx.types import SplitError

# Orders of the units that are tried; their seeds are far from those that users count up from 0.
ATTEMPTS, LARGE_STEP = 20, 1_000_003
MARKED = (
    'pass `protocol=stratified` if the rows are independent measurements (the report marks runs of a label as a leak)'
)


def deal_units(units: np.ndarray, labels: np.ndarray, parts: int, *, fold: int = 0, seed: int = 0) -> Rows:
    """Deals whole units (stretches, groups) into parts: the last is tested, the one before validates, the others train.

    scikit-learn's StratifiedGroupKFold deals the units whose classes are most uneven first, each to the part where the
    classes then lie most evenly; fold f rotates which part is which.

    Args:
      units: int [N].
      labels: int [N].
      parts: how many, at least 3.
      fold: 0 to parts - 1.
      seed: decides which units lie together.

    Returns:
      'train', 'validation', 'test' -> int64 row numbers, ascending.
    """
    # A greedy deal may leave a part without a class where another order of the units would not.
    for attempt in range(ATTEMPTS):
        part = _dealt(units, labels, parts, seed + attempt * LARGE_STEP)
        if _has_every_class(part, labels, parts):
            break
    place = (part - fold) % parts
    chosen = {'train': place < parts - 2, 'validation': place == parts - 2, 'test': place == parts - 1}
    return {name: np.flatnonzero(rows) for name, rows in chosen.items()}


def _dealt(units: np.ndarray, labels: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """int64 [N], the part of each row."""
    unit, label = (np.unique(x, return_inverse=True)[1] for x in (units, labels))
    counts = np.zeros((unit.max(initial=-1) + 1, label.max(initial=-1) + 1), np.int64)
    np.add.at(counts, (unit, label), 1)
    return _parts_of_units(counts.tobytes(), counts.shape, parts, seed)[unit]


@functools.lru_cache(maxsize=64)
def _parts_of_units(counts: bytes, shape: tuple[int, int], parts: int, seed: int) -> np.ndarray:
    """int64 [U], the part of each unit, from its rows per class (int64 [U, classes]); every fold asks for it anew."""
    # Only tables come here, and the import takes as long as that of all the rest.
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415

    of_unit = np.frombuffer(counts, np.int64).reshape(shape)
    unit, label = (np.repeat(i, of_unit[of_unit > 0]) for i in np.nonzero(of_unit))
    folds, part = StratifiedGroupKFold(parts, shuffle=True, random_state=seed), np.empty(len(of_unit), np.int64)
    with warnings.catch_warnings():
        # A class may have fewer rows than there are parts; `_whole` refuses a split without it, with the remedy.
        warnings.simplefilter('ignore', UserWarning)
        for number, (_, mine) in enumerate(folds.split(np.zeros((len(label), 1)), label, unit)):
            part[unit[mine]] = number
    return part


def _has_every_class(part: np.ndarray, labels: np.ndarray, parts: int) -> bool:
    return all(len(np.unique(part[labels == c])) == parts for c in np.unique(labels))


def num_parts(units: np.ndarray, labels: np.ndarray, at_most: int) -> int:
    """The largest number of parts, NUM_BLOCKS to 3, of which every one gets every class by some order of the units."""
    for parts in range(min(NUM_BLOCKS, at_most), LEAST_OF_CLASS, -1):
        orders = (_dealt(units, labels, parts, attempt * LARGE_STEP) for attempt in range(ATTEMPTS))
        if any(_has_every_class(part, labels, parts) for part in orders):
            return parts
    return LEAST_OF_CLASS


def deal_stretches(values: np.ndarray, labels: np.ndarray, *, fold: int = 0, seed: int = 0) -> tuple[Rows, Stretches]:
    """Deals a log by whole stretches (fdx.data.protocols.row_stretches).

    Where a stretch begins without a jump of the readings, training rows within the label's memory of a scored row are
    left out, as in the h-block cross-validation of P. Burman, E. Chow and D. Nolan ("A cross-validatory method for
    dependent data", Biometrika 81(2):351-358, 1994).

    Args:
      values: float [N, C], in the order of the file.
      labels: int [N], likewise.
      fold: which part is tested.
      seed: decides which stretches lie together.

    Raises:
      SplitError: a class lies in fewer than three stretches, as in a table that is sorted by its label.
    """
    found = stretches_of(values, labels)
    rows = deal_units(found.of_row, labels, num_stretch_parts(found, labels), fold=fold, seed=seed)
    run_of_row = np.cumsum(found.natural)[found.of_row]
    kept = {'test': rows['test']}
    kept['validation'] = _beyond(rows['validation'], rows['test'], run_of_row, found.memory)
    scored = np.concatenate([rows['validation'], rows['test']])
    kept['train'] = _beyond(rows['train'], scored, run_of_row, found.memory)
    return kept, found


def num_stretch_parts(found: Stretches, labels: np.ndarray) -> int:
    """Into how many parts stretches are dealt; SplitError where a class lies in fewer than three of them."""
    fewest = least_stretches(found.of_row, labels)
    if fewest < LEAST_OF_CLASS:
        raise SplitError(
            f'rows that follow each other are alike in this table, and a class lies in only {fewest} '
            f'stretch{"" if fewest == 1 else "es"} of them (as if sorted by its label, or of a few long runs), where '
            'training, validation and test need one each: name the column that tells machines or runs apart with '
            f'`group_column=NAME`, add runs, or {MARKED}'
        )
    return num_parts(found.of_row, labels, fewest)


def _beyond(rows: np.ndarray, scored: np.ndarray, run_of_row: np.ndarray, memory: int) -> np.ndarray:
    """Those of `rows` that lie more than `memory` rows from every scored row of their run."""
    if not memory or not len(scored):
        return rows
    scored = np.sort(scored)
    at = np.searchsorted(scored, rows)
    before, after = scored[np.maximum(at - 1, 0)], scored[np.minimum(at, len(scored) - 1)]
    near = [(np.abs(rows - s) <= memory) & (run_of_row[rows] == run_of_row[s]) for s in (before, after)]
    return rows[~(near[0] | near[1])]


def row_blocks(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Whole stretches of a log of readings, identical readings in one split.

    Raises:
      SplitError: windows of recordings, or what `deal_stretches` refuses.
    """
    refuse_recordings(table, 'row_blocks')
    order = in_file_order(table)
    rows, _ = deal_stretches(table['peak'][order], table[label_key][order], fold=fold, seed=seed)
    return _whole(table, {name: np.sort(order[r]) for name, r in rows.items()}, label_key, 'row_blocks')


def row_block_parts(table: Table, label_key: str) -> int:
    """Into how many parts the stretches of a log are dealt; SplitError as `row_blocks`."""
    refuse_recordings(table, 'row_blocks')
    order = in_file_order(table)
    labels = table[label_key][order]
    return num_stretch_parts(stretches_of(table['peak'][order], labels), labels)


def by_group(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Whole groups of rows, as a column of the user's table names them; identical readings in one split.

    Raises:
      SplitError: windows of recordings, a table without groups, or a class in fewer than three groups.
    """
    refuse_recordings(table, 'by_group')
    numbers, labels = group_numbers(table), table[label_key]
    rows = deal_units(numbers, labels, num_group_parts(table, label_key), fold=fold, seed=seed)
    return _whole(table, rows, label_key, 'by_group')


def group_numbers(table: Table) -> np.ndarray:
    """int64 [N], the number of each row's group; SplitError for a table without."""
    if GROUP not in table.columns:
        raise SplitError(
            'protocol by_group needs a table that was prepared with `csv=FILE` and `group_column=NAME`; this one has '
            'no groups: use `protocol=row_blocks`'
        )
    return np.unique(table[GROUP], return_inverse=True)[1]


def num_group_parts(table: Table, label_key: str) -> int:
    """Into how many parts groups are dealt; SplitError where a class lies in fewer than three of them."""
    return group_parts(group_numbers(table), table[label_key], label_key)


def group_parts(numbers: np.ndarray, labels: np.ndarray, label_key: str = 'label') -> int:
    """The same for numbers of groups [N] and labels [N]."""
    of_class = {int(c): len(np.unique(numbers[labels == c])) for c in np.unique(labels)}
    label, fewest = min(of_class.items(), key=lambda item: item[1])
    if fewest < LEAST_OF_CLASS:
        raise SplitError(
            f'protocol by_group needs 3 groups with every class, class number {label} of {label_key} lies in {fewest}: '
            'add groups, or name a finer column with `group_column`'
        )
    return num_parts(numbers, labels, fewest)


def refuse_recordings(table: Table, protocol: str) -> None:
    """SplitError for windows of recordings, which have protocols of their own."""
    if table.window_length != 1:
        raise SplitError(f'protocol {protocol} is for tables of readings; windows of recordings have time_blocks')


def in_file_order(table: Table) -> np.ndarray:
    """int64 [N]: row numbers of a table of readings in the order of the user's file."""
    return np.argsort(table.columns.get(ROW, np.arange(len(table))), kind='stable')


def _whole(table: Table, rows: Rows, label_key: str, protocol: str) -> Rows:
    """The rows without training rows whose readings are scored too; SplitError where a split lacks a class."""
    readings = table['recording']
    rows = dict(rows)
    rows['validation'] = rows['validation'][~np.isin(readings[rows['validation']], readings[rows['test']])]
    scored = readings[np.concatenate([rows['validation'], rows['test']])]
    rows['train'] = rows['train'][~np.isin(readings[rows['train']], scored)]
    for name, mine in rows.items():
        missing = np.setdiff1d(table[label_key], table[label_key][mine])
        if len(missing):
            raise SplitError(
                f'protocol {protocol}: no row of class number {missing[0]} of {label_key} is left for {name} (whole '
                'stretches or groups lie in one split, identical readings too, and rows near scored ones are left '
                f'out): add rows of other runs, or {MARKED}'
            )
    return rows
