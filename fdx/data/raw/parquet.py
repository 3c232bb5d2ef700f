"""Recordings in Parquet files, by pyarrow: one row per sample, one column per channel, perhaps one of time."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fdx.data.raw.columns import Roles, find_roles
from fdx.data.raw.format import TextFormat
from fdx.data.raw.mat_facts import MatFacts, facts_beside
from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal
from fdx.data.raw.table import NumberTable
from fdx.data.raw.text import signal_of_table
from fdx.files import boundary, parse_json
from fdx.types import DataError

_REMEDY = 'it is cut off, damaged or of another kind: copy or export it again'
# Tables of fewer cells are read as a whole, as text is: 128 MiB.
SMALL_CELLS = 2**24
# Rows of a larger one that tell what its columns are.
HEAD_ROWS = 2**20
FREE_BYTES = 512 * 2**20
BYTES_PER_BYTE = 64
_UNITS = ('unit', 'units')
_BATCH_ROWS = 2**18


@dataclasses.dataclass(frozen=True)
class _Columns:
    """The columns that hold numbers or times.

    Attributes:
      names: of them, in order.
      units: as their metadata say, '' elsewhere.
      clock: name of the first column of dates and times, or None.
      notes: which columns were left out.
    """

    names: list[str]
    units: list[str]
    clock: str | None
    notes: list[str]


def open_parquet(file: pathlib.Path, fmt: TextFormat, *, need_rate: bool) -> StoredSignal:
    """Opens a Parquet file.

    Clock, counters and channels are found as in a text file (fdx.data.raw.columns.find_roles, fdx.data.raw.clock); a
    column of timestamps is a clock. `sample_rate`, `fs` or alike in the metadata of the file, or in pandas' attrs, wins
    over the column of times; the unit is `unit` in the metadata of the columns, or as in a text file. Cells that are
    missing become NaN. Columns that hold no numbers are left out, with a note.

    A table of more than 16 million cells is read in pieces where it lies; its rate is that of its first million rows,
    and gaps in time behind them are not looked for, which a note says.

    Args:
      file: the file.
      fmt: `columns`, `time_column` and `time_unit` count.
      need_rate: True when nothing else tells the rate.

    Raises:
      DataError: the file is damaged, or does not settle what its columns are.
    """
    given = [name for name in ('delimiter', 'decimal', 'header') if getattr(fmt, name) is not None]
    if given:
        raise DataError(f'{file}: `{given[0]}` says how a text file is written, not a Parquet file; leave it out')
    with boundary('cannot read', file, _REMEDY, DataError), pq.ParquetFile(file) as content:
        schema, num_rows = content.schema_arrow, content.metadata.num_rows
    columns = _columns(file, schema)
    if num_rows == 0:
        raise DataError(f'{file} has no rows; record or export it again')
    facts = _facts(file, schema, need_rate=need_rate)
    if columns.clock is not None and fmt.time_column is None and columns.clock not in (fmt.columns or ()):
        fmt = dataclasses.replace(fmt, time_column=columns.clock, time_unit='s')
    need_clock = need_rate and facts.rate_hz is None
    is_small = num_rows * len(columns.names) <= SMALL_CELLS
    rows = num_rows if is_small else min(num_rows, HEAD_ROWS)
    values = _read(file, columns.names, 0, rows)
    table = NumberTable(file, tuple(columns.names), values, lambda index: index + 1, {}, tuple(columns.notes))
    roles = find_roles(table, fmt)
    raw = _with_facts(signal_of_table(table, fmt, roles, need_rate=need_clock), facts, columns, roles)
    if is_small:
        return StoredSignal.of_whole(raw)
    return _in_pieces(file, raw, [columns.names[i] for i in roles.channels], num_rows)


def _in_pieces(file: pathlib.Path, raw: RawSignal, names: list[str], num_rows: int) -> StoredSignal:
    """A table too large to be read as a whole, by what its head says."""
    most = FREE_BYTES + BYTES_PER_BYTE * file.stat().st_size
    note = f'it is too large to look for gaps in time behind row {HEAD_ROWS}, and its rate is that of the rows up to it'

    def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
        needed = 8 * (stop - start) * len(channels)
        if needed > most:
            raise DataError(
                f'{file} unpacks to {needed / 2**20:.0f} MiB from few bytes, which is hardly a recording; read it in '
                'pieces (`start_s`, `stop_s`) if that is right'
            )
        return _read(file, [names[i] for i in channels], start, stop)

    facts = dataclasses.replace(raw, samples=NO_SAMPLES, notes=(*raw.notes, note))
    return StoredSignal(facts, num_rows, len(names), read)


def _columns(file: pathlib.Path, schema: pa.Schema) -> _Columns:
    names, units, others, clock = [], [], [], None
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        is_time = pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind)
        if is_time or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            names.append(field.name)
            facts = _texts(field.metadata)
            units.append(next((' '.join(facts[k].split())[:40] for k in facts if k.lower() in _UNITS), ''))
            clock = clock or (field.name if is_time else None)
        else:
            others.append(f'{field.name} ({str(field.type)[:30]})')
    shown = ', '.join(others[:10]) + (f', ... ({len(others)} in all)' if len(others) > 10 else '')
    if not names:
        raise DataError(f'{file} has no column of numbers (columns: {shown or "none"}); save one row per sample')
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise DataError(f'{file} has several columns {twice!r}; give each a name of its own')
    return _Columns(names, units, clock, [f'columns without numbers were left out: {shown}'] if others else [])


def _read(file: pathlib.Path, names: Sequence[str], start: int, stop: int) -> np.ndarray:
    """Rows [start:stop) of columns, [n, columns]; times in seconds since the first of them that is read."""
    parts: list[np.ndarray] = []
    with boundary('cannot read', file, _REMEDY, DataError), pq.ParquetFile(file) as content:
        groups, at = [], 0
        skip = None
        for i in range(content.num_row_groups):
            length = content.metadata.row_group(i).num_rows
            if at < stop and at + length > start:
                groups.append(i)
                skip = start - at if skip is None else skip
            at += length
        origins: dict[str, int] = {}
        left, skip = stop - start, skip or 0
        for batch in content.iter_batches(_BATCH_ROWS, row_groups=groups, columns=list(names)):
            if skip >= batch.num_rows:
                skip -= batch.num_rows
                continue
            piece = batch.slice(skip, left)
            skip, left = 0, left - piece.num_rows
            parts.append(np.stack([_numbers(piece.column(name), name, origins) for name in names], axis=1))
            if left <= 0:
                break
    if left > 0:
        raise DataError(f'{file} announces more rows than it has: {left} are missing; {_REMEDY}')
    return np.concatenate(parts)


def _numbers(column: pa.Array, name: str, origins: dict[str, int]) -> np.ndarray:
    """A column as numbers; cells that are missing are NaN."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_temporal(column.type):
        # Through nanoseconds as whole numbers: float64 holds dates to a quarter of a microsecond only.
        unit = getattr(column.type, 'unit', 's')
        whole = pc.cast(column, pa.int32() if pa.types.is_time32(column.type) else pa.int64())
        first = origins.setdefault(name, whole[0].as_py() or 0)
        per_second = {'s': 1, 'ms': 10**3, 'us': 10**6, 'ns': 10**9}[unit]
        return pc.cast(pc.subtract(whole, first), pa.float64(), safe=False).to_numpy(zero_copy_only=False) / per_second
    if column.null_count or pa.types.is_decimal(column.type):
        column = pc.cast(column, pa.float64(), safe=False)
    return column.to_numpy(zero_copy_only=False)


