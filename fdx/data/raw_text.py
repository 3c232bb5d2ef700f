"""Text tables (.csv, .tsv, .txt) of samples: which column is time, which are channels, and the rate."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import numpy as np

from fdx.data.raw_signal import RawSignal
from fdx.data.raw_table import NumberTable, read_table
from fdx.data.raw_time import TimeColumn, is_time_name, on_even_grid, rate_from_times, unwrapped
from fdx.types import DataError


def read_text(path: pathlib.Path, columns: Sequence[str] | None, *, need_rate: bool) -> RawSignal:
    """Reads a table of numbers: one row a sample, one column a channel, perhaps one column of time.

    See fdx.data.raw_table.read_table for how tables may be written. A first column without a name that counts the rows
    is skipped.

    Args:
      path: the file.
      columns: names of the columns to keep, in that order; None keeps all but the time.
      need_rate: True when the rate must come from the time column, which makes a repeated time an error.

    Returns:
      The signal; its rate from the time column (see rate_from_times) where the header names one. With `need_rate`,
      samples whose clock drifts are brought onto an even grid (see on_even_grid).

    Raises:
      DataError: no rows, a cell that is no number, rows of different length, times that do not increase, or a column
        that does not exist; it names row (line of the file, from 1) and column.
    """
    table = read_table(path)
    times = [i for i, name in enumerate(table.names) if is_time_name(name)]
    keep = _chosen(table, columns, times)
    samples, rate_hz = table.values[:, keep], None
    if times:
        time = unwrapped(TimeColumn(path, table.names[times[0]], table.values[:, times[0]], table.row_number))
        rate_hz = rate_from_times(time, need_rate=need_rate)
        if need_rate:
            samples = on_even_grid(time, samples, rate_hz)
    return RawSignal(
        samples=samples,
        channel_names=tuple(table.names[i] for i in keep) if table.names else (),
        file_rate_hz=rate_hz,
        rate_origin=f'column {table.names[times[0]]}' if times else '',
        rate_tolerance=0.01,
    )


def _chosen(table: NumberTable, columns: Sequence[str] | None, times: list[int]) -> list[int]:
    path, names, values = table.path, table.names, table.values
    if columns is None:
        skipped = set(times)
        if names and not names[0] and np.array_equal(np.diff(values[:, 0]), np.ones(len(values) - 1)):
            skipped.add(0)
        keep = [i for i in range(values.shape[1]) if i not in skipped]
        if not keep:
            raise DataError(f'{path} has no column beside {", ".join(names)}; export the samples too')
        return keep
    if isinstance(columns, str) or not columns:
        raise DataError(f'{path}: --columns is {columns!r}; give a list of column names')
    if not names:
        raise DataError(f'{path} has no header, so there is no column {columns[0]!r}; use --channel with an index')
    for name in columns:
        if names.count(name) != 1:
            found = 'several columns' if name in names else 'no column'
            raise DataError(f'{path} has {found} {name!r}; pass --columns with some of: {", ".join(names)}')
    return [names.index(name) for name in columns]
