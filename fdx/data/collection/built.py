"""Recordings of a dataset that the package bearing-datasets has built: its table takes the place of a manifest."""

from __future__ import annotations

import logging
import math
import pathlib
from collections.abc import Callable

from fdx.data.collection.orders import geometry_of_orders
from fdx.data.collection.spec import CollectionSpec
from fdx.data.raw.built import MAIN_QUANTITY, SignalTable, read_signal_table
from fdx.data.raw.built_folder import SIGNALS, TABLE
from fdx.data.raw.channels import channel_indices
from fdx.types import ConfigError, DataError

logger = logging.getLogger(__name__)

# The package's words for faults -> fdx's; others are the same in both. Several are joined with +.
FAULT_TYPES = {'inner': 'inner_race', 'outer': 'outer_race', 'rolling_element': 'ball', 'unbalance': 'imbalance'}
LABEL_COLUMN = 'fault_type'
# Columns that name the physical bearing, the condition and the machine; the first that a table has counts. A bearing
# that was run to its failure has no bearing_id; its recordings share a run_id.
BEARING_COLUMNS = ('bearing_id', 'run_id')
DOMAIN_COLUMNS = ('operating_condition', 'domain')
MACHINE_COLUMNS = ('machine', 'rig')
_ORDERS = ('bpfo', 'bpfi', 'bsf', 'ftf')
Rows = list[tuple[str, dict[str, str]]]


def rows_of_built(folder: pathlib.Path, spec: CollectionSpec) -> tuple[Rows, list[tuple[str, str]]]:
    """One row per recording, as from a manifest, with its recording_id as `variable`.

    The class is the fault type in fdx's words, or what the columns of `spec.label_column` say, joined by a space. A
    class 'unknown' is no class. Recordings without the wanted channels are left out.

    Returns:
      ([(place for messages, field -> text)], [(recording, why it is left out)]).

    Raises:
      DataError: the table is damaged or lacks the column of the classes, or no recording has the wanted channels.
      ConfigError: something is said about files: a pattern, a variable, a binary format.
    """
    shared = spec.shared
    of_files = {'pattern': spec.pattern, 'variable': shared.variable}
    of_files['dtype'] = shared.binary_format.dtype if shared.binary_format else ''
    for name, value in of_files.items():
        if value:
            raise ConfigError(f'`{name}`={value} is for files, but {folder} is a built dataset; leave it out')
    table = read_signal_table(folder / TABLE)
    columns = [c.strip() for c in (spec.label_column or LABEL_COLUMN).split(',')]
    missing = [c for c in columns if c not in table.names]
    if missing:
        raise DataError(
            f'{table.file} has no column {missing[0]}, so its classes are not known (bearing-datasets before 0.2 wrote '
            f'other columns: build it again); choose `label_column` among {", ".join(table.names)}'
        )
    rows_of = _chosen_rows(table, shared.channel)
    rows: Rows = []
    left_out: list[tuple[str, str]] = []
    why = ''
    for recording in table.rows:
        try:
            first = rows_of(recording)[0]
        except DataError as e:
            why = str(e)
            left_out.append((recording, 'has none of the wanted channels'))
            continue
        rows.append((f'{table.file}, recording {recording}', _cells(table, recording, first, columns)))
    if not rows:
        raise DataError(why)
    if left_out:
        # A warning and no error: of 161 recordings of CWRU some have no sensor at the fan end.
        logger.warning(
            '%s: %d of %d recordings, e.g. %s, lack the channel %s and are left out',
            folder,
            len(left_out),
            len(table.rows),
            left_out[0][0],
            shared.channel or f'of an {MAIN_QUANTITY}',
        )
    return rows, left_out


def files_of_built(folder: pathlib.Path) -> tuple[pathlib.Path, ...]:
    """The files that hold what a built dataset says: its table and its signals."""
    return folder / TABLE, *sorted((folder / SIGNALS).glob('part-*.parquet'))


def _chosen_rows(table: SignalTable, channel: str) -> Callable[[str], list[int]]:
    """A function that gives the rows of a recording's wanted channels; DataError for a channel that it lacks."""
    known: dict[tuple[str, ...], list[int]] = {}

    def chosen(recording: str) -> list[int]:
        if not channel:
            rows = table.default_rows(recording)
            if not rows:
                raise DataError(f'{table.file}, recording {recording} has no {MAIN_QUANTITY}; choose with `channel`')
            return rows
        rows = table.rows[recording]
        names = tuple(' '.join(str(table.column('channel')[row]).split()) for row in rows)
        if names not in known:
            place = pathlib.Path(f'{table.file}, recording {recording}')
            known[names] = channel_indices(place, names, len(names), channel)
        return [rows[i] for i in known[names]]

    return chosen


def _cells(table: SignalTable, recording: str, row: int, label_columns: list[str]) -> dict[str, str]:
    fault_type = fault_type_of_built(table.text('fault_type', row))
    words = [fault_type if c == 'fault_type' else table.text(c, row) for c in label_columns]
    load = table.number('load', row)
    speed_rpm = abs(table.number('speed_rpm', row))  # Negative where it turns the other way.
    return {
        'file': TABLE,
        'recording': recording,
        'variable': recording,
        'label': ' '.join(word for word in words if word),
        'fault_type': fault_type,
        'bearing_id': _first(table, row, BEARING_COLUMNS),
        'domain': _first(table, row, DOMAIN_COLUMNS),
        'machine': _first(table, row, MACHINE_COLUMNS),
        'bearing': _bearing(table, row),
        'speed_rpm': '' if math.isnan(speed_rpm) else repr(speed_rpm),
        'load': '' if math.isnan(load) else repr(load),
    }


def fault_type_of_built(text: str) -> str:
    """The word of fdx for a fault type of the package: inner+unbalance is inner_race+imbalance."""
    return '+'.join(FAULT_TYPES.get(part, part) for part in text.split('+')) if text else ''


def _first(table: SignalTable, row: int, names: tuple[str, ...]) -> str:
    return next((table.text(name, row) for name in names if name in table.names), '')


def _bearing(table: SignalTable, row: int) -> str:
    """The geometry behind the fault orders, as fdx.signal.bearings.parse_bearing takes it; '' where there is none."""
    geometry = geometry_of_orders(*(table.number(name, row) for name in _ORDERS))
    if geometry is None:
        return ''
    names = ('pitch_diameter_mm', 'ball_diameter_mm', 'num_balls', 'contact_angle_deg')
    return ','.join(f'{name}={value!r}' for name, value in zip(names, geometry.numbers()))
