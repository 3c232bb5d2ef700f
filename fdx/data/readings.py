"""A prepared table of readings, with the interface of a dataset of recordings, so that one loop trains both."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.blocks import NO_BLOCK
from fdx.data.dataset import PreparedDataset
from fdx.data.protocols.row_evidence import row_units
from fdx.data.table import GROUP, ROW, SPLITS, Table
from fdx.data.training_range import TrainingRange, table_range
from fdx.signal.readings import ReadingsInput
from fdx.types import UNKNOWN, DataError

KIND = 'readings'
NAME = 'readings'
# The field of records that holds GROUP; their field `group` numbers identical readings.
NAMED_GROUP = 'named_group'
# Every row is a window. Scoring compares these entries to detect that a dataset was cut differently since training.
CUTTING = {'common_rate_hz': 0.0, 'window_length': 1, 'hop_length': 1, 'guard_length': 0}


@dataclasses.dataclass(frozen=True)
class ReadingsTable(Table):
    """The table of a dataset of readings.

    Attributes:
      column_names: names of the readings in `peak`.
    """

    column_names: tuple[str, ...] = ()


class ReadingsDataset(PreparedDataset):
    """Rows of one prepared table, in memory.

    The table's columns are those of recordings, so that protocols, the guard and evaluation need no special code: a
    group of identical readings is a `recording`, and each row in it is a window of one sample.

    Attributes:
      name: `builder/config:version`.
      front_end: standardises the columns.
      metadata: the builder's metadata, for example `columns` and `label`.
      table: see fdx.data.table.Table; `peak` holds the readings, which z-scores are fitted on.
      values: float32 [N, C], the readings.
    """

    front_end: ReadingsInput
    has_images = False
    has_recordings = False

    def __init__(self, builder: tfds.core.DatasetBuilder):
        info = builder.info
        self.name = f'{info.name}/{info.config_name}:{info.version}'
        self.data_dir = pathlib.Path(builder.data_dir)
        self.metadata = {**CUTTING, **dict(info.metadata)}
        self.columns = tuple(self.metadata['columns'])
        self.front_end = ReadingsInput(NAME, self.columns)
        label = self.metadata['label']
        self._class_names = list(info.features[label].names)
        self.values, self.table = _decoded(_Prepared(_stamp(self.data_dir), label, self.columns, builder))

    def class_names(self, label_key: str = 'label') -> list[str]:
        """Names of the two states; a table has no coarser classes."""
        del label_key
        return list(self._class_names)

    def training_range(self, rows: np.ndarray) -> TrainingRange:
        """Ranges of the columns over `rows` (fdx.data.training_range), for the checkpoint of a run on them."""
        return table_range(self.values[rows], self.columns)

    @property
    def default_protocol(self) -> str:
        """The protocol that the builder stored; an older table made of a file counts as a log, with dependent rows."""
        return self.metadata.get('protocol') or ('row_blocks' if self.csv_sha256 else 'stratified')

    @property
    def csv_sha256(self) -> str:
        """SHA-256 of the CSV file that it was made from; '' if its rows were drawn."""
        return self.metadata.get('csv_sha256') or ''

    def in_memory(self, rows: np.ndarray) -> np.ndarray:
        """The readings of `rows`, float32 [N, C], because fetching them one by one would take longer than the steps."""
        return self.values[rows]

    def plots(self) -> tuple[str, ...]:
        """The histograms of its columns, which show more than an embedding in a plane."""
        return ('distributions',)

    def scored_as(self, rows: np.ndarray) -> list[str]:
        """A name per row, also for equal readings, as their labels may differ."""
        return [f'{r}.{s}' for r, s in zip(self.table['recording'][rows], self.table['window_start'][rows])]

    def units(self, rows: np.ndarray, protocol: str) -> tuple[list[str], str]:
        """The rows, groups or stretches of rows that count once (fdx.data.protocols.row_evidence.row_units)."""
        names, word = row_units(self.table, protocol)
        return names[rows].tolist(), word

    def scoring_note(self, leaks: bool) -> str:
        """Explains what a row is."""
        del leaks
        return 'Every row is one reading; identical readings lie in one split. A window here is a row.'

    @property
    def channels(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def input_shape(self) -> tuple[int]:
        """(C,)."""
        return self.front_end.output_shape()

    def __len__(self) -> int:
        return len(self.values)

    def inputs(self, row: int) -> np.ndarray:
        """The readings of one row, float32 [C]."""
        if not 0 <= row < len(self):
            raise DataError(f'{self.name}: row {row} of {len(self)}')
        return self.values[row]

    def read(self, rows: Sequence[int], field: str) -> np.ndarray:
        """One column of many rows, float32 [N]."""
        if field not in self.columns:
            raise DataError(f'{self.name} has no column {field}; it has {", ".join(self.columns)}')
        return self.values[np.asarray(rows, np.int64), self.columns.index(field)]


@dataclasses.dataclass(frozen=True)
class _Prepared:
    """A prepared table: equal while its files are the same.

    Attributes:
      stamp: of its folder.
      label, columns: what is read of it.
      builder: that reads it.
    """

    stamp: tuple
    label: str
    columns: tuple[str, ...]
    builder: tfds.core.DatasetBuilder = dataclasses.field(compare=False)


def _stamp(folder: pathlib.Path) -> tuple:
    """The folder, and names, sizes and times of its files."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return str(folder), *((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)


