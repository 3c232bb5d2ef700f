"""A small dataset that bearing-datasets itself has built (tests/golden/make_bearing_datasets.py), whole and damaged."""

from __future__ import annotations

import pathlib
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

GOLDEN = pathlib.Path(__file__).parents[2] / 'golden' / 'bearing_datasets' / 'tiny_rig'


@pytest.fixture
def golden() -> pathlib.Path:
    """The built dataset; tests only read it."""
    return GOLDEN


@pytest.fixture
def changed(tmp_path):
    """Copies the built dataset with its table changed; pandas is not there, so rows are dictionaries."""

    def copy(edit=lambda rows: rows, name='tiny_rig') -> pathlib.Path:
        folder = shutil.copytree(GOLDEN, tmp_path / 'built' / name)
        table = pq.read_table(folder / 'metadata.parquet')
        rows = edit(table.to_pylist())
        new = pa.Table.from_pylist(rows) if rows else table.slice(0, 0)
        pq.write_table(new, folder / 'metadata.parquet')
        return folder

    return copy


def with_values(recording='', channel='', **values):
    """An edit that sets values of the rows of a recording and channel; '' means all."""

    def edit(rows):
        return [
            {**r, **values} if recording in ('', r['recording_id']) and channel in ('', r['channel']) else r
            for r in rows
        ]

    return edit


def without_column(name):
    """An edit that removes a column."""
    return lambda rows: [{k: v for k, v in r.items() if k != name} for r in rows]
