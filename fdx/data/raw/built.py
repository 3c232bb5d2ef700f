"""Datasets that the package bearing-datasets has built: a table of signals, and Parquet files that hold the samples.

FOLDER/metadata.parquet has one row per signal (one channel of one recording); FOLDER/signals/part-DTYPE.parquet has the
columns signal_id and signal (a list of numbers), to which signal_file, signal_row_group and signal_row of the table
point. The package itself is not needed (https://github.com/VictorBauler/BearingDatasets, version 0.2 and later).
"""

from __future__ import annotations

import collections
import dataclasses
import difflib
import functools
import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fdx.data.raw.built_folder import SIGNALS
from fdx.data.raw.channels import Channel, Track, of_tracks
from fdx.data.raw.request import check_file, is_rate
from fdx.data.raw.signal import StoredSignal
from fdx.files import boundary
from fdx.types import UNKNOWN, DataError

# Words of the package for what does not apply and for what is not known.
NO_WORDS = ('', 'none', 'unknown')
MAIN_QUANTITY = 'acceleration'
_WHERE = ('signal_file', 'signal_row_group', 'signal_row')
_NEEDED = ('signal_id', 'recording_id', 'channel', 'fs', 'n_samples', *_WHERE)
_REMEDY = 'build the dataset again: bearing-datasets build NAME --force'
# The package writes groups of rows of 8 MiB; a longer signal has a group of its own and is not kept in memory.
_KEPT_SAMPLES = 2**23


@dataclasses.dataclass(frozen=True)
class SignalTable:
    """The table of a built dataset.

    Attributes:
      file: metadata.parquet.
      content: one row per signal.
      rows: recording -> its rows, in the order of the table.
    """

    file: pathlib.Path
    content: pa.Table
    rows: dict[str, list[int]]
    _lists: dict[str, list[Any]] = dataclasses.field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return self.content.column_names

    def column(self, name: str) -> list[Any]:
        """The values of a column, one per signal; made when it is first asked for."""
        if name not in self._lists:
            self._lists[name] = self.content.column(name).to_pylist()
        return self._lists[name]

    def text(self, name: str, row: int) -> str:
        """A value as text; '' where the column is absent, the value does not apply or it is not known."""
        value = self.column(name)[row] if name in self.names else None
        is_nothing = value is None or (isinstance(value, float) and math.isnan(value))
        text = '' if is_nothing else ' '.join(str(value).split())
        return '' if text.lower() in NO_WORDS else text

    def number(self, name: str, row: int) -> float:
        """A value as a number, NaN where it is none."""
        value = self.column(name)[row] if name in self.names else None
        return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else UNKNOWN

    @functools.cached_property
    def has_main_quantity(self) -> bool:
        """Whether any signal is an acceleration."""
        return 'quantity' in self.names and MAIN_QUANTITY in self.column('quantity')

    def default_rows(self, recording: str) -> list[int]:
        """The signals that are read of a recording unless channels are chosen.

        The accelerations if the dataset has any: currents, temperatures and speeds have other rates. Else all.
        """
        rows = self.rows[recording]
        if not self.has_main_quantity:
            return rows
        return [row for row in rows if self.column('quantity')[row] == MAIN_QUANTITY]


def read_signal_table(file: pathlib.Path) -> SignalTable:
    """Reads the table; the last ones are kept as long as their files do not change.

    Raises:
      DataError: it cannot be read, lacks a column, has no rows, or names a signal twice.
    """
    status = check_file(file)
    return _table(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=2)
def _table(file: pathlib.Path, changed_ns: int, size: int) -> SignalTable:
    del changed_ns, size
    with boundary('cannot read', file, f'it is cut off or damaged: {_REMEDY}', DataError), file.open('rb') as stream:
        table = SignalTable(file, pq.ParquetFile(stream).read(), {})
    missing = [name for name in _NEEDED if name not in table.names]
    if missing:
        raise DataError(f'{file} has no column {", ".join(missing)}; {_REMEDY}')
    if not len(table.content):
        raise DataError(f'{file} has no rows: the dataset holds no signals; {_REMEDY}')
    twice, count = collections.Counter(table.column('signal_id')).most_common(1)[0]
    if count > 1:
        raise DataError(f'{file} names the signal {twice} {count} times; {_REMEDY}')
    for row, recording in enumerate(table.column('recording_id')):
        table.rows.setdefault(str(recording), []).append(row)
    return table


