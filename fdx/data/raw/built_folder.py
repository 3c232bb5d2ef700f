"""How a dataset is recognised that the package bearing-datasets has built; fdx.data.raw.built reads it."""

from __future__ import annotations

import pathlib

TABLE, SIGNALS, MANIFEST = 'metadata.parquet', 'signals', 'manifest.json'


def is_built(folder: pathlib.Path) -> bool:
    """Whether a folder holds a dataset that bearing-datasets has built."""
    beside = (folder / MANIFEST).is_file() or any((folder / SIGNALS).glob('part-*.parquet'))
    return beside and (folder / TABLE).is_file()


def is_signal_table(file: pathlib.Path) -> bool:
    """Whether a file is the table of such a dataset."""
    return file.name == TABLE and is_built(file.parent)
