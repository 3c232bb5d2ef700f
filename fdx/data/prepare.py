"""Builds a dataset in the folder of prepared datasets when it is first needed."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pathlib
from collections.abc import Callable, Iterator

import tensorflow_datasets as tfds

from fdx.data.builders import builder_class, known_builder
from fdx.data.csv_tables import CsvTable, check_same_file, csv_config, csv_table
from fdx.data.dataset import PreparedDataset
from fdx.data.names import parse_dataset_name, resolve_config
from fdx.data.preparing import RAW_DATA_VARIABLE, check_manual_dir, check_not_half_there, preparing, user_error
from fdx.data.source import open_dataset, prepared_folder
from fdx.types import ConfigError, DataError

logger = logging.getLogger(__name__)

Notify = Callable[[str], None]


def prepare(
    name: str,
    data_dir: str | os.PathLike = 'data',
    *,
    manual_dir: str | os.PathLike | None = None,
    csv: str | os.PathLike | None = None,
    group_column: str | None = None,
    notify: Notify = logger.info,
    progress: bool = False,
    overwrite: bool = False,
) -> PreparedDataset:
    """Prepares the dataset `builder/config` unless it is there already, and opens it.

        data = fdx.prepare('bearing_rig/small')
        data = fdx.prepare('cwru/load0_12k', manual_dir='recordings')
        data = fdx.prepare('motor_maintenance/mine', csv='log.csv', group_column='machine')

    Args:
      name: as for `fdx.open_dataset`; a config without a front end means the one with the default front end.
      data_dir: folder of prepared datasets, made where it does not exist.
      manual_dir: folder of raw recordings that you already have; the environment variable FDX_RAW_DATA if None.
        Missing files are downloaded where that is possible.
      csv: file of readings, for a dataset that is made from one; you then choose the config's name.
      group_column: column of `csv` that names the machine, run or day of each row, and is not a reading.
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
    prepare_if_missing(name, data_dir, manual_dir, table, notify=notify, progress=progress, overwrite=overwrite)
    return open_dataset(name, pathlib.Path(data_dir))


def prepare_if_missing(
    name: str,
    data_dir: str | os.PathLike,
    manual_dir: str | os.PathLike | None = None,
    csv: str | CsvTable | None = None,
    *,
    notify: Notify = logger.info,
    progress: bool = False,
    overwrite: bool = False,
) -> None:
    """As `prepare`, without opening the dataset, which takes time if it has many records.

    Args, Raises: as for `prepare`; `csv` holds the table's group column.
    """
    if not overwrite and _is_there(name, data_dir, csv, notify):
        return
    builder = _builder(name, data_dir, csv)
    folder = check_manual_dir(manual_dir or os.environ.get(RAW_DATA_VARIABLE) or None)
    # TFDS deletes what is there before it builds.
    mode = 'REUSE_CACHE_IF_EXISTS' if overwrite else 'REUSE_DATASET_IF_EXISTS'
    settings = tfds.download.DownloadConfig(manual_dir=folder, download_mode=tfds.GenerateMode[mode])
    try:
        with preparing(data_dir, [builder.name], notify):
            # Another program may have prepared it while this one waited.
            if not overwrite and _is_there(name, data_dir, csv, notify):
                return
            check_not_half_there(builder)
            notify(f'preparing {builder.info.full_name} in {data_dir} (once)')
            with contextlib.nullcontext() if progress else _silence():
                builder.download_and_prepare(download_config=settings)
    except Exception as e:
        error = user_error(e)
        if error is None or error is e:
            raise
        raise error from e


def _is_there(name: str, data_dir: str | os.PathLike, csv: str | CsvTable | None, notify: Notify) -> bool:
    """Whether the dataset is prepared, in its builder's version unless the name asks for another.

    Raises:
      ConfigError: it was made from another file than `csv`.
    """
    try:
        folder = prepared_folder(name, pathlib.Path(data_dir))
    except DataError:
        return False
    if not parse_dataset_name(name).version and folder.name != _current_version(name, folder.name):
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
    if csv:
        with _without_absl_warnings():
            return found(config=csv_config(found, config, csv), data_dir=data_dir)
    resolved = resolve_config(config, known)
    if resolved is None:
        own = '; a name of your own goes with `csv`=FILE' if hasattr(found.builder_config_cls, 'csv') else ''
        raise ConfigError(f'`dataset`={name}: {base} has the configs {", ".join(known)}{own}')
    if version and version != str(found.VERSION):
        raise ConfigError(f'`dataset`={name}: datasets/{base} makes version {found.VERSION} only')
    return found(config=resolved, data_dir=data_dir)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Suppresses TFDS's lines and progress bars, because the library prints nothing."""
    shown = tfds.core.utils.tqdm_utils._active
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        if shown:
            tfds.enable_progress_bar()


@contextlib.contextmanager
def _without_absl_warnings() -> Iterator[None]:
    """Suppresses TFDS's long warning about a config that is not one of the builder's own."""
    absl, level = logging.getLogger('absl'), logging.getLogger('absl').level
    absl.setLevel(max(level, logging.ERROR))
    try:
        yield
    finally:
        absl.setLevel(level)