def open_built(file: pathlib.Path, recording: str | None, channel: Channel | None) -> StoredSignal:
    """Opens one recording of a built dataset.

    Args:
      file: the dataset's metadata.parquet.
      recording: its recording_id; None where the dataset has one recording alone.
      channel: the wanted channels, by name, signal_id or number; None: see `SignalTable.default_rows`.

    Raises:
      DataError: table or signals are damaged, there is no such recording or channel, or the wanted channels have
        different rates or lengths.
    """
    table = read_signal_table(file)
    recording = _known(table, recording)
    rows = table.rows[recording] if channel is not None else table.default_rows(recording)
    place = pathlib.Path(f'{file}, recording {recording}')
    if not rows:
        raise DataError(f'{place}: none of its channels is an {MAIN_QUANTITY}; choose with `channel`')
    tracks = [_track(table, row) for row in rows]
    stored = of_tracks(place, tracks, channel, rate_origin='column fs')
    speed, load = abs(table.number('speed_rpm', rows[0])), table.number('load', rows[0])
    facts = dataclasses.replace(stored.facts, speed_rpm=speed, load=load)
    # A signal is one cell of a Parquet file and can only be read as a whole.
    return dataclasses.replace(stored, facts=facts, seekable=False)


def _known(table: SignalTable, recording: str | None) -> str:
    names = list(table.rows)
    if recording in table.rows:
        return str(recording)
    if recording is None and len(names) == 1:
        return names[0]
    near = difflib.get_close_matches(recording or '', names, n=5, cutoff=0.5) or names[:5]
    has = 'several recordings' if recording is None else f'no recording {recording!r}'
    raise DataError(f'{table.file} has {has}; pass `variable` with one of its {len(names)}, e.g. {", ".join(near)}')


def _track(table: SignalTable, row: int) -> Track:
    name = ' '.join(str(table.column('channel')[row]).split())
    count, rate_hz = table.number('n_samples', row), table.number('fs', row)
    signal = str(table.column('signal_id')[row])
    if not (count >= 0 and is_rate(rate_hz)):
        raise DataError(
            f'{table.file}: signal {signal} has fs {table.column("fs")[row]} and n_samples '
            f'{table.column("n_samples")[row]}; {_REMEDY}'
        )
    part = str(table.column('signal_file')[row])
    is_integer = part.removeprefix('part-').startswith(('int', 'uint'))
    return Track(name, int(count), rate_hz, table.text('unit', row), _reader(table, row), (signal,), is_integer)


def _reader(table: SignalTable, row: int) -> Callable[[int, int], np.ndarray]:
    def read(start: int, stop: int) -> np.ndarray:
        return _samples(table, row)[start:stop]

    return read


def _samples(table: SignalTable, row: int) -> np.ndarray:
    """The samples of a signal, checked against the table."""
    name, group, at = (table.column(column)[row] for column in _WHERE)
    signal, count = table.column('signal_id')[row], table.column('n_samples')[row]
    part = table.file.parent / SIGNALS / str(name)
    if part.name != str(name):
        raise DataError(f'{table.file}: signal {signal} lies in {name}, which is no name of a file; {_REMEDY}')
    status = check_file(part)
    read = _few_samples if count <= _KEPT_SAMPLES else _few_samples.__wrapped__
    signals, offsets, values = read(part, int(group), status.st_mtime_ns, status.st_size)
    found = signals[at] if 0 <= at < len(signals) else None
    if found != signal:
        raise DataError(f'{part}: {found or "no signal"} lies where {table.file.name} has {signal}; {_REMEDY}')
    samples = values[offsets[at] : offsets[at + 1]]
    if len(samples) != count:
        raise DataError(f'{part}: signal {signal} has {len(samples)} samples where {count} are announced; {_REMEDY}')
    return samples


@functools.lru_cache(maxsize=2)
def _few_samples(
    part: pathlib.Path, group: int, changed_ns: int, size: int
) -> tuple[Sequence[str], np.ndarray, np.ndarray]:
    """A group of rows: (signal ids, where each begins and ends, all samples); the last ones are kept."""
    del changed_ns, size
    with boundary('cannot read', part, f'it is cut off or damaged: {_REMEDY}', DataError), part.open('rb') as stream:
        rows = pq.ParquetFile(stream).read_row_group(group, columns=['signal_id', 'signal'])
        lists = rows.column('signal').combine_chunks()
        kind = lists.type.value_type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)) or lists.null_count:
            raise DataError(f'{part} holds {lists.type} where lists of numbers are expected; {_REMEDY}')
        values = lists.values.to_numpy(zero_copy_only=False)
        return rows.column('signal_id').to_pylist(), lists.offsets.to_numpy(), values
