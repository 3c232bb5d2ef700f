"""A history as a table for other programs: .csv or .parquet."""

from __future__ import annotations

import csv
import datetime
import io
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from fdx.files import atomic_write_bytes, atomic_write_text
from fdx.health.text import moved_words
from fdx.types import ConfigError

SUFFIXES = ('.csv', '.parquet')
_TYPES = {
    'id': pa.int64(),
    'file': pa.string(),
    'part': pa.string(),
    'recorded_at': pa.timestamp('ms', 'UTC'),
    'scored_at': pa.timestamp('ms', 'UTC'),
    'baseline': pa.int64(),
    'state': pa.string(),
    'score': pa.float64(),
    'p_value': pa.float64(),
    'rise': pa.float64(),
    'rise_p': pa.float64(),
    'speed_rpm': pa.float64(),
    'load': pa.float64(),
    'reason': pa.string(),
    'verdict': pa.string(),
    'verdict_probability': pa.float64(),
    'moved': pa.string(),
    'sensor': pa.string(),
}
COLUMNS = tuple(_TYPES)
_MOVED = 3


def check_export(path: str | os.PathLike) -> None:
    """ConfigError unless the file's suffix is one of SUFFIXES."""
    if pathlib.PurePath(path).suffix.lower() not in SUFFIXES:
        raise ConfigError(f'`export`={os.fspath(path)}: name a file ending in {" or ".join(SUFFIXES)}')


def export_history(path: str | os.PathLike, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows of a history, completely or not at all.

    Args:
      path: .csv (times in ISO 8601, UTC) or .parquet.
      rows: of fdx.health.history.History.rows.

    Raises:
      ConfigError: another suffix.
      FileWriteError: the file cannot be written.
    """
    check_export(path)
    flat = [_flat(row) for row in rows]
    if pathlib.PurePath(path).suffix.lower() == '.csv':
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator='\n')
        writer.writeheader()
        for row in flat:
            times = {n: row[n].isoformat(timespec='seconds') for n in ('recorded_at', 'scored_at') if row[n]}
            writer.writerow({**row, **times})
        atomic_write_text(path, text.getvalue())
        return
    table = pa.Table.from_pylist(flat, schema=pa.schema(list(_TYPES.items())))
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer)
    atomic_write_bytes(path, buffer.getvalue())


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    verdict = row.get('verdict') or {}
    return {
        **{name: row.get(name) for name in COLUMNS},
        'recorded_at': _time(row['recorded_at']),
        'scored_at': _time(row['scored_at']),
        'verdict': verdict.get('state'),
        'verdict_probability': verdict.get('probability'),
        'moved': '; '.join(moved_words(m) for m in row.get('moved', ())[:_MOVED]),
    }


def _time(seconds: float | None) -> datetime.datetime | None:
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC)
