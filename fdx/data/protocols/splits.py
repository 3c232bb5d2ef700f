"""Protocols: pure functions from the table of records to row numbers of train, validation and test (law 2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from fdx.data.blocks import NO_BLOCK, NUM_BLOCKS, fold_blocks
from fdx.data.protocols.conditions import CONDITIONS, by_load, by_speed, num_condition_parts
from fdx.data.protocols.domains import Rows, by_domain, domain_pairs, pairs_of_domains, within_domain
from fdx.data.protocols.given import given_split
from fdx.data.protocols.groups import by_bearing, by_recording, num_parts
from fdx.data.protocols.guard import Leak, guard_splits, refuse_synthetic
from fdx.data.protocols.known_recordings import names_in
from fdx.data.protocols.row_evidence import dependence_of, row_leak, row_notes
from fdx.data.protocols.rows import by_group, num_group_parts, row_block_parts, row_blocks
from fdx.data.protocols.stratified import deal
from fdx.data.table import SYNTHETIC, Table
from fdx.types import SplitError

VALIDATION_SHARE = TEST_SHARE = 0.1


@dataclasses.dataclass(frozen=True)
class Splits:
    """Row numbers of a protocol's fold.

    Attributes:
      train: int64 [N], in table order; likewise validation and test.
      protocol: its name.
      fold: which fold.
      leak: what the guard measured.
      leaks: True where the protocol is known to leak, or the rows of a table are dependent: scores then do not
        estimate those of new data.
      leak_reason: of a table of readings, why; '' elsewhere.
      leak_share: of a table of readings, the share of test rows whose neighbour in the file is trained on.
      dependent: of a table of readings, whether rows that follow each other are alike.
      notes: sentences about the split for a report.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    protocol: str
    fold: int
    leak: Leak
    leaks: bool
    leak_reason: str = ''
    leak_share: float = 0.0
    dependent: bool = False
    notes: tuple[str, ...] = ()


def without_overlap(table: Table, rows: np.ndarray) -> np.ndarray:
    """Thins rows so that no two of a recording overlap: the earliest window stays, then the next that is free.

    Overlapping windows are fine to train on; scored, they count the same second several times and make intervals
    too narrow.
    """
    order = rows[np.lexsort((table['window_start'][rows], table['recording'][rows]))]
    kept, last_recording, free_from = [], None, 0
    for row in order:
        start = int(table['window_start'][row])
        if table['recording'][row] != last_recording or start >= free_from:
            kept.append(row)
            last_recording, free_from = table['recording'][row], start + table.window_length
    return np.sort(np.array(kept, np.int64))


