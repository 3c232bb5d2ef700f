"""Builds a dataset the first time that a program asks for it."""

from __future__ import annotations

import os

import tensorflow_datasets as tfds

from fdx.data.builders import builder_class, known_builder
from fdx.data.names import parse_dataset_name, resolve_config
from fdx.data.source import open_dataset, prepared_folder
from fdx.types import ConfigError, DataError

from .building import RAW_DATA_VARIABLE, check_manual_dir, check_not_half_there, preparing, user_error
from .csv_tables import CsvTable, check_same_file, csv_config


def prepare_if_missing(name: str, data_dir: str, manual_dir: str | None, csv: str | CsvTable | None = None) -> None:
    """Prepares `builder/config` in `data_dir` unless it is there.

    Args:
      name: as `fdx.data.source.open_dataset` takes it.
      data_dir: folder of prepared datasets.
      manual_dir: folder of raw recordings; the environment variable FDX_RAW_DATA where None.
      csv: file of readings for a dataset that is made of one; the config's name is then the user's own.

    Raises:
      ConfigError: no such builder, config or version in datasets/, no folder `manual_dir`, or a `csv` for a dataset
        that takes none or was prepared from another file.
      DataError: recordings that are missing or cannot be used; nothing stays behind.
    """
    if _is_there(name, data_dir, csv):
        return
    builder = _builder(name, data_dir, csv)
    folder = check_manual_dir(manual_dir or os.environ.get(RAW_DATA_VARIABLE) or None)
    try:
        with preparing(data_dir, [builder.name]):
            # Another program may have prepared it while this one waited.
            if _is_there(name, data_dir, csv):
                return
            check_not_half_there(builder)
            print(f'preparing {builder.info.full_name} in {data_dir} (once)', flush=True)
            builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=folder))
    except Exception as e:
        error = user_error(e)
        if error is None or error is e:
            raise
        raise error from e


def _is_there(name: str, data_dir: str, csv: str | CsvTable | None) -> bool:
    """Whether the dataset is prepared, in its builder's version unless the name asks for another.

    Raises:
      ConfigError: it is made of another file than `csv`.
    """
    try:
        folder = prepared_folder(name, data_dir)
    except DataError:
        return False
    if not parse_dataset_name(name).version and folder.name != _current_version(name, folder.name):
        # Older records were made in another way; they stay, for runs that name their version.
        print(f'{name} is there in version {folder.name} only', flush=True)
        return False
    if csv:
        check_same_file(open_dataset(name, data_dir), csv)
    return True


def _current_version(name: str, otherwise: str) -> str:
    """The version that a name's builder makes now; `otherwise` where there is no builder (generated datasets)."""
    base = parse_dataset_name(name).builder
    found = builder_class(base)
    return otherwise if found is None else str(found.VERSION)


def _builder(name: str, data_dir: str, csv: str | CsvTable | None) -> tfds.core.DatasetBuilder:
    base, config, version = parse_dataset_name(name)
    if not base.isidentifier():
        raise ConfigError(f'--dataset={name}: write it as builder/config, e.g. cwru/load0_12k')
    found = known_builder(base, 'dataset', name)
    known = [c.name for c in found.BUILDER_CONFIGS]
    if csv:
        return found(config=csv_config(found, config, csv), data_dir=data_dir)
    resolved = resolve_config(config, known)
    if resolved is None:
        own = '; a name of your own goes with --csv=FILE' if hasattr(found.builder_config_cls, 'csv') else ''
        raise ConfigError(f'--dataset={name}: {base} has the configs {", ".join(known)}{own}')
    if version and version != str(found.VERSION):
        raise ConfigError(f'--dataset={name}: datasets/{base} makes version {found.VERSION} only')
    return found(config=resolved, data_dir=data_dir)
