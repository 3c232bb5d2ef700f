"""Prepares a dataset of a user's own recordings, in a new version when their content has changed."""

from __future__ import annotations

import os
import pathlib

from fdx.data.builders import known_builder
from fdx.data.building import Notify, build, users_errors, without_absl_warnings
from fdx.data.collection.own import (
    BUILDER,
    BUILT,
    OWN_BUILDERS,
    OwnRecordings,
    Surveyed,
    look_at,
    own_config,
    version_for,
)
from fdx.data.names import parse_dataset_name
from fdx.data.preparing import preparing
from fdx.types import ConfigError


def prepare_own(
    name: str,
    data_dir: str | os.PathLike,
    own: OwnRecordings | Surveyed,
    *,
    notify: Notify,
    progress: bool,
    workers: int | None = None,
) -> str:
    """Prepares `recordings/NAME` or `bearing_datasets/NAME` unless a version with just this content is there.

    Args:
      name: `recordings/NAME`, or `recordings/NAME-FRONT_END`; likewise of bearing_datasets.
      data_dir: folder of prepared datasets.
      own: the recordings and how they are cut; they may have been looked at already.
      notify: called with one line before each long piece of work.
      progress: whether TFDS shows its bars.
      workers: number of processes that read the files; None: one per core where there is much to read, else this one.

    Returns:
      The dataset's name with front end and version.

    Raises:
      ConfigError: a name of another builder, with a version, or without a name of one's own; see `own_config`.
      DataError: see `look_at`; a recording cannot be used.
      FileWriteError: `data_dir` cannot be written.
    """
    if workers is not None and workers < 1:
        raise ConfigError(f'`workers`={workers}: a number of processes, 1 or more')
    base, config, version = parse_dataset_name(name)
    if base not in OWN_BUILDERS or not config:
        raise ConfigError(f'`dataset`={name}: recordings of your own have the name {BUILDER}/NAME; NAME is yours')
    if version:
        raise ConfigError(f'`dataset`={name}: leave out the version, which follows from the content of `recordings`')
    looked_at = own if isinstance(own, Surveyed) else look_at(own)
    if base == BUILT and not looked_at.collection.content:
        raise ConfigError(
            f'`dataset`={name}: {looked_at.collection.source} was not built by bearing-datasets; call recordings of '
            f'your own {BUILDER}/NAME'
        )
    found, root = known_builder(base, 'dataset', name), pathlib.Path(data_dir)
    # The first config only tells the folder in which versions lie.
    folder = root / base / own_config(found, config, looked_at, '0.0.0').name
    if not version_for(folder, looked_at.sha256)[1]:
        with users_errors(), preparing(data_dir, [base], notify):
            # Another program may have prepared it while this one waited.
            version, there = version_for(folder, looked_at.sha256)
            if not there:
                if any(folder.glob('*.*.*')):
                    notify(f'{base}/{folder.name}: the recordings have changed, so version {version} is made')
                settings = own_config(found, config, looked_at, version)
                settings.workers = workers
                with without_absl_warnings():
                    builder = found(config=settings, data_dir=data_dir)
                build(builder, data_dir, notify=notify, progress=progress)
    return f'{base}/{folder.name}:{version_for(folder, looked_at.sha256)[0]}'