def time_blocks(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Blocks of every recording: three train, one validates, one tests, rotated by the fold.

    Raises:
      SplitError: recordings without blocks, named.
    """
    del seed, label_key
    short = sorted(set(table['recording'][table['block'] == NO_BLOCK]))
    if short and _is_readings(table):
        raise SplitError(
            'rows of a table have no time blocks: its protocols are row_blocks (of a log), by_group (of a column of '
            'the table) and stratified (of independent rows)'
        )
    if short:
        raise SplitError(
            f'too short for time_blocks: {", ".join(short)}. Protocols that fit: by_recording, by_bearing, by_domain, '
            f'random_windows; or leave them out with `exclude_recordings`={",".join(short)}'
        )
    return {name: np.flatnonzero(np.isin(table['block'], blocks)) for name, blocks in fold_blocks(fold).items()}


def _is_readings(table: Table) -> bool:
    """Whether rows are single readings and not windows of a signal."""
    return table.window_length == 1


def stratified(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Rows of a table of readings at random, class by class: fdx.data.protocols.stratified.deal.

    Raises:
      SplitError: windows of recordings, whose neighbours are not independent.
    """
    if not _is_readings(table):
        raise SplitError(
            'protocol stratified is for tables of readings: windows of a recording are not independent rows; use '
            'time_blocks'
        )
    return deal(table[label_key], table['recording'], fold=fold, seed=seed)


def random_windows(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """The study's protocol: 80/10/10 of the windows of each class at random, whatever recording they come from.

    It leaks (Di Maggio, Sensors 23(1):211, 2023, splits so): neighbours of a test window, and where windows overlap
    parts of it, are trained on.
    """
    parts: dict[str, list[np.ndarray]] = {'train': [], 'validation': [], 'test': []}
    for label in np.unique(table[label_key]):
        rows = np.flatnonzero(table[label_key] == label)
        rows = np.random.default_rng([seed, fold, int(label)]).permutation(rows)
        test, validation = (max(1, round(share * len(rows))) for share in (TEST_SHARE, VALIDATION_SHARE))
        parts['test'].append(rows[:test])
        parts['validation'].append(rows[test : test + validation])
        parts['train'].append(rows[test + validation :])
    return {name: np.sort(np.concatenate(p)) for name, p in parts.items()}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """One way of splitting.

    Attributes:
      split: the pure function.
      leaks: True where test windows are known not to be independent of training windows.
      num_folds: folds that `fold=all` pools; 0: as many as the data have domains, pairs of
        them, or parts of speeds or loads.
    """

    split: Callable[[Table, int, int, str], Rows]
    leaks: bool = False
    num_folds: int = NUM_BLOCKS


PROTOCOLS = {
    'time_blocks': Protocol(time_blocks),
    'by_recording': Protocol(by_recording),
    'by_bearing': Protocol(by_bearing),
    'by_domain': Protocol(by_domain, num_folds=0),
    'by_speed': Protocol(by_speed, num_folds=0),
    'by_load': Protocol(by_load, num_folds=0),
    'domain_pairs': Protocol(domain_pairs, num_folds=0),
    'within_domain': Protocol(within_domain, num_folds=0),
    'given_split': Protocol(given_split, num_folds=1),
    'row_blocks': Protocol(row_blocks, num_folds=0),
    'by_group': Protocol(by_group, num_folds=0),
    'stratified': Protocol(stratified),
    'random_windows': Protocol(random_windows, leaks=True, num_folds=1),
}


def folds_of(protocol: str, table: Table, label_key: str = 'label') -> list[int]:
    """The folds that together score every row once (one random fold for random_windows)."""
    spec = _protocol(protocol)
    if protocol == 'by_domain':
        return list(range(len(np.unique(table['domain']))))
    if protocol in CONDITIONS:
        return list(range(num_condition_parts(table, protocol)))
    if protocol == 'within_domain':
        return list(range(NUM_BLOCKS * len(np.unique(table['domain']))))
    if protocol == 'domain_pairs':
        return list(range(len(pairs_of_domains(table))))
    if protocol == 'row_blocks':
        return list(range(row_block_parts(table, label_key)))
    if protocol == 'by_group':
        return list(range(num_group_parts(table, label_key)))
    if protocol in ('by_recording', 'by_bearing'):
        return list(range(num_parts(table, protocol[3:], label_key)))
    return list(range(spec.num_folds))


def split_rows(
    table: Table,
    protocol: str,
    *,
    fold: int = 0,
    seed: int = 0,
    label_key: str = 'label',
    exclude_recordings: tuple[str, ...] = (),
) -> Splits:
    """Rows of a protocol's fold, guarded.

    Args:
      table: the dataset's table.
      protocol: a key of PROTOCOLS.
      fold: which fold.
      seed: decides what is random in the protocol (the blocks are not).
      label_key: 'label' or 'fault_type', the classes that group protocols and random_windows stratify by.
      exclude_recordings: recordings to leave out.

    Returns:
      Splits. Validation and test rows of protocols that do not leak are thinned to windows that do not overlap.

    Raises:
      SplitError: unknown protocol or recording, data that the protocol cannot split, an empty split, or shared
        samples.
    """
    spec = _protocol(protocol)
    if SYNTHETIC in table.columns and table[SYNTHETIC].all():
        # First, or a protocol would complain about fields that the records lack.
        refuse_synthetic(table, np.arange(len(table)), "dataset's")
    unknown = sorted(set(exclude_recordings) - set(table['recording']))
    if unknown:
        raise SplitError(
            f'`exclude_recordings` names {", ".join(unknown)}, which the dataset does not hold; it holds '
            f'{names_in(table["recording"])}'
        )
    keep = np.flatnonzero(~np.isin(table['recording'], exclude_recordings))
    if not len(keep):
        raise SplitError('no rows are left to split: `exclude_recordings` names every recording of the dataset')
    kept = dataclasses.replace(table, columns={k: v[keep] for k, v in table.columns.items()})
    folds = folds_of(protocol, kept, label_key)
    if fold not in folds:
        raise SplitError(f'fold {fold}: protocol {protocol} has folds {folds[0]} to {folds[-1]} on this data')
    rows = {name: keep[r] for name, r in spec.split(kept, fold, seed, label_key).items()}
    if not spec.leaks:
        rows = {name: r if name == 'train' else without_overlap(table, r) for name, r in rows.items()}
    empty = [name for name, r in rows.items() if not len(r)]
    if empty:
        raise SplitError(f'protocol {protocol}, fold {fold}: no rows in {", ".join(empty)}')
    unseen = np.setdiff1d(table[label_key][rows['test']], table[label_key][rows['train']])
    if len(unseen):
        raise SplitError(
            f'protocol {protocol}, fold {fold}: class number {", ".join(map(str, unseen))} of {label_key} is tested '
            'but not trained: too few windows or groups hold it; use time_blocks'
        )
    leak = guard_splits(table, rows, may_leak=spec.leaks)
    of_rows: dict[str, Any] = {}
    if _is_readings(table):
        found = row_leak(table, protocol, rows['train'], rows['test'], label_key)
        notes = row_notes(kept, protocol, rows, label_key)
        of_rows = {'leak_reason': found.reason, 'leak_share': found.share, 'notes': tuple(notes)}
        of_rows['dependent'] = bool(dependence_of(kept, label_key))
    leaks = spec.leaks or bool(of_rows.get('leak_reason'))
    parts = rows['train'], rows['validation'], rows['test']
    return Splits(*parts, protocol=protocol, fold=fold, leak=leak, leaks=leaks, **of_rows)


def _protocol(name: str) -> Protocol:
    if name not in PROTOCOLS:
        raise SplitError(f'unknown protocol {name!r}; fdx has: {", ".join(PROTOCOLS)}')
    return PROTOCOLS[name]
