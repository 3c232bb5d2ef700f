"""Datasets made from a user's CSV file: their config, and a check that a prepared one holds the file's rows."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib

import tensorflow_datasets as tfds

from fdx.data.dataset import PreparedDataset
from fdx.names import check_name
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class CsvTable:
    """A user's table.

    Attributes:
      path: the file.
      group_column: its column that names the group of each row, or ''.
      protocol: how rows are split if a run names no protocol; '' leaves it to the builder.
    """

    path: str
    group_column: str = ''
    protocol: str = ''

    @classmethod
    def of(cls, csv: str | CsvTable) -> CsvTable:
        """A table from a path, which has no groups; a CsvTable stays as it is."""
        return csv if isinstance(csv, CsvTable) else cls(csv)


def csv_table(csv: str | None, group_column: str | None) -> CsvTable | None:
    """The table of a file and its column of groups; ConfigError for a column without a file."""
    if group_column and not csv:
        raise ConfigError(f'`group_column`={group_column} names a column of `csv`=FILE: give the file, too')
    return CsvTable(csv, group_column or '') if csv else None


def csv_config(builder_cls: type[tfds.core.DatasetBuilder], name: str, csv: str | CsvTable) -> tfds.core.BuilderConfig:
    """A config with a name of the user's own, whose rows come from a file.

    Raises:
      ConfigError: the dataset is not made from a file, or the name is missing, taken or not valid for a folder.
    """
    table = CsvTable.of(csv)
    csv = table.path
    taken = [c.name for c in builder_cls.BUILDER_CONFIGS]
    if not hasattr(builder_cls.builder_config_cls, 'csv'):
        raise ConfigError(f'`csv`={csv}: {builder_cls.name} is made of recordings, not of a table')
    if name:
        check_name(name, f'`csv`={csv}: the name of the table')
    if not name or name in taken:
        raise ConfigError(f'`csv`={csv}: give the table a name of its own, other than {", ".join(taken)}')
    path = str(pathlib.Path(csv).expanduser())
    return builder_cls.builder_config_cls(name=name, csv=path, group_column=table.group_column, protocol=table.protocol)


def check_same_file(dataset: PreparedDataset, csv: str | CsvTable) -> None:
    """Checks that a prepared dataset holds the rows of `csv`, in the same groups.

    Raises:
      ConfigError: it was made from another file or from none, or with another column of groups.
    """
    groups = CsvTable.of(csv).group_column
    csv = CsvTable.of(csv).path
    if dataset.csv_sha256 is None:
        raise ConfigError(f'`csv`={csv}: {dataset.name} is made of recordings, not of a table: leave it out')
    path, there = pathlib.Path(csv).expanduser(), dataset.csv_sha256
    if not path.is_file():
        raise ConfigError(f'`csv`={csv} is not a file; check the path')
    if hashlib.sha256(path.read_bytes()).hexdigest() != there:
        made_of = f'from other rows ({dataset.metadata.get("source")})' if there else 'without a file'
        raise ConfigError(
            f'`csv`={csv}: {dataset.name} is prepared already, {made_of}: choose another name, as in '
            f'`dataset`={dataset.name.partition("/")[0]}/NAME, or remove {dataset.data_dir}'
        )
    grouped = dataset.metadata.get('group_column', '')
    if groups and groups != grouped:
        has = f'with `group_column`={grouped}' if grouped else 'without `group_column`'
        raise ConfigError(
            f'`group_column`={groups}: {dataset.name} is prepared already, {has}: choose another name, as in '
            f'`dataset`={dataset.name.partition("/")[0]}/NAME, or remove {dataset.data_dir}'
        )
