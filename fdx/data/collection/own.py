"""A dataset of a user's own recordings: its name, its settings, and the version that its content has."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
from typing import Any

import tensorflow_datasets as tfds

from fdx.data.collection.collect import open_collection
from fdx.data.collection.entry import Collection
from fdx.data.collection.spec import CollectionSpec
from fdx.data.collection.survey import Survey, survey
from fdx.files import parse_json
from fdx.names import check_name
from fdx.signal.front_ends import DEFAULT_FRONT_END, DEFAULT_TRIAXIAL, create_front_end, front_end_names
from fdx.types import ConfigError, DataError

BUILDER = 'recordings'
# Datasets that the package bearing-datasets has built; everything but their source is as for recordings.
BUILT = 'bearing_datasets'
OWN_BUILDERS = (BUILDER, BUILT)
# Of the version, major and minor say how records are made; the last number counts the contents of one name.
FORMAT = '1.0'
_OF_FORMAT = re.compile(re.escape(FORMAT) + r'\.(\d+)')


@dataclasses.dataclass(frozen=True)
class OwnRecordings:
    """A user's recordings and how they are cut.

    Attributes:
      spec: where the recordings lie and what is known about them.
      window_s: seconds of a window; None: what the front end needs.
      hop_s: seconds between windows of a block; None: half a window.
      match_level: whether every window is divided by its own level.
      findings: what inspecting the recordings found, as reports repeat it: mappings with at least `kind` and `text`.
    """

    spec: CollectionSpec
    window_s: float | None = None
    hop_s: float | None = None
    match_level: bool = False
    findings: tuple[dict, ...] = ()

    @classmethod
    def of(cls, source: OwnRecordings | CollectionSpec | str | os.PathLike) -> OwnRecordings:
        """From a folder or manifest, or what is known of it; an OwnRecordings stays as it is."""
        if isinstance(source, OwnRecordings):
            return source
        return cls(source if isinstance(source, CollectionSpec) else CollectionSpec(os.fspath(source)))


@dataclasses.dataclass(frozen=True)
class Surveyed:
    """Recordings whose files have been looked at.

    Attributes:
      own: what the user said.
      collection: the recordings.
      survey: facts of their files.
    """

    own: OwnRecordings
    collection: Collection
    survey: Survey

    @property
    def sha256(self) -> str:
        """Of everything that decides which windows the dataset holds, but for the front end, which is in its name."""
        settings = [self.own.window_s, self.own.hop_s, self.own.match_level]
        return hashlib.sha256(f'{self.survey.sha256} {json.dumps(settings)}'.encode()).hexdigest()


def look_at(own: OwnRecordings) -> Surveyed:
    """Opens a collection that is to become a dataset, and surveys its files.

    Raises:
      DataError, ConfigError: see `open_collection` and `survey`; recordings without a class, or fewer than two classes.
    """
    collection = open_collection(own.spec)
    nameless = [e for e in collection.entries if not e.label]
    if nameless:
        remedy = (
            'put the files of each class into a folder of its own, name a `pattern` with {label}, or fill the column '
            'label of a manifest'
        )
        if collection.content:
            remedy = 'choose a `label_column`, or let bearing-datasets build a part of the dataset (build --where)'
        raise DataError(
            f'{nameless[0].place}: {nameless[0].recording} has no class'
            + (f', nor have {len(nameless) - 1} others' if len(nameless) > 1 else '')
            + f'; {remedy}'
        )
    labels = collection.labels()
    if len(labels) < 2:
        raise DataError(
            f'{collection.source} holds the class {labels[0]} alone; a classifier needs at least two classes'
        )
    return Surveyed(own, collection, survey(collection))


def split_name(config: str) -> tuple[str, str]:
    """(name that the user chose, front end or '') of a config such as `mine` or `mine-fault_orders`."""
    fits = [f for f in front_end_names() if config.endswith(f'-{f}') and config != f'-{f}']
    front_end = max(fits, key=len, default='')
    return (config[: -len(front_end) - 1], front_end) if front_end else (config, '')


def own_config(
    builder_cls: type[tfds.core.DatasetBuilder], name: str, looked_at: Surveyed, version: str
) -> tfds.core.BuilderConfig:
    """The config of a dataset with a name of the user's own.

    Args:
      builder_cls: the builder of datasets/recordings or datasets/bearing_datasets.
      name: the config's name, with or without a front end.
      looked_at: the recordings.
      version: of the dataset, see `version_for`.

    Raises:
      ConfigError: a name that is not valid for a folder, or a front end that does not suit the number of channels.
    """
    chosen, front_end = split_name(name)
    check_name(chosen, '`dataset`: the name of the recordings')
    channels = looked_at.survey.channels
    front_end = front_end or (DEFAULT_FRONT_END if channels == 1 else DEFAULT_TRIAXIAL)
    if front_end not in front_end_names(channels):
        raise ConfigError(
            f'`dataset`={builder_cls.name}/{name}: {front_end} does not take {channels} channels; choose one with '
            f'`channel`, or one of the front ends {", ".join(front_end_names(channels))}'
        )
    own, rate = looked_at.own, looked_at.survey.common_rate_hz
    window_s = own.window_s or create_front_end(front_end, rate).patch_samples(rate) / rate
    fields: dict[str, Any] = {'window_s': own.window_s, 'hop_s': own.hop_s or window_s / 2}
    return builder_cls.builder_config_cls(
        name=f'{chosen}-{front_end}',
        version=tfds.core.Version(version),
        description=f'Recordings of {own.spec.source}. Front end {front_end}.',
        subset=chosen,
        front_end=front_end,
        recordings=own.spec.to_json(),
        looked_at=looked_at,
        match_level=own.match_level,
        **fields,
    )


def version_for(folder: pathlib.Path, sha256: str) -> tuple[str, bool]:
    """The version of a content: (that of the prepared dataset that holds it, True), or (the next one, False).

    Args:
      folder: data_dir/BUILDER/CONFIG, which need not exist.
      sha256: of the content, `Surveyed.sha256`.
    """
    there = {int(m[1]): p for p in folder.glob('*/') if (m := _OF_FORMAT.fullmatch(p.name))}
    for number in sorted(there, reverse=True):
        if _sha256_of(there[number]) == sha256:
            return f'{FORMAT}.{number}', True
    return f'{FORMAT}.{max(there, default=-1) + 1}', False


def _sha256_of(folder: pathlib.Path) -> str:
    try:
        stored = parse_json((folder / 'metadata.json').read_bytes())
    except (OSError, DataError):  # A version that is damaged or half there holds no known content.
        return ''
    return str(stored.get('content_sha256', '')) if isinstance(stored, dict) else ''
