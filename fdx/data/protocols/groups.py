"""Protocols that put whole recordings or whole bearings into one split each."""

from __future__ import annotations

import numpy as np

from fdx.data.blocks import NO_BLOCK, NUM_BLOCKS
from fdx.data.protocols.domains import Rows
from fdx.data.table import Table
from fdx.types import SplitError

# Groups of a class that a protocol cannot do without: one trains, one tests.
FEWEST = 2


def _by_group(table: Table, fold: int, seed: int, label_key: str, group_key: str) -> Rows:
    """Whole groups (recordings, bearings) go to one split each, class by class; fold f rotates which.

    Where a class has only two, one trains and the other tests, and the last time block of the training ones validates.
    """
    split_of: dict[str, str] = {}
    labels, groups = table[label_key], table[group_key]
    parts_of_class = num_parts(table, group_key, label_key)
    for label in np.unique(labels):
        mine = np.random.default_rng([seed, int(label)]).permutation(np.unique(groups[labels == label]))
        for i, part in enumerate(np.array_split(mine, parts_of_class)):
            place = (i - fold) % parts_of_class
            name = {parts_of_class - 1: 'test', parts_of_class - 2: 'validation'}.get(place, 'train')
            name = 'train' if parts_of_class == FEWEST and name == 'validation' else name
            for group in part:
                if split_of.setdefault(group, name) != name:
                    raise SplitError(
                        f'{group_key} {group} holds several classes of {label_key} that this fold puts into '
                        f'{split_of[group]} and {name}: protocol by_{group_key} does not fit, use time_blocks'
                    )
    where = np.array([split_of[g] for g in groups])
    if parts_of_class == FEWEST:
        where = _last_blocks_validate(table, where, group_key)
    return {name: np.flatnonzero(where == name) for name in ('train', 'validation', 'test')}


def num_parts(table: Table, group_key: str, label_key: str) -> int:
    """Parts into which the groups of every class are dealt: as many as the rarest class has, at most NUM_BLOCKS."""
    labels, groups = table[label_key], table[group_key]
    of_class = {label: np.unique(groups[labels == label]) for label in np.unique(labels)}
    label, poorest = min(of_class.items(), key=lambda item: len(item[1]))
    if len(poorest) < FEWEST:
        raise SplitError(
            f'protocol by_{group_key} needs {FEWEST} {group_key}s of every class, class number {label} of {label_key} '
            f'has {len(poorest)} ({", ".join(poorest)}); protocols that fit: time_blocks, random_windows, or a coarser '
            '`label_key`'
        )
    return min(NUM_BLOCKS, len(poorest))


def _last_blocks_validate(table: Table, where: np.ndarray, group_key: str) -> np.ndarray:
    """The splits with the last time block of every training recording moved to validation."""
    trains = where == 'train'
    short = sorted(set(table['recording'][trains & (table['block'] == NO_BLOCK)]))
    if short:
        raise SplitError(
            f'protocol by_{group_key}: with two {group_key}s of a class, time blocks of the training ones validate, '
            f'but too short for blocks: {", ".join(short)}; add a third {group_key} of each class, or cut shorter '
            'windows with `window_s`'
        )
    return np.where(trains & (table['block'] == NUM_BLOCKS - 1), 'validation', where)


def by_recording(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Whole recordings, at least two per class."""
    return _by_group(table, fold, seed, label_key, 'recording')


def by_bearing(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Whole bearings, at least two per class: the only protocol that tests on a fault never seen."""
    return _by_group(table, fold, seed, label_key, 'bearing')
