"""Splits as tests of protocols look at them."""

from __future__ import annotations

from fdx.data.blocks import Windowing

OVERLAPPING = Windowing(10, 4, 3)
SPLITS = ('train', 'validation', 'test')


def rows_of(splits):
    """Split -> its row numbers."""
    return {name: getattr(splits, name) for name in SPLITS}


def groups(table, rows, key):
    """The values of a column in some rows."""
    return set(table[key][rows])
