"""CSV files of sensor readings: a column for each sensor, a row for each moment, and perhaps a failure label."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from fdx.data.raw.files import check_file
from fdx.files import atomic_write_text
from fdx.types import DataError

COLUMNS = ('rpm', 'temperature_c', 'vibration_g', 'current_a')
LABEL = 'failure'
CLASSES = ('normal', 'failure')
# Three fifths train, one fifth validates and one fifth tests. Ten rows leave two for the test; fewer would be useless.
MIN_ROWS_OF_CLASS = 10
# Names of columns that hold the time of a reading.
TIMES = ('time', 'timestamp', 'date', 'datetime', 'time_s', 'seconds', 't', 'zeit', 'datum', 'uhrzeit', 'udi', 'index')
# Records and networks hold float32.
LARGEST = float(np.finfo(np.float32).max)


@dataclasses.dataclass(frozen=True)
class Readings:
    """A table of readings.

    Attributes:
      columns: names with units, one for each sensor.
      values: float [N, C], in the units of the names.
      labels: int64 [N], 0 normal and 1 failure; None if unknown.
      source: where they came from, for messages.
      groups: the name of each row's group (machine, run), N of them, or None.

    Raises:
      DataError: the shapes do not fit together.
    """

    columns: tuple[str, ...]
    values: np.ndarray
    labels: np.ndarray | None = None
    source: str = ''
    groups: tuple[str, ...] | None = None

    def __post_init__(self):
        """Refuses a table whose parts do not fit, such as a transposed one."""
        shape = np.shape(self.values)
        if len(shape) != 2 or shape[1] != len(self.columns):
            raise DataError(f'{self.source or "readings"}: values {shape} must be [rows, {len(self.columns)} columns]')
        if self.labels is not None and np.shape(self.labels) != shape[:1]:
            raise DataError(f'{self.source or "readings"}: labels {np.shape(self.labels)} for {shape[0]} rows')
        if self.groups is not None and len(self.groups) != shape[0]:
            raise DataError(f'{self.source or "readings"}: {len(self.groups)} names of groups for {shape[0]} rows')

    def __len__(self) -> int:
        return len(self.values)


def read_readings(
    path: str | os.PathLike,
    columns: Sequence[str] = COLUMNS,
    label: str = LABEL,
    *,
    need_label: bool = True,
    group_column: str = '',
) -> Readings:
    """Reads a CSV file: one header, then comma-separated numbers with decimal points, in UTF-8.

    The columns may be in any order. A byte order mark, CRLF, quotes, blank lines and blanks around cells are fine.

    Args:
      path: the file.
      columns: the sensors, in the wanted order.
      label: name of the label's column; its cells are 0 (normal) or 1 (failure).
      need_label: True for data to learn from. False for readings to predict: the label may be absent (it is checked
        if it is there), and one row or a constant column is enough.
      group_column: a column that is not a reading and names the group of each row with any text: a machine, a run, a
        day. Readings to predict need not have it; if they do, its cells are not read.

    Returns:
      The readings, values float64 [N, C].

    Raises:
      DataError: the file is missing or empty, its columns are not the wanted ones, a row has too few or too many cells,
        a cell is not a finite number of float32 size, or check_trainable refuses it. The text names the row (the line
        of the file; the header is usually 1) and the column.
    """
    file = pathlib.Path(path)
    rows = _rows(file, _text(file))
    first = next(rows, None)
    wanted = ','.join((*columns, label) if need_label else columns)
    if first is None:
        raise DataError(f'{file} is empty; write the header {wanted} and a row of numbers for each reading')
    names = first[1]
    _check_group_column(file, group_column, columns, label)
    _check_header(file, first, columns, label, need_label, group_column)
    group_at = names.index(group_column) if group_column and need_label else None
    order, label_at = [names.index(c) for c in columns], names.index(label) if label in names else None
    values, labels, groups = [], [], []
    for row, cells in rows:
        if len(cells) != len(names):
            raise DataError(
                f'{file}: row {row} has {len(cells)} cells, the header (row {first[0]}) has {len(names)}; complete or '
                'remove the row, and write decimals with a point'
            )
        values.append([_number(cells[i], file, row, names[i]) for i in order])
        if group_at is not None:
            groups.append(_group(cells[group_at], file, row, group_column))
        if label_at is not None:
            labels.append(_label(cells[label_at], file, row, label))
    if not values:
        raise DataError(f'{file} holds a header but no rows; write a row of numbers for each reading')
    known = np.array(labels, np.int64) if label_at is not None else None
    readings = Readings(tuple(columns), np.array(values, np.float64), known, str(file), tuple(groups) or None)
    if need_label:
        check_trainable(readings, label)
    return readings


def _check_group_column(file: pathlib.Path, name: str, columns: Sequence[str], label: str) -> None:
    """Refuses a column of groups that is the label or a reading."""
    if name and name in (*columns, label):
        raise DataError(
            f'{file}: `group_column`={name} is {"the label" if name == label else "a reading"}; name a column of its '
            'own that tells machines, runs or days apart'
        )


def _group(cell: str, file: pathlib.Path, row: int, column: str) -> str:
    if not cell:
        raise DataError(f'{file}: row {row}, column {column}: the cell is empty; every row belongs to a group')
    return cell


def check_trainable(readings: Readings, label: str = LABEL) -> None:
    """Checks that a network can be trained and tested with labelled readings.

    Raises:
      DataError: a column that is constant in float32 (its z-score would divide by zero), groups of one row each, or
        fewer than MIN_ROWS_OF_CLASS rows of a class.
    """
    source = readings.source or 'the readings'
    values = np.asarray(readings.values, np.float32)
    for i, name in enumerate(readings.columns):
        if len(values) and np.all(values[:, i] == values[0, i]):
            raise DataError(
                f'{source}: column {name} is {readings.values[0, i]:g} in all {len(values)} rows, so it cannot be '
                'scaled; give readings in which it varies'
            )
    if readings.groups is not None and len(set(readings.groups)) == len(readings):
        raise DataError(
            f'{source}: the column of groups names another group in each of {len(readings)} rows, so it keeps no rows '
            'together; `group_column` names a column that tells machines, runs or days apart, not a count or a time'
        )
    for number, (name, count) in enumerate(balance(readings.labels).items()):
        if count < MIN_ROWS_OF_CLASS:
            raise DataError(
                f'{source}: column {label}: {count} rows are {number} ({name}), but training, validation and test need '
                f'at least {MIN_ROWS_OF_CLASS} of each class together; add rows of this class'
            )


def write_readings(path: str | os.PathLike, readings: Readings, label: str = LABEL) -> None:
    """Writes readings so that `read_readings` gives the very same numbers back; complete or not at all.

    The label's column is the last one and is absent if the labels are unknown; groups are not written.

    Raises:
      DataError: a value is NaN or infinite, so that `read_readings` would refuse the file.
      FileWriteError: the file cannot be written; an older one is kept.
    """
    bad = np.argwhere(~np.isfinite(readings.values))
    if len(bad):
        raise DataError(
            f'{path}: reading {bad[0][0]} (from 0), column {readings.columns[bad[0][1]]} is NaN or infinite; remove it'
        )
    text = io.StringIO(newline='')
    writer = csv.writer(text, lineterminator='\n')
    rows = np.asarray(readings.values).tolist()  # Python writes floats with all digits that matter.
    if readings.labels is None:
        writer.writerows([readings.columns, *rows])
    else:
        labelled = ([*row, int(y)] for row, y in zip(rows, readings.labels, strict=True))
        writer.writerows([(*readings.columns, label), *labelled])
    atomic_write_text(path, text.getvalue())


def balance(labels: np.ndarray | None) -> dict[str, int]:
    """Rows of each class: {'normal': 6201, 'failure': 3799}; 0 of each where labels are unknown."""
    return {name: int(np.sum(np.asarray(labels) == number)) for number, name in enumerate(CLASSES)}


def balance_text(labels: np.ndarray) -> str:
    """The same for people: 'normal 6201 (62.0 %), failure 3799 (38.0 %)'."""
    total = max(len(labels), 1)
    return ', '.join(f'{name} {count} ({100 * count / total:.1f} %)' for name, count in balance(labels).items())


def _text(file: pathlib.Path) -> str:
    check_file(file)
    try:
        return file.read_bytes().decode('utf-8-sig')
    except OSError as e:
        raise DataError(f'{file} cannot be read: {e.strerror or e}; check its permissions') from e
    except UnicodeDecodeError as e:
        raise DataError(f'{file} is not text in UTF-8 ({e.reason} at byte {e.start}); export it as CSV in UTF-8') from e


def _rows(file: pathlib.Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yields (line of the file where the row starts, from 1; its cells) of every row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=''), strict=True, skipinitialspace=True)
    while True:
        row = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as e:
            raise DataError(f'{file}: row {row}: {e}; close the quotes or remove them') from e
        if len(cells) > 1 or any(cells):
            yield row, cells


def _check_header(
    file: pathlib.Path,
    header: tuple[int, list[str]],
    columns: Sequence[str],
    label: str,
    need_label: bool,
    group_column: str = '',
) -> None:
    row, names = header
    group = (group_column,) if group_column else ()
    wanted = (*columns, label, *group) if need_label else tuple(columns)
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    missing = [name for name in wanted if name not in names]
    unknown = [name for name in dict.fromkeys(names) if name not in (*columns, label, *group)]
    problems = [
        f'{word} {", ".join(map(repr, found))}'
        for word, found in (('repeated:', repeated), ('missing:', missing), ('unknown:', unknown))
        if found
    ]
    if len(names) == 1 and any(mark in names[0] for mark in ';\t'):
        problems.append('the cells are not separated by commas')
    if problems:
        raise DataError(
            f'{file}: row {row}, the header: columns {"; ".join(problems)}. Write these columns in any order, each '
            f'once, and no others: {",".join(wanted)}{_advice(unknown, need_label and not group_column)}'
        )


def _advice(unknown: Sequence[str], may_group: bool) -> str:
    """Advice about columns that are not wanted, to be appended to a message; '' if there is none."""
    times = [name for name in unknown if name.lower().strip('_ ') in TIMES]
    if not may_group or not unknown:
        return ''
    if times:
        return (
            f'. Rows are taken in the order of the file: sort them by {times[0]!r} before that column is removed; a '
            'column that tells machines or runs apart goes with `group_column`=NAME'
        )
    return '. A column that tells machines, runs or days apart may stay: `group_column`=NAME'


def _number(cell: str, file: pathlib.Path, row: int, column: str) -> float:
    try:
        value = float(cell.replace('_', '?'))  # Python would read 1_000 as a number.
    except ValueError:
        value = None
    if value is not None and abs(value) <= LARGEST:
        return value
    if not cell:
        problem = 'the cell is empty; fill it in or remove the row'
    elif value is None:
        hint = 'write decimals with a point' if ',' in cell else 'correct or remove the row'
        problem = f'{cell!r} is not a number; {hint}'
    elif not math.isfinite(value):
        problem = f'{cell!r} is not a finite number; fill in the reading or remove the row'
    else:
        problem = f'{cell!r} is too large for float32; correct it or change its unit'
    raise DataError(f'{file}: row {row}, column {column}: {problem}')


def _label(cell: str, file: pathlib.Path, row: int, column: str) -> int:
    try:
        return (0.0, 1.0).index(float(cell))
    except ValueError:
        words = f'{cell!r} is not a label' if cell else 'the cell is empty'
        raise DataError(
            f'{file}: row {row}, column {column}: {words}; write 0 for {CLASSES[0]} or 1 for {CLASSES[1]}'
        ) from None
