"""What a row of a history holds, and how SQLite keeps it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from fdx.files import to_jsonable

FORMAT = 2
TABLES = """
CREATE TABLE IF NOT EXISTS about (format INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS recordings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file TEXT NOT NULL, part TEXT NOT NULL DEFAULT '', sha256 TEXT NOT NULL,
  size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  recorded_at REAL, scored_at REAL NOT NULL, baseline INTEGER NOT NULL,
  state TEXT NOT NULL, score REAL, p_value REAL, rise REAL, rise_p REAL, speed_rpm REAL, load REAL,
  said TEXT NOT NULL, rows BLOB, pieces INTEGER NOT NULL,
  UNIQUE (file, part, sha256));
CREATE INDEX IF NOT EXISTS by_baseline ON recordings (baseline, id);
CREATE INDEX IF NOT EXISTS by_look ON recordings (file, size, mtime_ns);
"""
# Histories of format 1 knew whole files only. SQLite cannot change what is unique in a table, so that it is made anew.
_OF_1 = (
    'id, file, sha256, size, mtime_ns, recorded_at, scored_at, baseline, state, score, p_value, speed_rpm, load, said, '
    'rows, pieces'
)
FROM_FORMAT_1 = (
    'ALTER TABLE recordings RENAME TO recordings_1',
    *filter(str.strip, TABLES.split(';')[1:2]),
    f'INSERT INTO recordings ({_OF_1}) SELECT {_OF_1} FROM recordings_1',
    'DROP TABLE recordings_1',
    *filter(str.strip, TABLES.split(';')[2:]),
    f'UPDATE about SET format = {FORMAT}',
)
COLUMNS = (
    *('id', 'file', 'part', 'sha256', 'recorded_at', 'scored_at', 'baseline', 'state', 'score', 'p_value'),
    *('rise', 'rise_p', 'speed_rpm', 'load', 'said', 'rows', 'pieces'),
)


@dataclasses.dataclass(frozen=True)
class Content:
    """One content of one path.

    Attributes:
      file: absolute path.
      sha256: of its bytes; '' where it cannot be read.
      size: bytes.
      mtime_ns: when it was last written.
      part: which recording of the file (fdx.health.parts); '' for the whole.
    """

    file: str
    sha256: str
    size: int
    mtime_ns: int
    part: str = ''


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is known of a recording before its state.

    Attributes:
      score, p_value: NaN where it was not judged.
      state: one of OUTSIDE or UNUSABLE; '' where the scores before it decide.
      said: JSON-able: reason, moved, verdict, notes.
      rows: float64 [P, D], its numbers; None where it cannot be used.
      recorded_at: seconds since 1970, or None.
      speed_rpm, load: NaN where unknown.
      rise, rise_p: see fdx.health.scored.Scored; infinity and NaN where they were not asked.
    """

    score: float
    p_value: float
    state: str
    said: dict[str, Any]
    rows: np.ndarray | None = None
    recorded_at: float | None = None
    speed_rpm: float = math.nan
    load: float = math.nan
    rise: float = math.inf
    rise_p: float = math.nan


SELECT = f'SELECT {", ".join(COLUMNS)} FROM recordings'
INSERTED = (
    *('file', 'part', 'sha256', 'size', 'mtime_ns', 'recorded_at', 'scored_at', 'baseline', 'state', 'score'),
    *('p_value', 'rise', 'rise_p', 'speed_rpm', 'load', 'said', 'rows', 'pieces'),
)
INSERT = f'INSERT INTO recordings ({", ".join(INSERTED)}) VALUES ({", ".join("?" * len(INSERTED))})'


def values_of(content: Content, finding: Finding, scored_at: float, baseline: int, state: str) -> tuple:
    """The values of INSERT."""
    rows = None if finding.rows is None else np.ascontiguousarray(finding.rows, np.float32)
    return (
        *(content.file, content.part, content.sha256, content.size, content.mtime_ns),
        *(finding.recorded_at, scored_at, baseline, state),
        *map(_or_null, (finding.score, finding.p_value, finding.rise, finding.rise_p, finding.speed_rpm, finding.load)),
        json.dumps(to_jsonable(finding.said), allow_nan=False),
        None if rows is None else rows.tobytes(),
        0 if rows is None else len(rows),
    )


def as_dict(row: tuple) -> dict[str, Any]:
    """A row of SELECT as users see it: unknown numbers are None; `rows` is float32 [P, D] or None."""
    found = dict(zip(COLUMNS, row))
    said, data, pieces = found.pop('said'), found.pop('rows'), found.pop('pieces')
    values = None if data is None else np.frombuffer(data, np.float32).reshape(pieces, -1)
    return {**found, **json.loads(said), 'rows': values}


def name_of(row: Mapping[str, Any]) -> str:
    """The name of a row's recording: its file, and which part of it."""
    return f'{row["file"]}:{row["part"]}' if row.get('part') else str(row['file'])


def short_name(row: Mapping[str, Any]) -> str:
    """The same without folders: 'new.h5:run03/acc'."""
    return name_of({**row, 'file': os.path.basename(row['file'])})


def _or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
