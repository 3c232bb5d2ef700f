"""Protocols that test on another operating condition or machine than they train on (law 2)."""

from __future__ import annotations

import numpy as np

from fdx.data.blocks import NO_BLOCK, NUM_BLOCKS, fold_blocks
from fdx.data.table import Table
from fdx.types import SplitError

Rows = dict[str, np.ndarray]


def by_domain(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Leaves one domain out: domain number `fold` tests, the next one validates, the others train."""
    del seed, label_key
    domains = np.unique(table['domain'])
    if len(domains) < 3:
        raise SplitError(f'protocol by_domain needs 3 domains, the dataset has {", ".join(domains)}: use time_blocks')
    test, validation = domains[fold], domains[(fold + 1) % len(domains)]
    where = table['domain']
    return {
        'train': np.flatnonzero((where != test) & (where != validation)),
        'validation': np.flatnonzero(where == validation),
        'test': np.flatnonzero(where == test),
    }


def domain_pairs(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Trains on one domain and tests on another: fold f is the ordered pair number f of `pairs_of_domains`.

    Of the source, the last block of every recording validates and the others train; all of the target tests.

    Raises:
      SplitError: a single domain, or source recordings without blocks, named.
    """
    del seed, label_key
    source, target = pairs_of_domains(table)[fold]
    of_source = table['domain'] == source
    short = sorted(set(table['recording'][of_source & (table['block'] == NO_BLOCK)]))
    if short:
        raise SplitError(
            f'too short to hold a validation block: {", ".join(short)}; leave them out with '
            f'`exclude_recordings`={",".join(short)}'
        )
    validates = table['block'] == NUM_BLOCKS - 1
    return {
        'train': np.flatnonzero(of_source & ~validates),
        'validation': np.flatnonzero(of_source & validates),
        'test': np.flatnonzero(table['domain'] == target),
    }


def within_domain(table: Table, fold: int, seed: int, label_key: str) -> Rows:
    """Time blocks of one domain alone, as if nothing else had been recorded: fold f is domain f // 5, rotated by f % 5.

    Raises:
      SplitError: recordings of that domain without blocks, named.
    """
    del seed, label_key
    domain, rotation = divmod(fold, NUM_BLOCKS)
    here = table['domain'] == np.unique(table['domain'])[domain]
    short = sorted(set(table['recording'][here & (table['block'] == NO_BLOCK)]))
    if short:
        raise SplitError(
            f'too short for time blocks: {", ".join(short)}; leave them out with `exclude_recordings`={",".join(short)}'
        )
    parts = fold_blocks(rotation).items()
    return {name: np.flatnonzero(here & np.isin(table['block'], blocks)) for name, blocks in parts}


def pairs_of_domains(table: Table) -> list[tuple[str, str]]:
    """Ordered pairs (source, target) of different domains, sorted by their names.

    Raises:
      SplitError: the dataset has one domain.
    """
    domains = np.unique(table['domain'])
    if len(domains) < 2:
        raise SplitError(f'protocol domain_pairs needs 2 domains, the dataset has {domains[0]} alone: use time_blocks')
    return [(str(a), str(b)) for a in domains for b in domains if a != b]