def _texts(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    return {k.decode('utf-8', 'replace'): v.decode('utf-8', 'replace') for k, v in (metadata or {}).items()}


def _facts(file: pathlib.Path, schema: pa.Schema, *, need_rate: bool) -> MatFacts:
    """Rate, speed and load in the metadata of the file."""
    found = {k: v for k, v in _texts(schema.metadata).items() if k not in ('pandas', 'ARROW:schema')}
    try:
        attrs = parse_json(found.pop('PANDAS_ATTRS', '{}'))
    except ValueError:
        attrs = {}
    if isinstance(attrs, dict):
        found |= {str(k): str(v) for k, v in attrs.items() if isinstance(v, (int, float, str))}
    values = {k.replace('.', '_'): v for k, v in found.items() if len(v) < 100}
    return facts_beside(file, 'samples', values, need_rate=need_rate)


def _with_facts(raw: RawSignal, facts: MatFacts, columns: _Columns, roles: Roles) -> RawSignal:
    units = {columns.units[i] for i in roles.channels}
    unit = units.pop() if len(units) == 1 else ''
    notes = [*raw.notes, *facts.notes]
    rate_hz, origin = raw.file_rate_hz, raw.rate_origin
    if facts.rate_hz is not None:
        if rate_hz is not None and abs(rate_hz / facts.rate_hz - 1) > raw.rate_tolerance:
            notes.append(f'its {facts.rate_origin} says {facts.rate_hz:g} Hz, its {origin} {rate_hz:g} Hz')
        rate_hz, origin = facts.rate_hz, facts.rate_origin
    return dataclasses.replace(
        raw,
        unit=unit or raw.unit,
        file_rate_hz=rate_hz,
        rate_origin=origin,
        speed_rpm=facts.speed_rpm,
        load=facts.load,
        notes=tuple(notes),
    )
