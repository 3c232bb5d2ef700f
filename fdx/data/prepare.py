"""Builds a dataset in the folder of prepared datasets when it is first needed."""

from __future__ import annotations

import logging
import os
import pathlib
from typing import Any

import tensorflow_datasets as tfds

from fdx.data.builders import builder_class, known_builder
from fdx.data.building import Notify, build, users_errors, without_absl_warnings
from fdx.data.collection.built_root import built_folder
from fdx.data.collection.own import BUILDER, BUILT, OWN_BUILDERS, OwnRecordings
from fdx.data.collection.spec import CollectionSpec
from fdx.data.csv_tables import CsvTable, check_same_file, csv_config, csv_table
from fdx.data.dataset import PreparedDataset
from fdx.data.names import parse_dataset_name, resolve_config
from fdx.data.prepare_own import prepare_own
from fdx.data.preparing import RAW_DATA_VARIABLE, check_manual_dir, preparing
from fdx.data.source import open_dataset, prepared_folder
from fdx.types import ConfigError, DataError

logger = logging.getLogger(__name__)

Recordings = OwnRecordings | CollectionSpec | str | os.PathLike


def prepare(
    name: str,
    data_dir: str | os.PathLike = 'data',
    *,
    manual_dir: str | os.PathLike | None = None,
    csv: str | os.PathLike | None = None,
    group_column: str | None = None,
    recordings: Recordings | None = None,
    workers: int | None = None,
    notify: Notify = logger.info,
    progress: bool = False,
    overwrite: bool = False,
) -> PreparedDataset:
    """Prepares the dataset `builder/config` unless it is there already, and opens it.

        data = fdx.prepare('bearing_rig/small')
        data = fdx.prepare('cwru/load0_12k', manual_dir='recordings')
        data = fdx.prepare('motor_maintenance/mine', csv='log.csv', group_column='machine')
        data = fdx.prepare('recordings/pumps', recordings='pumps/')      # a folder per class, or a manifest

    Args:
      name: as for `fdx.open_dataset`; a config without a front end means the one with the default front end.
      data_dir: folder of prepared datasets, made where it does not exist.
      manual_dir: folder of raw recordings that you already have; the environment variable FDX_RAW_DATA if None.
        Missing files are downloaded where that is possible.
      csv: file of readings, for a dataset that is made from one; you then choose the config's name.
      group_column: column of `csv` that names the machine, run or day of each row, and is not a reading.
      recordings: your own recordings, for a dataset `recordings/NAME`: a folder, a manifest, or a CollectionSpec or
        OwnRecordings with more settings. When their files have changed, a new version is made. For
        `bearing_datasets/NAME` it is the folder of the built dataset, if that does not lie in `manual_dir`.
      workers: number of processes that read `recordings`; None: one per core where there is much to read.
      notify: called with one line before each long piece of work, and while another program prepares the same dataset.
      progress: whether TFDS shows its own lines and progress bars on the standard streams.
      overwrite: whether to delete a dataset that is prepared already, and to build it again.

    Returns:
      The open dataset.

    Raises:
      ConfigError: no such builder, config or version, no folder `manual_dir`, or a `csv` for a dataset that takes none
        or was prepared from another file.
      DataError: recordings are missing or cannot be used, or the disk is full; nothing stays behind.
      FileWriteError: `data_dir` cannot be written.
    """
    table = csv_table(os.fspath(csv) if csv else None, group_column)
    settings: dict[str, Any] = {'notify': notify, 'progress': progress, 'overwrite': overwrite}
    name = prepare_if_missing(name, data_dir, manual_dir, table, recordings=recordings, workers=workers, **settings)
    return open_dataset(name, pathlib.Path(data_dir))


def prepare_if_missing(
    name: str,
    data_dir: str | os.PathLike,
    manual_dir: str | os.PathLike | None = None,
    csv: str | CsvTable | None = None,
    *,
    recordings: Recordings | None = None,
    workers: int | None = None,
    notify: Notify = logger.info,
    progress: bool = False,
    overwrite: bool = False,
) -> str:
    """As `prepare`, without opening the dataset, which takes time if it has many records.

    Args, Raises: as for `prepare`; `csv` holds the table's group column.

    Returns:
      `name`; of the user's own recordings with the version that has their present content.
    """
    is_there = not overwrite and recordings is None and _is_there(name, data_dir, csv, notify)
    if not is_there and recordings is None and parse_dataset_name(name).builder == BUILT:
        recordings = built_folder(name, manual_dir)
    if recordings is not None:
        if csv or overwrite:
            raise ConfigError('`recordings` goes without `csv`, and without `overwrite`: new content is a new version')
        own = OwnRecordings.of(recordings)
        return prepare_own(name, data_dir, own, notify=notify, progress=progress, workers=workers)
    if workers is not None:
        raise ConfigError('`workers` goes with `recordings`; other datasets are prepared by one process')
    if is_there:
        return name
    builder = _builder(name, data_dir, csv)
    folder = check_manual_dir(manual_dir or os.environ.get(RAW_DATA_VARIABLE) or None)
    with users_errors(), preparing(data_dir, [builder.name], notify):
        # Another program may have prepared it while this one waited.
        if overwrite or not _is_there(name, data_dir, csv, notify):
            build(builder, data_dir, folder, overwrite=overwrite, notify=notify, progress=progress)
    return name


def _is_there(name: str, data_dir: str | os.PathLike, csv: str | CsvTable | None, notify: Notify) -> bool:
    """Whether the dataset is prepared, in its builder's version unless the name asks for another.

    Raises:
      ConfigError: it was made from another file than `csv`.
    """
    try:
        folder = prepared_folder(name, pathlib.Path(data_dir))
    except DataError:
        return False
    base, _, version = parse_dataset_name(name)
    # Versions of a user's recordings count their contents: each of them is as good as the builder's.
    if not version and base not in OWN_BUILDERS and folder.name != _current_version(name, folder.name):
        # Older versions were made differently; they stay for runs that name their version.
        notify(f'{name} is there in version {folder.name} only')
        return False
    if csv:
        check_same_file(open_dataset(name, pathlib.Path(data_dir)), csv)
    return True


def _current_version(name: str, otherwise: str) -> str:
    """The version that a name's builder makes now; `otherwise` if there is no builder (generated datasets)."""
    base = parse_dataset_name(name).builder
    found = builder_class(base)
    return otherwise if found is None else str(found.VERSION)


def _builder(name: str, data_dir: str | os.PathLike, csv: str | CsvTable | None) -> tfds.core.DatasetBuilder:
    base, config, version = parse_dataset_name(name)
    if not base.isidentifier():
        raise ConfigError(f'`dataset`={name}: write it as builder/config, e.g. cwru/load0_12k')
    found = known_builder(base, 'dataset', name)
    known = [c.name for c in found.BUILDER_CONFIGS]
    if base == BUILDER:
        raise ConfigError(
            f'`dataset`={name} is not prepared in {data_dir}: say with `recordings`=FOLDER_OR_MANIFEST where they lie'
        )
    if csv:
        with without_absl_warnings():
            return found(config=csv_config(found, config, csv), data_dir=data_dir)
    resolved = resolve_config(config, known)
    if resolved is None:
        own = '; a name of your own goes with `csv`=FILE' if hasattr(found.builder_config_cls, 'csv') else ''
        raise ConfigError(f'`dataset`={name}: {base} has the configs {", ".join(known)}{own}')
    if version and version != str(found.VERSION):
        raise ConfigError(f'`dataset`={name}: datasets/{base} makes version {found.VERSION} only')
    return found(config=resolved, data_dir=data_dir)