@functools.lru_cache(maxsize=4)
def _decoded(prepared: _Prepared) -> tuple[np.ndarray, ReadingsTable]:
    """(values float32 [N, C], table) of a prepared table; neither can be written, because all who open it share them.

    A program opens a table many times (each training, each score), and 10,000 rows take over a second to decode.
    """
    splits = prepared.builder.info.splits
    parts = [list(prepared.builder.as_data_source(split=s)) for s in SPLITS if s in splits]
    records = [record for part in parts for record in part]
    values = np.array([[r[c] for c in prepared.columns] for r in records], np.float32)
    table = _table(records, values, prepared.label, prepared.columns)
    for array in (values, *table.columns.values()):
        array.setflags(write=False)
    return values, table


def _reading_id(values: np.ndarray) -> str:
    """An id that is the same for equal readings in every table, so that training rows are recognised elsewhere."""
    # Adding zero turns -0.0 into 0.0, as in the builder's groups.
    return 'reading_' + hashlib.blake2b((values + np.float32(0)).tobytes(), digest_size=8).hexdigest()


def _table(records: list[dict], values: np.ndarray, label: str, names: tuple[str, ...]) -> ReadingsTable:
    n = len(records)
    rows = np.array([int(r['row']) for r in records], np.int64)
    labels, groups = (np.array([int(r[k]) for r in records], np.int64) for k in (label, 'group'))
    # Rows of a group are consecutive, like the windows of one recording.
    order = np.lexsort((rows, groups))
    starts = np.empty(n, np.int64)
    first = np.r_[True, np.diff(groups[order]) != 0]
    starts[order] = np.arange(n) - np.maximum.accumulate(np.where(first, np.arange(n), 0))
    unknown = np.full(n, UNKNOWN, np.float32)
    columns = {
        'label': labels,
        'fault_type': labels,
        'recording': np.array([_reading_id(v) for v in values]),
        'window_start': starts,
        'block': np.full(n, NO_BLOCK, np.int32),
        'domain': np.full(n, 'table'),
        'bearing': np.full(n, ''),
        'speed_rpm': unknown,
        'load': unknown,
        'sample_rate_hz': unknown,
        'peak': values,
        ROW: rows,
    }
    if n and NAMED_GROUP in records[0]:
        columns[GROUP] = np.array([str(r[NAMED_GROUP], 'utf-8') for r in records])
    return ReadingsTable(columns, 1, names)
