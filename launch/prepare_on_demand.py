"""Builds a dataset the first time that a program asks for it."""

from __future__ import annotations

import importlib
import os
import pathlib

import tensorflow_datasets as tfds

from fdx.data.source import open_dataset
from fdx.signal.front_ends import DEFAULT_FRONT_END
from fdx.types import ConfigError, DataError


def prepare_if_missing(name: str, data_dir: str, manual_dir: str | None) -> None:
    """Prepares `builder/config` in `data_dir` unless it is there.

    Args:
      name: as `fdx.data.source.open_dataset` takes it.
      data_dir: folder of prepared datasets.
      manual_dir: folder of raw recordings; the environment variable FDX_RAW_DATA where None.

    Raises:
      ConfigError: no such builder or config in datasets/.
      DataError: recordings that are missing or cannot be used.
    """
    try:
        open_dataset(name, data_dir)
    except DataError:
        builder = _builder(name, data_dir)
        raw = manual_dir or os.environ.get('FDX_RAW_DATA')
        folder = pathlib.Path(raw).expanduser() if raw else None
        print(f'preparing {builder.info.full_name} in {data_dir} (once)', flush=True)
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=folder))


def _builder(name: str, data_dir: str) -> tfds.core.DatasetBuilder:
    base, _, config = name.partition(':')[0].partition('/')
    try:
        module = importlib.import_module(f'datasets.{base}.{base}_dataset_builder')
    except ModuleNotFoundError as e:
        if not (e.name or '').startswith('datasets'):
            raise
        raise ConfigError(f'--dataset={name}: there is no builder datasets/{base}') from e
    known = [c.name for c in module.Builder.BUILDER_CONFIGS]
    for candidate in (config, f'{config}-{DEFAULT_FRONT_END}'):
        if candidate in known:
            return module.Builder(config=candidate, data_dir=data_dir)
    raise ConfigError(f'--dataset={name}: {base} has the configs {", ".join(known)}')
