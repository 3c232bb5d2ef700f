"""Protocols that leave out whole speeds or whole loads, whatever else differs between the recordings (law 2).

`by_domain` leaves out one domain, which may be a speed, a load, a machine, or one speed at one load. Where recordings
differ in speed and load, these two ask about one of them: all loads of a speed are left out, or all speeds of a load.
"""

from __future__ import annotations

import numpy as np

from fdx.data.blocks import NUM_BLOCKS
from fdx.data.collection.domains import SAME_SPEED
from fdx.data.protocols.domains import Rows
from fdx.data.protocols.known_recordings import names_in
from fdx.data.table import Table
from fdx.types import SplitError

# One part tests, one validates, one trains.
FEWEST = 3
# Protocol -> (column of the table, what it is called, unit).
CONDITIONS = {'by_speed': ('speed_rpm', 'speed', ' rpm'), 'by_load': ('load', 'load', '')}


def by_speed(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Whole speeds: neighbouring ones form at most five parts; part number `fold` tests, the next one validates.

    Raises:
      SplitError: a recording whose speed is unknown, or fewer than three speeds.
    """
    del seed, label_key
    return _rows(table, fold, 'by_speed')


def by_load(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Whole loads, as `by_speed`; the load is the number in the records.

    Raises:
      SplitError: a recording whose load is unknown, or fewer than three loads.
    """
    del seed, label_key
    return _rows(table, fold, 'by_load')


def num_condition_parts(table: Table, protocol: str) -> int:
    """Folds of `by_speed` or `by_load`; SplitError where the protocol does not fit."""
    return len(_parts(table, protocol))


def _rows(table: Table, fold: int, protocol: str) -> Rows:
    parts = _parts(table, protocol)
    test, validation = fold, (fold + 1) % len(parts)
    trained = [part for i, part in enumerate(parts) if i not in (test, validation)]
    values = table[CONDITIONS[protocol][0]]
    named = {'train': np.concatenate(trained), 'validation': parts[validation], 'test': parts[test]}
    return {name: np.flatnonzero(np.isin(values, of)) for name, of in named.items()}


def _parts(table: Table, protocol: str) -> list[np.ndarray]:
    """The values of each part, from low to high. Measured values up to SAME_SPEED apart are one condition."""
    column, word, unit = CONDITIONS[protocol]
    values = table.columns.get(column, np.full(len(table), np.nan))
    unknown = np.unique(table['recording'][np.isnan(values)])
    if len(unknown):
        whose = 'every recording' if len(unknown) == len(np.unique(table['recording'])) else names_in(unknown)
        raise SplitError(
            f'protocol {protocol}: the {word} of {whose} is unknown; state `{column}` when the recordings '
            'are prepared, or take by_domain or time_blocks'
        )
    runs: list[list[float]] = []
    for value in np.unique(values):
        if runs and value - runs[-1][-1] <= SAME_SPEED * abs(runs[-1][-1]):
            runs[-1].append(value)
        else:
            runs.append([value])
    if len(runs) < FEWEST:
        found = ', '.join(f'{run[0]:g}{unit}' for run in runs)
        raise SplitError(
            f'protocol {protocol} needs {FEWEST} {word}s, the dataset has {found}: use by_domain or time_blocks'
        )
    dealt = np.array_split(np.arange(len(runs)), min(NUM_BLOCKS, len(runs)))
    return [np.concatenate([runs[i] for i in part]).astype(values.dtype) for part in dealt]
