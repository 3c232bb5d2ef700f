"""Datasets that are made of a user's CSV file: their config, and whether a prepared one holds the file's rows."""

from __future__ import annotations

import hashlib
import logging
import pathlib

import tensorflow_datasets as tfds

from fdx.data.readings import ReadingsDataset
from fdx.data.source import Dataset
from fdx.names import check_name
from fdx.types import ConfigError


def csv_config(builder_cls: type[tfds.core.DatasetBuilder], name: str, csv: str) -> tfds.core.BuilderConfig:
    """The config of a user's own name whose rows are those of a file.

    Raises:
      ConfigError: a dataset that is not made of a file, no name, one that is taken or one that names no folder.
    """
    taken = [c.name for c in builder_cls.BUILDER_CONFIGS]
    if not hasattr(builder_cls.builder_config_cls, 'csv'):
        raise ConfigError(f'--csv={csv}: {builder_cls.name} is made of recordings, not of a table')
    if name:
        check_name(name, f'--csv={csv}: the name of the table')
    if not name or name in taken:
        raise ConfigError(f'--csv={csv}: give the table a name of its own, other than {", ".join(taken)}')
    # TFDS would warn, with all fields, that this config is not one of the builder's own.
    logging.getLogger('absl').setLevel(logging.ERROR)
    return builder_cls.builder_config_cls(name=name, csv=str(pathlib.Path(csv).expanduser()))


def check_same_file(dataset: Dataset | ReadingsDataset, csv: str) -> None:
    """Checks that a prepared dataset holds the rows of `csv`.

    Raises:
      ConfigError: it is made of another file, or of none.
    """
    if not isinstance(dataset, ReadingsDataset):
        raise ConfigError(f'--csv={csv}: {dataset.name} is made of recordings, not of a table: leave it out')
    path, there = pathlib.Path(csv).expanduser(), dataset.metadata.get('csv_sha256', '')
    if not path.is_file():
        raise ConfigError(f'--csv={csv} is no file')
    if hashlib.sha256(path.read_bytes()).hexdigest() != there:
        made_of = f'from other rows ({dataset.metadata.get("source")})' if there else 'without a file'
        raise ConfigError(
            f'--csv={csv}: {dataset.name} is prepared already, {made_of}: choose another name, as in '
            f'--dataset={dataset.name.partition("/")[0]}/NAME, or remove {dataset.data_dir}'
        )
