"""Reads a SOON file: turns a CSV file with a logger's timestamps in microseconds into an even Recording."""

from __future__ import annotations

import logging
import os
import pathlib

import numpy as np

from fdx.data.raw.table import NumberTable, read_table
from fdx.data.raw.time import TimeColumn, unwrapped
from fdx.signal.even_time import even_samples
from fdx.types import DataError, Recording

from .files import MOTOR, RECORD_URL, SoonFile

TIME, AXES = 'Timestamp', ('AccX', 'AccY', 'AccZ')
# One rate for every recording (law 3). The logger's step grows with the digits of its clock: in file 01 its median is
# 1,824 us up to 10 s, 1,860 us up to 100 s and 1,892 us after that; a clock beyond 1,000 s would give about 1,924 us,
# which is 520 Hz. The slowest recording is known only after all are read, so the common rate is below 520 Hz with a
# margin. Treating rates within a few percent as the nominal one would shift the spectra of whole recordings, which are
# classes, by as much, and would reveal the length of each recording to a classifier.
COMMON_RATE_HZ = 512.0
# Rates beyond this do not come from a fast logger, but from another unit or another dataset.
HIGHEST_RATE_HZ = 600.0
# A step of more than 1.5 medians has lost samples. Up to this many (6 ms) are bridged by the interpolation in time.
GAP_STEPS = 1.5
MAX_LOST_SAMPLES = 3
MAX_LOST_SHARE = 0.01
_log = logging.getLogger(__name__)


def read_file(path: str | os.PathLike, file: SoonFile, label: str | None = None) -> Recording:
    """Reads one file.

    The timestamps count microseconds. The rate is 1 / their median step. The steps are uneven: in file 01 they scatter
    by 12 to 14 us (0.7 %) around a median that grows from 1,824 to 1,892 us, so the samples are interpolated at even
    times (fdx.signal.even_time), as prediction on such a file does. A wrap of the 32-bit clock is undone, up to 3 lost
    samples in a row are bridged with a warning, and an incomplete last line is left out.

    Args:
      path: the CSV file.
      file: its row in the table.
      label: class name; None: the file's scenario.

    Returns:
      The recording: samples float32 [T, 3] in counts, gravity included, at the median rate (533.05 Hz for file 01);
      the load is in Nm, the speed is not known.

    Raises:
      DataError: the header differs, there are no rows, a cell is not a finite number, times repeat or go back, too many
        samples are lost (all with their row in the file), or the rate is below COMMON_RATE_HZ or above HIGHEST_RATE_HZ.
    """
    path = pathlib.Path(path)
    samples, rate_hz = load(path)
    return Recording(
        samples=samples,
        sample_rate_hz=rate_hz,
        recording=file.recording,
        label=file.scenario if label is None else label,
        fault_type=file.fault_type,
        bearing=MOTOR,
        domain=file.domain,
        load=file.load_nm,
        source=path.name,
    )


def load(path: pathlib.Path) -> tuple[np.ndarray, float]:
    """Reads (samples float32 [T, 3], rate in Hz); raises what `read_file` does."""
    try:
        table = read_table(path, drop_cut_line=True)
    except OSError as error:
        raise DataError(f'{path} cannot be read: {error.strerror or error}; check its permissions') from error
    _check_cells(table)
    column = unwrapped(TimeColumn(path, TIME, table.values[:, 0], table.row_number))
    median_us = _check_steps(column)
    rate_hz = 1e6 / median_us
    if not COMMON_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise DataError(
            f'{path}: the median step of column {TIME}, {median_us:g} us, is a rate of {rate_hz:.6g} Hz; SOON has '
            f'526 to 540 Hz, and {COMMON_RATE_HZ:g} to {HIGHEST_RATE_HZ:g} Hz are allowed: times must count '
            f'microseconds; {_remedy(path)}'
        )
    return even_samples(table.values[:, 1:], 1e-6 * column.values, rate_hz), rate_hz


def _check_cells(table: NumberTable) -> None:
    wanted = (TIME, *AXES)
    if table.names != wanted:
        missing = [name for name in wanted if name not in table.names]
        found = ','.join(table.names) or 'none (the file begins with numbers)'
        raise DataError(
            f'{table.path}: row 1 must be the header {",".join(wanted)}, and is {found}'
            + (f': {", ".join(missing)} is missing' if missing else '')
            + f'; {_remedy(table.path)}'
        )
    bad = np.argwhere(~np.isfinite(table.values))
    if len(bad):
        row, i = bad[0]
        raise DataError(
            f'{table.path}: row {table.row_number(row)}, column {wanted[i]}: {table.values[row, i]} is not a finite '
            f'number; {_remedy(table.path)}'
        )


def _check_steps(column: TimeColumn) -> float:
    """The median step; refuses times that do not rise, long gaps and too many gaps, and warns about short ones."""
    path, times, steps = column.path, column.values, np.diff(column.values)
    if not steps.size:
        raise DataError(f'{path}: one row of numbers is not a recording; {_remedy(path)}')
    back = np.flatnonzero(steps <= 0)
    if back.size:
        what = 'repeats' if steps[back[0]] == 0 else 'goes back'
        raise DataError(
            f'{path}: row {column.row_number(back[0] + 1)}: time {times[back[0] + 1]:.0f} in column {TIME} {what} (the '
            f'row before has {times[back[0]]:.0f}); {_remedy(path)}'
        )
    median = float(np.median(steps))
    lost = np.where(steps > GAP_STEPS * median, np.rint(steps / median) - 1, 0)
    worst = int(lost.argmax())
    if lost[worst] > MAX_LOST_SAMPLES:
        raise DataError(
            f'{path}: row {column.row_number(worst + 1)}: {lost[worst]:.0f} samples are lost before it (a step of '
            f'{steps[worst]:.0f} us, the median is {median:.0f} us); at most {MAX_LOST_SAMPLES} in a row can be '
            f'bridged; {_remedy(path)}, or keep the longer of its parts'
        )
    if not lost.any():
        return median
    first = column.row_number(int(np.flatnonzero(lost)[0]) + 1)
    if lost.sum() > MAX_LOST_SHARE * len(times):
        raise DataError(
            f'{path}: {lost.sum():.0f} samples are lost in {len(times)} rows, the first before row {first}; at most '
            f'{100 * MAX_LOST_SHARE:g} % can be bridged; {_remedy(path)}'
        )
    _log.warning('%s: %d lost samples are bridged, the first before row %d', path, lost.sum(), first)
    return median


def _remedy(path: pathlib.Path) -> str:
    return f'replace {path.name} by a fresh copy from {RECORD_URL}'
